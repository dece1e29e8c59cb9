"""The spool: sealed envelopes on disk until their receipts are verified, and the head of the device's chain.

SQLite with a rollback journal and full synchronisation: an envelope, the head after it and the id of the verdict in it
become durable in one transaction or not at all. One process has it at a time (exclusive locking). A damaged spool is
refused, never repaired silently.

A disk without room: forgetting an envelope takes none, and some is kept for reports (`reserve`). A write that is
refused changes nothing, uses no number up, and may be tried again. What could not be stored is counted in here too, in
place, so that the count outlives the run.

Beside it the file `reserved` holds a number that no used sequence number reaches. A device whose spool was lost goes on
from there: the sink shows a gap, and never sees a number twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device.sealer import addressees, ledger, reserve
from device.sealer.core import Head, Identity, SealedEvent
from device.sealer.errors import SpoolError, SpoolFullError, SpoolRefusedError
from device.sealer.gap import NO_GAP, Gap
from device.sealer.settings import SealerSettings
from device.sealer.trouble import trouble
from identity.files import PRIVATE_FILE, read_private, write_private
from wire.envelope import MAX_SEQUENCE

_FORMAT = 1
_RESERVE_NUMBERS = 4096
_HEALTH_RESERVE_BYTES = 64 * 1024  # kept free so that a full spool can still say so
_BUSY_SECONDS = 3.0
_PAGE_BYTES = 4096
_BEGAN = ("BEGAN:", "WAITED:")
"""Marks that a number follows: the head's sequence number, and how many envelopes waited, when this run began."""
_SCHEMA = (
    """
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, device_id TEXT NOT NULL,
                   sequence INTEGER NOT NULL, previous BLOB NOT NULL) STRICT;
CREATE TABLE envelope (sequence INTEGER PRIMARY KEY, sealed BLOB NOT NULL, digest BLOB NOT NULL) STRICT;
CREATE TABLE sealed_verdict (run_id TEXT NOT NULL, verdict_id TEXT NOT NULL, PRIMARY KEY (run_id, verdict_id))
    STRICT, WITHOUT ROWID;
"""
    + addressees.TABLE
)


class Spool:
    """The open spool of one device.

    Args:
        folder: a folder of mode 0700; `spool.db` and `reserved` are made in it when missing.
        device_id: whose envelopes these are; a spool of another device is refused.
        run_id: the run whose verdict ids are remembered. Those of earlier runs are forgotten.
        max_bytes: how many bytes of envelopes it may hold.
        sink_key: SHA-256 of the receiver's key for which this run seals. What was sealed for another stays and is not
            given out.

    Attributes:
        lost: what was counted as lost and not yet reported when it was opened, of earlier runs too.
        lost_in_this_run: the part of it that this run lost before sealer was restarted in it.

    Raises:
        SpoolError: damaged, of another device, in use by another process, or not writable.
        SpoolFullError: the disk is full, and the spool is new or was never opened while there was room.
    """

    def __init__(self, folder: Path, *, device_id: str, run_id: str, max_bytes: int, sink_key: bytes) -> None:
        self.path = folder / "spool.db"
        self._folder = folder
        self._reserved_path = folder / "reserved"
        self._run_id = run_id
        self._max_bytes = max_bytes
        self._sink_key = sink_key
        self._sealed_for: bytes | None = None  # the key of the newest envelopes, as far as it is known
        self._addressed = False
        self._head = Head()
        self._bytes = self._waiting = self._held = 0
        self._unsure = self._counts = self._whole = False
        self.lost = self.lost_in_this_run = NO_GAP
        with trouble(folder):
            self._reserved = self._read_reserved()
            new = not self.path.exists()
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE))
            self._db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                self._open(device_id, new=new)
            except BaseException:
                self._db.close()
                raise
        self._began = (self._head.sequence, self._waiting)
        for extra in (self._forget_earlier_runs, self._make_addressees, self._make_ledger, self._keep_reserve):
            with contextlib.suppress(SpoolRefusedError):  # goes without, and again when there is room
                extra()

    @property
    def head(self) -> Head:
        """Where the chain goes on."""
        return self._head

    @property
    def waiting(self) -> int:
        """How many envelopes wait for their receipts."""
        return self._waiting

    @property
    def held(self) -> int:
        """How many of them were sealed for another receiver's key: they are not given out."""
        return self._held

    @property
    def sealed(self) -> int:
        """How many envelopes this run has stored, over all its sealers."""
        return self._head.sequence - self._began[0]

    @property
    def removed(self) -> int:
        """How many envelopes this run has forgotten, those of earlier runs too, over all its sealers."""
        return max(0, self._began[1] + self.sealed - self._waiting)

    def add(self, sealed: SealedEvent, once: str | None) -> None:
        """Store an envelope at the head, durably, with the id of the verdict in it (None: a health event).

        `once` may also be the mark of another event that a run seals once. Marks have capitals, verdict ids have none.

        Raises:
            SpoolFullError: there is no room (the last 64 KiB are for health events), on the disk or by `max_bytes`.
            SpoolRefusedError: the disk refuses otherwise. Call `refresh` before the next envelope is sealed.
            SpoolError: the database is damaged.
        """
        self._check_room(sealed, _HEALTH_RESERVE_BYTES if once is not None else 0)
        with self._writing():
            self._insert(sealed)
            if once is not None:
                self._db.execute("INSERT INTO sealed_verdict VALUES (?, ?)", (self._run_id, once))
        self._stored(sealed)
        if not self._whole:
            with contextlib.suppress(SpoolRefusedError):
                self._keep_reserve()

    def add_report(self, sealed: SealedEvent, *, told: bool = False, waiting: Gap = NO_GAP, leave: int = 0) -> None:
        """Store what sealer itself has to report: as `add`, and in the room that is kept where the disk is full.

        `told`: it reports all that is lost, which is counted no longer from the same transaction on; `waiting` is.
        `leave`: for how many more important reports room is to be left.
        """
        self._check_room(sealed, 0)
        try:
            self._add_report(sealed, told=told, waiting=waiting, spend=None)
        except SpoolFullError:
            self.refresh()
            self._add_report(sealed, told=told, waiting=waiting, spend=leave)

    def note(self, lost: Gap, waiting: Gap) -> None:
        """Count durably, without new room, what is lost, and what will be if this run ends now. Raises as `add`."""
        if not self._counts:
            self._make_ledger()
        with self._writing():
            ledger.note(self._db, self._run_id, lost.bounded(), waiting.bounded())

    def refresh(self) -> None:
        """After a refusal: see where the chain stands, since a write that failed may be done. Raises as `add`."""
        if self._unsure:
            with trouble(self._folder):
                self._look()
            self._unsure = False

    def has(self, once: str) -> bool:
        """Whether the verdict, or what has this mark, was sealed in this run already."""
        with trouble(self._folder):
            row = self._db.execute(
                "SELECT 1 FROM sealed_verdict WHERE run_id = ? AND verdict_id = ?", (self._run_id, once)
            ).fetchone()
        return row is not None

    def after(self, sequence: int, limit: int) -> list[tuple[int, bytes]]:
        """The next `limit` waiting envelopes above a sequence number: (sequence, sealed bytes), for this key alone."""
        with trouble(self._folder):
            return self._db.execute(
                addressees.AFTER if self._addressed else addressees.AFTER_ALL,
                {"above": sequence, "limit": limit, "sink_key": self._sink_key},
            ).fetchall()

    def get(self, sequence: int) -> bytes | None:
        """A waiting envelope; None where there is none of this number."""
        with trouble(self._folder):
            row = self._db.execute("SELECT sealed FROM envelope WHERE sequence = ?", (sequence,)).fetchone()
        return row[0] if row else None

    def remove(self, sequence: int, digest: bytes) -> bool:
        """Forget an envelope that the sink has, if its digest is this. False: there is no such envelope.

        Takes no room on the disk. Raises as `add`.
        """
        with self._writing():
            row = self._db.execute(
                "DELETE FROM envelope WHERE sequence = ? AND digest = ? RETURNING length(sealed)", (sequence, digest)
            ).fetchall()
        if not row:
            return False
        self._bytes -= row[0][0]
        self._waiting -= 1
        if self._held:
            with trouble(self._folder):
                self._held = addressees.held(self._db, self._sink_key)
        return True

    def close(self) -> None:
        """Close it; what is stored is stored already."""
        self._db.close()

    # --- writing ----------------------------------------------------------------------------------------------------

    def _check_room(self, sealed: SealedEvent, kept: int) -> None:
        if self._bytes + len(sealed.data) > self._max_bytes - kept:
            raise SpoolFullError("spool_full")
        if sealed.sequence >= self._reserved:
            with trouble(self._folder):
                self._reserve(sealed.sequence + _RESERVE_NUMBERS)

    def _add_report(self, sealed: SealedEvent, *, told: bool, waiting: Gap, spend: int | None) -> None:
        with self._writing():
            if spend is not None and not (self._counts and reserve.spend(self._db, spend)):
                raise SpoolFullError("disk_full")
            self._insert(sealed)
            if self._counts and told:
                ledger.note(self._db, self._run_id, NO_GAP, waiting)
        self._whole = self._whole and spend is None
        self._stored(sealed)

    def _insert(self, sealed: SealedEvent) -> None:
        if self._addressed and self._sealed_for != self._sink_key:
            addressees.note(self._db, sealed.sequence, self._sink_key)
        self._db.execute("INSERT INTO envelope VALUES (?, ?, ?)", (sealed.sequence, sealed.data, sealed.digest))
        self._db.execute("UPDATE head SET sequence = ?, previous = ?", (sealed.next.sequence, sealed.next.previous))

    def _stored(self, sealed: SealedEvent) -> None:
        self._head = sealed.next
        self._sealed_for = self._sink_key
        self._bytes += len(sealed.data)
        self._waiting += 1

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with trouble(self._folder):
            try:
                with self._transaction():
                    yield
            except sqlite3.Error:
                self._unsure = True
                raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # --- opening ----------------------------------------------------------------------------------------------------

    def _open(self, device_id: str, *, new: bool) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        if not new and self._db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check")
        for pragma in ("journal_mode = PERSIST", "synchronous = FULL", "temp_store = MEMORY", "secure_delete = OFF"):
            self._db.execute(f"PRAGMA {pragma}")
        largest, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        if largest != resource.RLIM_INFINITY:  # told as a full disk before the kernel refuses in the middle of a write
            self._db.execute(f"PRAGMA max_page_count = {max(1, largest // _PAGE_BYTES)}")
        if not self._db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            with self._transaction():
                self._create(device_id)
        head = self._db.execute("SELECT format, device_id FROM head").fetchone()
        if head is None or head[0] != _FORMAT:
            raise sqlite3.DatabaseError("head")
        if head[1] != device_id:
            raise SpoolError("spool_foreign")
        self._db.execute("SELECT run_id, verdict_id FROM sealed_verdict LIMIT 1")  # is it there?
        self._look()
        self.lost, self.lost_in_this_run = ledger.recall(self._db, self._run_id)
        for sequence, sealed, digest in self._db.execute("SELECT sequence, sealed, digest FROM envelope"):
            if hashlib.sha256(sealed).digest() != digest or sequence >= self._head.sequence:
                raise sqlite3.DatabaseError("envelope")

    def _look(self) -> None:
        """Where the chain stands, and how much waits."""
        self._head = Head(*self._db.execute("SELECT sequence, previous FROM head").fetchone())
        self._waiting, self._bytes = self._db.execute(
            "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM envelope"
        ).fetchone()
        self._addressed = addressees.known(self._db)
        if self._addressed:
            self._sealed_for = addressees.last(self._db)
            self._held = addressees.held(self._db, self._sink_key)

    def _create(self, device_id: str) -> None:
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        head = Head(self._reserved)
        self._db.execute("INSERT INTO head VALUES (1, ?, ?, ?, ?)", (_FORMAT, device_id, head.sequence, head.previous))

    def _forget_earlier_runs(self) -> None:
        """And remember where this one began, or recall it where its sealer was started again."""
        with self._writing():
            self._db.execute("DELETE FROM sealed_verdict WHERE run_id <> ?", (self._run_id,))
            began = [self._remember_once(mark, now) for mark, now in zip(_BEGAN, self._began, strict=True)]
        self._began = (began[0], began[1])

    def _remember_once(self, mark: str, number: int) -> int:
        """The number that this run has remembered under a mark; this one, from now on, where there is none."""
        row = self._db.execute(
            "SELECT CAST(substr(verdict_id, ?) AS INTEGER) FROM sealed_verdict WHERE run_id = ? AND verdict_id GLOB ?",
            (len(mark) + 1, self._run_id, f"{mark}*"),
        ).fetchone()
        if row is None:
            self._db.execute("INSERT INTO sealed_verdict VALUES (?, ?)", (self._run_id, f"{mark}{number}"))
        return number if row is None else int(row[0])

    def _make_addressees(self) -> None:
        """In the spool of an earlier version. What it holds is sealed for a key that is not known."""
        if not self._addressed:
            with self._writing():
                self._db.execute(addressees.TABLE)
            self._addressed, self._sealed_for = True, None

    def _make_ledger(self) -> None:
        with self._writing():
            self._db.execute(reserve.TABLE)
            ledger.make(self._db, self._run_id)
            ledger.note(self._db, self._run_id, self.lost, NO_GAP)
        self._counts = True

    def _keep_reserve(self) -> None:
        """Keep, while there is room, what deleting and reporting take, and the next sequence numbers."""
        with trouble(self._folder):
            if self._reserved < self._head.sequence + _RESERVE_NUMBERS // 2:
                self._reserve(self._head.sequence + _RESERVE_NUMBERS)
            reserve.keep_journal(self.path.with_name("spool.db-journal"))
        if not self._counts:
            self._make_ledger()
        with trouble(self._folder):
            missing = reserve.ROWS - reserve.rows(self._db)
        for _ in range(missing):
            with self._writing():
                reserve.add_row(self._db)
        self._whole = True

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


def opened(folder: Path, identity: Identity, settings: SealerSettings) -> Spool:
    """The spool of a run. Raises as `Spool`."""
    return Spool(
        folder,
        device_id=identity.device_id,
        run_id=settings.run_id,
        max_bytes=settings.max_bytes,
        sink_key=identity.sink_key.digest,
    )
