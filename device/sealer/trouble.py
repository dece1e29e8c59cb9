"""What SQLite or the disk says -> why the spool cannot be used, or takes nothing now.

SQLite keeps the system's error number to itself. So when a write was refused, the folder is asked with a small write of
our own, which says whether the disk is full, over its quota, read-only or failing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from device.sealer.errors import SpoolError, SpoolFullError, SpoolRefusedError
from identity.errors import KeysError
from identity.files import PRIVATE_FILE

_OF_THE_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG)
_IN_USE: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_REFUSED: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_BLOCK = bytes(4096)
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def trouble(folder: Path) -> Iterator[None]:
    """Errors of the database, the disk and key files, as those of the spool in `folder`.

    Raises:
        SpoolFullError: the disk is full, or the database may not grow.
        SpoolRefusedError: the disk refuses otherwise.
        SpoolError: the database is damaged, another process has it, or its folder cannot be used.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _of_database(error, folder) from None
    except KeysError:
        raise refusal(ask(folder) or errno.EACCES) from None
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            raise refusal(error.errno) from None
        raise SpoolError("spool_unusable", error.errno or 0) from None


def refusal(number: int) -> SpoolRefusedError:
    """The error for one of the system's error numbers."""
    if number == errno.ENOSPC:
        return SpoolFullError("disk_full")
    if number == errno.EDQUOT:
        return SpoolFullError("spool_unwritable", number)
    return SpoolRefusedError("spool_unwritable", number)


def ask(folder: Path) -> int:
    """The error number of a small write into the folder, 0 where it is taken."""
    probe = folder / ".probe"
    try:
        descriptor = os.open(probe, _FLAGS, PRIVATE_FILE)
        try:
            written = 0
            while written < len(_BLOCK):  # the first part may be taken yet
                written += os.write(descriptor, _BLOCK[written:])
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error.errno or errno.EIO
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return 0


def _of_database(error: sqlite3.Error, folder: Path) -> SpoolError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without its extension
    if code == sqlite3.SQLITE_FULL:
        return refusal(ask(folder) or errno.ENOSPC)
    if code in _REFUSED:
        return refusal(ask(folder) or errno.EIO)
    if code in _IN_USE:
        return SpoolError("spool_in_use")
    return SpoolError("spool_damaged")
