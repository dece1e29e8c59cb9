"""For which receiver's key the envelopes in the spool were sealed, so that none is sent to who cannot open it.

A row says from which sequence number on the envelopes are sealed for a key, named by its SHA-256. What an earlier
version sealed stands before the first row: its key is not known, and it is sent as before.
"""

from __future__ import annotations

import sqlite3
from typing import Final

TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS sealed_for (first INTEGER PRIMARY KEY, sink_key BLOB NOT NULL) STRICT, WITHOUT ROWID"
)
AFTER_ALL: Final = "SELECT sequence, sealed FROM envelope WHERE sequence > :above ORDER BY sequence LIMIT :limit"
AFTER: Final = """
SELECT sequence, sealed FROM envelope
WHERE sequence > :above
AND coalesce((SELECT sink_key FROM sealed_for WHERE first <= sequence ORDER BY first DESC LIMIT 1), :sink_key)
    = :sink_key
ORDER BY sequence LIMIT :limit
"""
"""Without those that are known to be sealed for another key than :sink_key."""
_HELD: Final = """
SELECT count(*) FROM envelope
WHERE (SELECT sink_key FROM sealed_for WHERE first <= sequence ORDER BY first DESC LIMIT 1) <> :sink_key
"""


def known(db: sqlite3.Connection) -> bool:
    """Whether the table is there."""
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sealed_for'").fetchone() is not None


def last(db: sqlite3.Connection) -> bytes | None:
    """The key that the newest row names, None where there is no row yet."""
    row = db.execute("SELECT sink_key FROM sealed_for ORDER BY first DESC LIMIT 1").fetchone()
    return row[0] if row else None


def note(db: sqlite3.Connection, first: int, sink_key: bytes) -> None:
    """From this sequence number on the envelopes are sealed for this key."""
    db.execute("INSERT OR REPLACE INTO sealed_for VALUES (?, ?)", (first, sink_key))


def held(db: sqlite3.Connection, sink_key: bytes) -> int:
    """How many envelopes wait that were sealed for another key."""
    return int(db.execute(_HELD, {"sink_key": sink_key}).fetchone()[0])
