"""Room that is kept before the disk is full, so that deleting and reporting need none.

A transaction of SQLite's rollback journal writes the old pages into the journal first. The journal is a file that stays
(`journal_mode = PERSIST`) and is made large enough here, so that a transaction which makes the database no larger, such
as forgetting an envelope that has its receipt, takes no new block of the disk. What has to be reported makes the
database larger: pages for that are held by rows of the table `reserve`, and one row is deleted with each report, in
the same transaction. So no other program can take that room meanwhile.

Not on file systems that write each change to a new place (btrfs, ZFS): there the file system's own reserve has to do.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from identity.files import PRIVATE_FILE

ROWS = 3
_FILLER_BYTES = 489 + 2 * 4092  # on pages of 4096 bytes: 489 bytes in the table's page, and two pages of their own
_JOURNAL_BYTES = 48 * 1024  # eleven pages; the largest envelope takes six
_BLOCK = bytes(4096)

TABLE = "CREATE TABLE IF NOT EXISTS reserve (number INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT"


def rows(db: sqlite3.Connection) -> int:
    """How many reports have room."""
    return int(db.execute("SELECT count(*) FROM reserve").fetchone()[0])


def spend(db: sqlite3.Connection, leave: int) -> bool:
    """Give the room of one report free, in the transaction that is open. False: no more than `leave` are left."""
    if rows(db) <= leave:
        return False
    db.execute("DELETE FROM reserve WHERE number = (SELECT max(number) FROM reserve)")
    return True


def add_row(db: sqlite3.Connection) -> None:
    """Keep room for one report more. Raises sqlite3.Error where the disk has none."""
    db.execute("INSERT INTO reserve (filler) VALUES (zeroblob(?))", (_FILLER_BYTES,))


def keep_journal(path: Path) -> None:
    """Make the journal as large as it will ever have to be, on the disk. Raises OSError, and leaves it as it was.

    SQLite reads no further than what its header says, and the header is empty between transactions.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        before = size = os.lseek(descriptor, 0, os.SEEK_END)
        try:
            while size < _JOURNAL_BYTES:
                size += os.write(descriptor, _BLOCK[: _JOURNAL_BYTES - size])
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, before)  # a part of the room serves nothing, and an envelope may need it
            raise
    finally:
        os.close(descriptor)
