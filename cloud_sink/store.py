"""The database, writing side: one transaction per envelope, and the receipt may go out when it is committed.

SQLite in WAL mode with `synchronous = FULL`: a commit that has returned is on the disk, whatever fails next. In
`serve` only the receiving thread writes; the page reads through `archive.Archive`, on connections of its own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType

from cloud_sink.chain import FIRST_SEQUENCE, Span, joined
from cloud_sink.database_fault import database_fault
from cloud_sink.errors import SchemaError, StoreError
from wire.envelope import FIRST_PREVIOUS
from wire.events import Event, GapEvent, HealthEvent, VerdictEvent
from wire.vocabulary import STATES, HealthKind

SCHEMA_VERSION = 1  # raise it with the states of wire.vocabulary too: they are in a CHECK
APPLICATION_ID = 0x5EA1CA4D
BUSY_TIMEOUT_S = 5.0
MAX_TALLY = 2**53  # a device says itself how much it lost, and may say the same each minute
UNSEALED: HealthKind = "unsealed"
UNSEALED_VERDICTS, UNSEALED_HEALTH = "unsealed_verdicts", "unsealed_health"
"""The reasons under which the tallies have what devices said that they could not store."""
_SCHEMA = Path(__file__).with_name("schema.sql")
_ADDED = Path(__file__).with_name("acknowledged.sql")
"""A table that came after version 1 and that nothing else refers to: made in older databases too, without a version."""


@dataclass(frozen=True)
class Arrival:
    """One envelope that has passed every check, as it is to be stored."""

    device_id: str
    sequence: int
    digest: bytes  # SHA-256 of `sealed`
    previous: bytes
    boot_id: bytes
    sealed: bytes
    event_bytes: bytes
    event: Event
    received_ms: int


class StoreOutcome(Enum):
    """What became of an arrival."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # these very bytes are already stored
    CONFLICT = "conflict"  # other bytes are stored under this sequence number


@dataclass(frozen=True)
class AddResult:
    """The outcome, and the row that holds the envelope (None on a conflict)."""

    outcome: StoreOutcome
    row_id: int | None


@dataclass(frozen=True)
class Tally:
    """How often a reason came up since the counts were last written down."""

    count: int
    first_ms: int
    last_ms: int


def schema() -> str:
    """The SQL that makes an empty database."""
    return _SCHEMA.read_text("utf-8").replace("{STATES}", ", ".join(f"'{state}'" for state in STATES))


def defined() -> dict[str, str]:
    """Everything that a sound database has defined in it: name -> SQL."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(schema() + _ADDED.read_text("utf-8"))
        return dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"))


class Store:
    """The writing connection. Not for use from two threads at once. Raises StoreError where the database fails."""

    def __init__(self, path: Path, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """Open `path`, made with mode 0600 if it is not there. Raises StoreError, SchemaError.

        `busy_timeout_s`: how long to wait for another writer, such as `sealcam-sink erase`.
        """
        self.path = path
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, timeout=busy_timeout_s, check_same_thread=False)
            self._prepare()
        except StoreError:
            raise
        except (OSError, sqlite3.Error) as error:
            cause, remedy = database_fault(error)
            raise StoreError(f"cannot open the database {path}: {cause}", remedy) from error

    def _prepare(self) -> None:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",  # what is erased is overwritten
            "trusted_schema = OFF",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if (version, application, tables) == (0, 0, 0):
            self._db.executescript(
                f"BEGIN IMMEDIATE; {schema()}"
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        elif (version, application) != (SCHEMA_VERSION, APPLICATION_ID):
            raise SchemaError(
                f"{self.path} is not a database of this Sealcam version (found version {version}, wanted "
                f"{SCHEMA_VERSION})",
                "move it away, or use the version that wrote it",
            )
        if not self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'acknowledgement'").fetchone():
            self._db.executescript(f"BEGIN IMMEDIATE; {_ADDED.read_text('utf-8')} COMMIT;")

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was added is on the disk already."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise  # a constraint that a parsed value cannot break: our bug, and it must be seen
            cause, remedy = database_fault(error)
            raise StoreError(f"cannot write to {self.path}: {cause}", remedy) from error

    def add(self, arrival: Arrival) -> AddResult:
        """Store `arrival` once. When this returns STORED or DUPLICATE it is durable. Raises StoreError."""
        with self._transaction() as db:
            known = db.execute(
                "SELECT id, digest FROM envelope WHERE device_id = ? AND sequence = ?",
                (arrival.device_id, arrival.sequence),
            ).fetchone()
            if known is not None:
                row_id, digest = known
                return (
                    AddResult(StoreOutcome.DUPLICATE, row_id)
                    if digest == arrival.digest
                    else AddResult(StoreOutcome.CONFLICT, None)
                )
            db.execute("INSERT INTO device (device_id) VALUES (?) ON CONFLICT DO NOTHING", (arrival.device_id,))
            row_id = _insert(db, arrival)
            _extend_spans(db, arrival.device_id, arrival.sequence)
            _check_links(db, arrival)
            return AddResult(StoreOutcome.STORED, row_id)

    def add_tallies(self, tallies: Mapping[tuple[str, str], Tally]) -> None:
        """Add to the tallies, keyed by (device id or '', reason). Raises StoreError."""
        with self._transaction() as db:
            _add_tallies(db, tallies)

    def erase(self, *, device_id: str | None, before_ms: int | None, now_ms: int) -> int:
        """Erase the content of envelopes of `device_id` and received before `before_ms` (None: any); return how many.

        Tombstones keep the sequence numbers and digests. The freed pages are overwritten and the write-ahead log is
        emptied. Raises StoreError, also where a running reader keeps the log from being emptied.
        """
        where = "erased_ms IS NULL AND (?1 IS NULL OR device_id = ?1) AND (?2 IS NULL OR received_ms < ?2)"
        with self._transaction() as db:
            doomed = db.execute(f"SELECT id FROM envelope WHERE {where}", (device_id, before_ms)).fetchall()  # noqa: S608
            db.executemany("DELETE FROM verdict WHERE envelope_id = ?", doomed)
            db.executemany("DELETE FROM health WHERE envelope_id = ?", doomed)
            db.executemany(
                "UPDATE envelope SET sealed = NULL, event = NULL, boot_id = NULL, received_ms = NULL, erased_ms = ?"
                " WHERE id = ?",
                [(now_ms, row_id) for (row_id,) in doomed],
            )
        (busy, _, _) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(
                f"erased, but a reader keeps old pages in {self.path}-wal", "stop `serve` and run it again"
            )
        return len(doomed)


def _insert(db: sqlite3.Connection, arrival: Arrival) -> int:
    row_id = db.execute(
        "INSERT INTO envelope (device_id, sequence, digest, previous, boot_id, sealed, event, received_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            arrival.device_id,
            arrival.sequence,
            arrival.digest,
            arrival.previous,
            arrival.boot_id,
            arrival.sealed,
            arrival.event_bytes,
            arrival.received_ms,
        ),
    ).lastrowid
    if row_id is None:
        raise StoreError("the database gave no row number", "check it with `sealcam-sink verify`")
    match arrival.event:
        case VerdictEvent() as verdict:
            db.execute(
                "INSERT INTO verdict (envelope_id, device_id, state, class_id) VALUES (?, ?, ?, ?)",
                (row_id, arrival.device_id, verdict.state, verdict.class_id),
            )
        case HealthEvent() as health:
            db.execute(
                "INSERT INTO health (envelope_id, device_id, kind) VALUES (?, ?, ?)",
                (row_id, arrival.device_id, health.kind),
            )
        case GapEvent() as gap:
            _insert_gap(db, row_id, arrival, gap)
    return row_id


def _insert_gap(db: sqlite3.Connection, row_id: int, arrival: Arrival, gap: GapEvent) -> None:
    """A gap stands among the device's health under its own word; what it counts, among what was not stored."""
    db.execute(
        "INSERT INTO health (envelope_id, device_id, kind) VALUES (?, ?, ?)", (row_id, arrival.device_id, UNSEALED)
    )
    counts = {UNSEALED_VERDICTS: gap.verdicts, UNSEALED_HEALTH: gap.health}
    at = arrival.received_ms
    _add_tallies(db, {(arrival.device_id, why): Tally(n, at, at) for why, n in counts.items() if n})


def _add_tallies(db: sqlite3.Connection, tallies: Mapping[tuple[str, str], Tally]) -> None:
    db.executemany(
        "INSERT INTO tally (device_id, reason, count, first_ms, last_ms) VALUES (?1, ?2, min(?3, ?6), ?4, ?5)"
        " ON CONFLICT DO UPDATE SET count = min(count + excluded.count, ?6), last_ms = excluded.last_ms",
        [(*key, tally.count, tally.first_ms, tally.last_ms, MAX_TALLY) for key, tally in tallies.items()],
    )


def _extend_spans(db: sqlite3.Connection, device_id: str, sequence: int) -> None:
    def run(column: str, value: int) -> Span | None:
        row = db.execute(
            f"SELECT first, last FROM span WHERE device_id = ? AND {column} = ?",  # noqa: S608 -- two literals below
            (device_id, value),
        ).fetchone()
        return Span(*row) if row else None

    below, above = run("last", sequence - 1), run("first", sequence + 1)
    for old in (below, above):
        if old:
            db.execute("DELETE FROM span WHERE device_id = ? AND first = ?", (device_id, old.first))
    new = joined(below, sequence, above)
    db.execute("INSERT INTO span (device_id, first, last) VALUES (?, ?, ?)", (device_id, new.first, new.last))


def _check_links(db: sqlite3.Connection, arrival: Arrival) -> None:
    """Check the links to the envelope before and from the envelope after, as far as those envelopes are here."""

    def neighbour(column: str, sequence: int) -> bytes | None:
        row = db.execute(
            f"SELECT {column} FROM envelope WHERE device_id = ? AND sequence = ?",  # noqa: S608 -- two literals below
            (arrival.device_id, sequence),
        ).fetchone()
        return bytes(row[0]) if row else None

    before = FIRST_PREVIOUS if arrival.sequence == FIRST_SEQUENCE else neighbour("digest", arrival.sequence - 1)
    broken = [arrival.sequence] if before is not None and before != arrival.previous else []
    named_by_next = neighbour("previous", arrival.sequence + 1)
    if named_by_next is not None and named_by_next != arrival.digest:
        broken.append(arrival.sequence + 1)
    db.executemany(
        "INSERT INTO chain_break (device_id, sequence) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(arrival.device_id, sequence) for sequence in broken],
    )
