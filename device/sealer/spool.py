"""The spool: sealed envelopes on disk until their receipts are verified, and the head of the device's chain.

SQLite with a write-ahead log and full synchronisation: an envelope, the head after it and the id of the verdict in it
become durable in one transaction or not at all. One process has it at a time (exclusive locking, so that no shared
memory file is needed). A damaged spool is refused, never repaired silently.

Beside it the file `reserved` holds a number that no used sequence number reaches. A device whose spool was lost goes on
from there: the sink shows a gap, and never sees a number twice.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device.sealer.core import Head, SealedEvent
from device.sealer.errors import SpoolError, SpoolFullError
from identity.errors import KeysError
from identity.files import PRIVATE_FILE, read_private, write_private
from wire.envelope import MAX_SEQUENCE

_FORMAT = 1
_RESERVE_NUMBERS = 4096
_HEALTH_RESERVE_BYTES = 64 * 1024  # kept free so that a full spool can still say so
_BUSY_SECONDS = 3.0
_SCHEMA = """
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, device_id TEXT NOT NULL,
                   sequence INTEGER NOT NULL, previous BLOB NOT NULL) STRICT;
CREATE TABLE envelope (sequence INTEGER PRIMARY KEY, sealed BLOB NOT NULL, digest BLOB NOT NULL) STRICT;
CREATE TABLE sealed_verdict (run_id TEXT NOT NULL, verdict_id TEXT NOT NULL, PRIMARY KEY (run_id, verdict_id))
    STRICT, WITHOUT ROWID;
"""


class Spool:
    """The open spool of one device.

    Args:
        folder: a folder of mode 0700; `spool.db` and `reserved` are made in it when missing.
        device_id: whose envelopes these are; a spool of another device is refused.
        run_id: the run whose verdict ids are remembered. Those of earlier runs are forgotten.
        max_bytes: how many bytes of envelopes it may hold.

    Raises:
        SpoolError: damaged, of another device, in use by another process, or not writable.
        SpoolFullError: the disk is full.
    """

    def __init__(self, folder: Path, *, device_id: str, run_id: str, max_bytes: int) -> None:
        self.path = folder / "spool.db"
        self._reserved_path = folder / "reserved"
        self._run_id = run_id
        self._max_bytes = max_bytes
        self._head = Head()
        self._bytes = self._waiting = 0
        with self._trouble():
            self._reserved = self._read_reserved()
            new = not self.path.exists()
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE))
            self._db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                self._open(device_id, new=new)
            except BaseException:
                self._db.close()
                raise

    @property
    def head(self) -> Head:
        """Where the chain goes on."""
        return self._head

    @property
    def waiting(self) -> int:
        """How many envelopes wait for their receipts."""
        return self._waiting

    def add(self, sealed: SealedEvent, once: str | None) -> None:
        """Store an envelope at the head, durably, with the id of the verdict in it (None: a health event).

        `once` may also be the mark of another event that a run seals once. Marks have capitals, verdict ids have none.

        Raises:
            SpoolFullError: there is no room (the last 64 KiB are for health events), on the disk or by `max_bytes`.
            SpoolError: the disk fails.
        """
        room = self._max_bytes - (_HEALTH_RESERVE_BYTES if once is not None else 0)
        if self._bytes + len(sealed.data) > room:
            raise SpoolFullError("spool_full")
        with self._trouble():
            if sealed.sequence >= self._reserved:
                self._reserve(sealed.sequence + _RESERVE_NUMBERS)
            with self._transaction():
                self._db.execute("INSERT INTO envelope VALUES (?, ?, ?)", (sealed.sequence, sealed.data, sealed.digest))
                self._db.execute(
                    "UPDATE head SET sequence = ?, previous = ?", (sealed.next.sequence, sealed.next.previous)
                )
                if once is not None:
                    self._db.execute("INSERT INTO sealed_verdict VALUES (?, ?)", (self._run_id, once))
        self._head = sealed.next
        self._bytes += len(sealed.data)
        self._waiting += 1

    def has(self, once: str) -> bool:
        """Whether the verdict, or what has this mark, was sealed in this run already."""
        with self._trouble():
            row = self._db.execute(
                "SELECT 1 FROM sealed_verdict WHERE run_id = ? AND verdict_id = ?", (self._run_id, once)
            ).fetchone()
        return row is not None

    def after(self, sequence: int, limit: int) -> list[tuple[int, bytes]]:
        """The next `limit` waiting envelopes above a sequence number: (sequence, sealed bytes)."""
        with self._trouble():
            return self._db.execute(
                "SELECT sequence, sealed FROM envelope WHERE sequence > ? ORDER BY sequence LIMIT ?", (sequence, limit)
            ).fetchall()

    def get(self, sequence: int) -> bytes | None:
        """A waiting envelope; None where there is none of this number."""
        with self._trouble():
            row = self._db.execute("SELECT sealed FROM envelope WHERE sequence = ?", (sequence,)).fetchone()
        return row[0] if row else None

    def remove(self, sequence: int, digest: bytes) -> bool:
        """Forget an envelope that the sink has, if its digest is this. False: there is no such envelope."""
        with self._trouble():
            row = self._db.execute(
                "DELETE FROM envelope WHERE sequence = ? AND digest = ? RETURNING length(sealed)", (sequence, digest)
            ).fetchall()
        if not row:
            return False
        self._bytes -= row[0][0]
        self._waiting -= 1
        return True

    def close(self) -> None:
        """Close it; what is stored is stored already."""
        self._db.close()

    def _open(self, device_id: str, *, new: bool) -> None:
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY"):
            self._db.execute(f"PRAGMA {pragma}")
        if not new and self._db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check")
        with self._transaction():
            if not self._db.execute("SELECT 1 FROM sqlite_schema").fetchone():
                self._create(device_id)
            head = self._db.execute("SELECT format, device_id, sequence, previous FROM head").fetchone()
            if head is None or head[0] != _FORMAT:
                raise sqlite3.DatabaseError("head")
            if head[1] != device_id:
                raise SpoolError("spool_foreign")
            self._db.execute("DELETE FROM sealed_verdict WHERE run_id <> ?", (self._run_id,))
        self._head = Head(head[2], head[3])
        if self._reserved < self._head.sequence + _RESERVE_NUMBERS // 2:
            self._reserve(self._head.sequence + _RESERVE_NUMBERS)
        for sequence, sealed, digest in self._db.execute("SELECT sequence, sealed, digest FROM envelope"):
            if hashlib.sha256(sealed).digest() != digest or sequence >= self._head.sequence:
                raise sqlite3.DatabaseError("envelope")
            self._bytes += len(sealed)
            self._waiting += 1

    def _create(self, device_id: str) -> None:
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        head = Head(self._reserved)
        self._db.execute("INSERT INTO head VALUES (1, ?, ?, ?, ?)", (_FORMAT, device_id, head.sequence, head.previous))

    def _read_reserved(self) -> int:
        if not self._reserved_path.exists():
            return 0
        text = read_private(self._reserved_path, 32)
        if not text.strip().isdigit() or int(text) > MAX_SEQUENCE - _RESERVE_NUMBERS:
            raise sqlite3.DatabaseError("reserved")
        return int(text)

    def _reserve(self, number: int) -> None:
        write_private(self._reserved_path, b"%d\n" % number)
        self._reserved = number

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        """An error of the database or the disk -> SpoolError or SpoolFullError."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without its extension
            if code == sqlite3.SQLITE_FULL:
                raise SpoolFullError("disk_full") from None
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise SpoolError("spool_in_use") from None
            if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise SpoolError("spool_unwritable") from None
            raise SpoolError("spool_damaged") from None
        except KeysError:
            raise SpoolError("spool_unwritable") from None
        except OSError as error:
            raise SpoolError("spool_unusable", error.errno or 0) from None
