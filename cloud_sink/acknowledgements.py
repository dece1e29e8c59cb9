"""What people have looked at: who said so of what, and when. An alert that was acknowledged is put away, never deleted.

An acknowledgement is a mark on one kind of alert of one device: everything up to it was looked at, whatever comes later
was not. So a flood of a hundred thousand alerts costs one row to acknowledge, and what arrives while somebody reads is
not acknowledged with the rest. A mark that does not go beyond the last is not stored: the table grows with the alerts,
not with the requests.

Every call opens a connection of its own; a write waits for the receiving thread's as that one waits for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cloud_sink.errors import StoreError
from cloud_sink.store import BUSY_TIMEOUT_S

AlertKey: TypeAlias = tuple[str, str]
"""Device id ('' for none) and kind of an alert."""


@dataclass(frozen=True)
class Acknowledgement:
    """`who` looked at everything of `kind` and `device_id` up to the mark `through`. `who` is '' without a login."""

    device_id: str
    kind: str
    through: int
    who: str
    at_ms: int


class Acknowledgements:
    """The acknowledgements in the database at `path`, which a `Store` has made. Each raises StoreError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def latest(self) -> dict[AlertKey, Acknowledgement]:
        """The furthest mark on each kind of each device."""
        # SQLite takes the other columns from the row that holds the maximum.
        query = "SELECT device_id, kind, max(through), who, at_ms FROM acknowledgement GROUP BY device_id, kind"
        with self._connected() as db:
            return {(row[0], row[1]): Acknowledgement(*row) for row in db.execute(query)}

    def add(self, new: Acknowledgement) -> bool:
        """Store a mark that goes beyond the last; return whether it did."""
        with self._connected() as db:
            db.execute("BEGIN IMMEDIATE")
            done = db.execute(
                "INSERT INTO acknowledgement (device_id, kind, through, who, at_ms) SELECT ?1, ?2, ?3, ?4, ?5 WHERE"
                " NOT EXISTS (SELECT 1 FROM acknowledgement WHERE device_id = ?1 AND kind = ?2 AND through >= ?3)",
                (new.device_id, new.kind, new.through, new.who, new.at_ms),
            ).rowcount
            db.execute("COMMIT")
        return done == 1

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            uri = f"{self._path.absolute().as_uri()}?mode=rw"  # never a new, empty database
            with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as db:
                db.execute("PRAGMA trusted_schema = OFF")
                db.execute("PRAGMA synchronous = FULL")
                yield db
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"cannot read or write {self._path}: {error}", "check the disk's free space, and who owns it"
            ) from error
