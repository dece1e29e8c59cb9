"""What waits in a spool, counted from outside while no device runs. Nothing of the events can be read without the sink.

The database is opened as the sealer opens it, so that what a crash left in its journal counts too.
"""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from device.sealer import addressees
from device.sealer.errors import SpoolError

_BUSY_SECONDS = 1.0
_REFUSALS = {
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_FULL: errno.ENOSPC,
}
"""SQLite's code -> the system's error that it stands for here."""
_DATABASE, _JOURNALS = "spool.db", ("spool.db-journal", "spool.db-wal")  # -wal: of an older version


@dataclass(frozen=True)
class Waiting:
    """What waits in a spool.

    Attributes:
        device_id: whose envelopes they are, empty where there is no spool yet.
        count, sealed_bytes: the envelopes, and what they take together.
        first, last: their lowest and highest sequence number, None where nothing waits.
        next_sequence: of the envelope that is sealed next.
        largest: bytes of the largest envelope.
        disk_bytes: what the files take.
        held: how many of them are sealed for another receiver's key, and are not sent.
    """

    device_id: str = ""
    count: int = 0
    sealed_bytes: int = 0
    first: int | None = None
    last: int | None = None
    next_sequence: int = 0
    largest: int = 0
    disk_bytes: int = 0
    held: int = 0


def look(folder: Path, sink_key: bytes | None = None) -> Waiting:
    """What waits in the spool of `folder`. Raises SpoolError: it is in use, damaged, or cannot be read.

    `sink_key`: SHA-256 of the receiver's key for which the device seals now, None where that is not known.
    """
    path = folder / _DATABASE
    if not path.is_file():
        return Waiting()
    disk = sum(file.stat().st_size for file in (path, *(folder / name for name in _JOURNALS)) if file.is_file())
    try:
        spool = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS)
        try:
            spool.execute("PRAGMA locking_mode = EXCLUSIVE")
            head = spool.execute("SELECT device_id, sequence FROM head").fetchone()
            counted = spool.execute(
                "SELECT count(*), coalesce(sum(length(sealed)), 0), min(sequence), max(sequence), "
                "coalesce(max(length(sealed)), 0) FROM envelope"
            ).fetchone()
            tells = sink_key is not None and addressees.known(spool)
            held = addressees.held(spool, sink_key) if sink_key is not None and tells else 0
        finally:
            spool.close()
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without its extension
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise SpoolError("spool_in_use") from None
        if code in _REFUSALS:
            raise SpoolError("spool_unwritable", _REFUSALS[code]) from None
        raise SpoolError("spool_damaged") from None
    if head is None:
        raise SpoolError("spool_damaged")
    count, sealed, first, last, largest = counted
    return Waiting(head[0], count, sealed, first, last, head[1], largest, disk, held)
