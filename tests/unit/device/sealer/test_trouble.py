"""Why the spool takes nothing, by what SQLite and the disk say."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from device.sealer import trouble
from device.sealer.errors import SpoolError, SpoolFullError, SpoolRefusedError
from identity.errors import KeysError
from tests.support.full_disk import files_up_to


def raised(folder: Path, error: Exception) -> SpoolError:
    with pytest.raises(SpoolError) as caught, trouble.trouble(folder):
        raise error
    return caught.value


def database_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "said", "kind", "word", "numbers"),
    [
        (sqlite3.SQLITE_FULL, errno.ENOSPC, SpoolFullError, "disk_full", ()),
        (sqlite3.SQLITE_FULL, 0, SpoolFullError, "disk_full", ()),  # a page limit, or room again by now
        (sqlite3.SQLITE_IOERR_WRITE, errno.EDQUOT, SpoolFullError, "spool_unwritable", (errno.EDQUOT,)),
        (sqlite3.SQLITE_IOERR_WRITE, errno.EROFS, SpoolRefusedError, "spool_unwritable", (errno.EROFS,)),
        (sqlite3.SQLITE_IOERR_FSYNC, 0, SpoolRefusedError, "spool_unwritable", (errno.EIO,)),
        (sqlite3.SQLITE_READONLY, errno.EACCES, SpoolRefusedError, "spool_unwritable", (errno.EACCES,)),
        (sqlite3.SQLITE_CANTOPEN, errno.ENOSPC, SpoolFullError, "disk_full", ()),  # no inode for the journal
        (sqlite3.SQLITE_BUSY, 0, SpoolError, "spool_in_use", ()),
        (sqlite3.SQLITE_CORRUPT, 0, SpoolError, "spool_damaged", ()),
        (sqlite3.SQLITE_CONSTRAINT, 0, SpoolError, "spool_damaged", ()),
    ],
)
def test_what_the_database_says_with_what_the_disk_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: int, kind: type, word: str, numbers: tuple[int]
) -> None:
    monkeypatch.setattr(trouble, "ask", lambda folder: said)
    error = raised(tmp_path, database_error(code))
    assert (type(error), error.failure, error.numbers) == (kind, word, numbers)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, SpoolFullError),
        (errno.EDQUOT, SpoolFullError),
        (errno.EROFS, SpoolRefusedError),
        (errno.EIO, SpoolRefusedError),
        (errno.EFBIG, SpoolRefusedError),
        (errno.ENOTDIR, SpoolError),
    ],
)
def test_what_the_system_says(tmp_path: Path, number: int, kind: type) -> None:
    error = raised(tmp_path, OSError(number, "as the system says it"))
    assert type(error) is kind
    assert os.strerror(number) in str(error) or number == errno.ENOSPC


def test_a_key_file_that_cannot_be_written_is_asked_about_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "ask", lambda folder: errno.ENOSPC)
    assert raised(tmp_path, KeysError("no", "do")).failure == "disk_full"


def test_the_disk_is_asked_with_a_small_write_that_leaves_nothing(tmp_path: Path) -> None:
    assert trouble.ask(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []
    with files_up_to(100):
        assert trouble.ask(tmp_path) == errno.EFBIG
    assert list(tmp_path.iterdir()) == []
    assert trouble.ask(tmp_path / "gone") == errno.ENOENT


def test_the_question_follows_no_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"kept")
    (tmp_path / ".probe").symlink_to(target)
    assert trouble.ask(tmp_path) == errno.ELOOP
    assert target.read_bytes() == b"kept"
