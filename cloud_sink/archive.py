"""The database, reading side: what the page, the API and the command line ask. Never writes.

Every call opens a read-only connection of its own, so any thread may call; WAL lets it read while the receiver writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from cloud_sink.chain import Span, gaps
from cloud_sink.database_fault import database_fault
from cloud_sink.errors import SchemaError, StoreError
from cloud_sink.store import APPLICATION_ID, BUSY_TIMEOUT_S, SCHEMA_VERSION
from wire import events
from wire.errors import HostileInputError
from wire.events import Event, GapEvent, HealthEvent, VerdictEvent
from wire.vocabulary import HEALTH_KINDS, STATES, HealthKind, StateName, word

MAX_ROWS = 500
MAX_BREAKS_SHOWN = 20
SIGNS_OF_LIFE: Final[tuple[HealthKind, ...]] = ("started", "alive", "stopped")

_Word = TypeVar("_Word", bound=str)
_CHECK_IT = "run `sealcam-sink verify`"

_COLUMNS = "envelope.id, envelope.device_id, sequence, digest, previous, boot_id, length(sealed), event, received_ms"


@dataclass(frozen=True)
class Stored:
    """One stored envelope and the event that was in it. `row_id` is the order of arrival."""

    row_id: int
    device_id: str
    sequence: int
    digest: bytes
    previous: bytes
    boot_id: bytes
    sealed_bytes: int
    event: Event
    received_ms: int


@dataclass(frozen=True)
class StoredVerdict(Stored):
    """A stored envelope that held a verdict."""

    event: VerdictEvent


@dataclass(frozen=True)
class StoredHealth(Stored):
    """A stored envelope that held a health event."""

    event: HealthEvent


_Stored = TypeVar("_Stored", bound=Stored)
_HELD: Final[dict[type[Stored], type[VerdictEvent | HealthEvent]]] = {
    StoredVerdict: VerdictEvent,
    StoredHealth: HealthEvent,
}


@dataclass(frozen=True)
class StoredGroup:
    """The events of one word (a verdict's state, a health event's kind) of one device.

    `open`: how many came after the row that was asked about; `total` counts all, `latest` is the last to arrive.
    """

    device_id: str
    word: str
    total: int
    open: int
    latest: Stored


@dataclass(frozen=True)
class StoredGap(Stored):
    """A stored envelope in which its device says what it could not store."""

    event: GapEvent


@dataclass(frozen=True)
class StoredLink:
    """One link of a device's chain as it is stored; `sealed`, `event` and `boot_id` are None where it is erased.

    `verdict` and `health` are the link's rows in the tables of these names without its number, None where it has none.
    """

    sequence: int
    digest: bytes
    previous: bytes
    sealed: bytes | None
    event: bytes | None
    boot_id: bytes | None
    verdict: tuple[Any, ...] | None
    health: tuple[Any, ...] | None


@dataclass(frozen=True)
class TallyRow:
    """How often something was not stored, and when. `device_id` is '' where no enrolled device can be named."""

    device_id: str
    reason: str
    count: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class DeviceFacts:
    """One device as its envelopes show it. `last_received_ms` is None where its latest envelope is erased."""

    device_id: str
    last_received_ms: int | None
    envelopes: int
    highest_sequence: int
    gaps: tuple[Span, ...]
    breaks: tuple[int, ...]  # at most MAX_BREAKS_SHOWN, the latest
    states: dict[StateName, int]
    health_counts: dict[HealthKind, int]
    latest_health: dict[HealthKind, StoredHealth]
    last_sign_of_life: HealthEvent | None  # the last in the device's chain of SIGNS_OF_LIFE
    break_count: int = 0  # all of them


class Archive:
    """Questions to the database at `path`. Each raises StoreError where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as db:
                db.execute("PRAGMA trusted_schema = OFF")
                (version,) = db.execute("PRAGMA user_version").fetchone()
                (application,) = db.execute("PRAGMA application_id").fetchone()
                if (version, application) != (SCHEMA_VERSION, APPLICATION_ID):
                    raise SchemaError(
                        f"{self.path} is not a database of this Sealcam version",
                        "use the version that wrote it, or name another --home",
                    )
                db.execute("BEGIN")  # one state for all questions of this call
                yield db
        except sqlite3.DatabaseError as error:
            cause, remedy = database_fault(error)
            raise StoreError(f"cannot read {self.path}: {cause}", remedy) from error

    def verdicts(
        self, *, after: int = 0, before: int | None = None, limit: int = 50, newest_first: bool = True,
        states: Sequence[str] = (), device_id: str | None = None,
    ) -> list[StoredVerdict]:  # fmt: skip
        """Verdicts with `after` < row id < `before`, of the given states and device (none given: all)."""
        order = "DESC" if newest_first else "ASC"
        where, arguments = ["envelope.id > ?", "envelope.id < ?"], [after, 2**63 - 1 if before is None else before]
        if states:
            where.append(f"verdict.state IN ({', '.join('?' * len(states))})")
        if device_id is not None:
            where.append("verdict.device_id = ?")
        query = (
            f"SELECT {_COLUMNS} FROM verdict JOIN envelope ON envelope.id = verdict.envelope_id"  # noqa: S608
            f" WHERE {' AND '.join(where)} ORDER BY envelope.id {order} LIMIT ?"
        )
        named = () if device_id is None else (device_id,)
        with self._reading() as db:
            rows = db.execute(query, (*arguments, *states, *named, max(0, min(limit, MAX_ROWS))))
            return [_checked(StoredVerdict, row) for row in rows]

    def groups(
        self, table: Literal["verdict", "health"], words: Sequence[str], after: Mapping[tuple[str, str], int]
    ) -> list[StoredGroup]:
        """The events of `words`, by device and word; `after`: (device, word) -> the row after which they are open."""
        column = "state" if table == "verdict" else "kind"
        query = (
            f"SELECT device_id, {column}, count(*), max(envelope_id) FROM {table}"  # noqa: S608 -- two literals
            f" WHERE {column} IN ({', '.join('?' * len(words))}) GROUP BY device_id, {column}"
        )
        since = f"SELECT count(*) FROM {table} WHERE device_id = ? AND {column} = ? AND envelope_id > ?"  # noqa: S608
        latest = f"SELECT {_COLUMNS} FROM envelope WHERE id = ?"  # noqa: S608
        kind: type[Stored] = StoredVerdict if table == "verdict" else StoredHealth
        found = []
        with self._reading() as db:
            for device_id, word_, total, row_id in db.execute(query, words).fetchall():
                seen = after.get((device_id, word_), 0)
                fresh = db.execute(since, (device_id, word_, seen)).fetchone()[0] if seen else total
                row = db.execute(latest, (row_id,)).fetchone()
                found.append(StoredGroup(device_id, word_, total, fresh, _checked(kind, row)))
        return found

    def verdict(self, row_id: int) -> StoredVerdict | None:
        """One verdict, None where there is none under this row id (any more)."""
        if not 0 < row_id < 2**63 - 1:
            return None
        found = self.verdicts(after=row_id - 1, before=row_id + 1, limit=1)
        return found[0] if found else None

    def link_holds(self, stored: Stored) -> bool | None:
        """Whether `stored` names the digest of the envelope before it; None while that envelope is not here."""
        with self._reading() as db:
            before = db.execute(
                "SELECT digest FROM envelope WHERE device_id = ? AND sequence = ?",
                (stored.device_id, stored.sequence - 1),
            ).fetchone()
            broken = db.execute(
                "SELECT 1 FROM chain_break WHERE device_id = ? AND sequence = ?", (stored.device_id, stored.sequence)
            ).fetchone()
        if broken:
            return False
        return True if before or stored.sequence == 0 else None

    def health(self, *, device_id: str, before: int | None = None, limit: int = 50) -> list[StoredHealth | StoredGap]:
        """The latest health events and gaps of one device with row id < `before`, newest first, without its
        heartbeats."""
        query = (
            f"SELECT {_COLUMNS} FROM health JOIN envelope ON envelope.id = health.envelope_id"  # noqa: S608
            " WHERE health.device_id = ? AND kind <> 'alive' AND envelope.id < ? ORDER BY envelope.id DESC LIMIT ?"
        )
        arguments = (device_id, 2**63 - 1 if before is None else before, min(limit, MAX_ROWS))
        with self._reading() as db:
            return [_health(row) for row in db.execute(query, arguments)]

    def devices(self) -> list[DeviceFacts]:
        """Every device that ever sent something authentic, by name."""
        with self._reading() as db:
            names = [name for (name,) in db.execute("SELECT device_id FROM device ORDER BY device_id")]
            return [_device(db, name) for name in names]

    def tallies(self) -> list[TallyRow]:
        """What was not stored, the latest first."""
        with self._reading() as db:
            query = "SELECT device_id, reason, count, first_ms, last_ms FROM tally ORDER BY last_ms DESC"
            return [TallyRow(*row) for row in db.execute(query)]

    def files(self) -> list[Path]:
        """The database and its write-ahead log, as far as they are there."""
        return [path for path in (self.path, self.path.with_name(f"{self.path.name}-wal")) if path.exists()]

    def last_row(self) -> int:
        """The row id of the latest envelope, 0 where there is none."""
        with self._reading() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM envelope").fetchone()[0])

    def chain(self, device_id: str) -> Iterator[StoredLink]:
        """All of one device's links by sequence number, one at a time. `StoredLink.event` is raw bytes."""
        query = (
            "SELECT sequence, digest, previous, sealed, event, boot_id, verdict.envelope_id, verdict.device_id, state,"
            " class_id, health.envelope_id, health.device_id, kind FROM envelope"
            " LEFT JOIN verdict ON verdict.envelope_id = id LEFT JOIN health ON health.envelope_id = id"
            " WHERE envelope.device_id = ? ORDER BY sequence"
        )
        with self._reading() as db:
            for sequence, digest, previous, sealed, event, boot_id, *listed in db.execute(query, (device_id,)):
                verdict = tuple(listed[1:4]) if listed[0] is not None else None
                health = tuple(listed[5:]) if listed[4] is not None else None
                yield StoredLink(sequence, digest, previous, sealed, event, boot_id, verdict, health)

    def spans(self, device_id: str) -> list[tuple[int, int]]:
        """What the database holds for one device's unbroken runs of sequence numbers, in order."""
        with self._reading() as db:
            return db.execute(
                "SELECT first, last FROM span WHERE device_id = ? ORDER BY first", (device_id,)
            ).fetchall()

    def breaks(self, device_id: str) -> list[int]:
        """What the database holds for the sequence numbers whose links do not hold, in order."""
        query = "SELECT sequence FROM chain_break WHERE device_id = ? ORDER BY sequence"
        with self._reading() as db:
            return [sequence for (sequence,) in db.execute(query, (device_id,))]

    def faults(self) -> list[str]:
        """What SQLite itself finds wrong: damaged pages, rows that refer to no row."""
        with self._reading() as db:
            pages = [text for (text,) in db.execute("PRAGMA integrity_check(20)") if text != "ok"]
            lost = db.execute("PRAGMA foreign_key_check").fetchmany(20)
        return [*pages, *(f"row {row_id} of {table} refers to no row of {to}" for table, row_id, to, _ in lost)]

    def objects(self) -> dict[str, str]:
        """Everything that is defined in the database: name -> SQL, but for what SQLite makes by itself."""
        query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        with self._reading() as db:
            return dict(db.execute(query))

    def device_names(self) -> list[str]:
        """The ids of all devices that ever sent something authentic."""
        with self._reading() as db:
            return [name for (name,) in db.execute("SELECT device_id FROM device ORDER BY device_id")]

    def erasable(self, *, device_id: str | None, before_ms: int | None) -> int:
        """How many envelopes `Store.erase` would erase."""
        query = (
            "SELECT count(*) FROM envelope WHERE erased_ms IS NULL AND (?1 IS NULL OR device_id = ?1)"
            " AND (?2 IS NULL OR received_ms < ?2)"
        )
        with self._reading() as db:
            return int(db.execute(query, (device_id, before_ms)).fetchone()[0])

    def every(self, *, device_id: str | None = None, after: int = 0, limit: int = MAX_ROWS) -> list[Stored]:
        """Envelopes with content, in order of arrival: what an export goes through page by page."""
        query = (
            f"SELECT {_COLUMNS} FROM envelope WHERE id > ?1 AND erased_ms IS NULL"  # noqa: S608
            " AND (?2 IS NULL OR device_id = ?2) ORDER BY id LIMIT ?3"
        )
        with self._reading() as db:
            return [Stored(*_row(row)) for row in db.execute(query, (after, device_id, limit))]


def _row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row of `_COLUMNS`, its event parsed with the same strictness as when it came."""
    event = row[7]
    try:
        parsed = events.parse(event if isinstance(event, bytes) else b"")
    except HostileInputError as error:
        raise StoreError(f"the database is damaged: envelope {row[0]}: {error}", _CHECK_IT) from error
    return (*row[:7], parsed, *row[8:])


def _health(row: tuple[Any, ...]) -> StoredHealth | StoredGap:
    """A row of `_COLUMNS` that the table `health` names. Raises StoreError."""
    parsed = _row(row)
    return StoredGap(*parsed) if isinstance(parsed[7], GapEvent) else _checked(StoredHealth, row)


def _checked(kind: type[_Stored], row: tuple[Any, ...]) -> _Stored:
    """A row of `_COLUMNS` whose event is of the kind that the list says. Raises StoreError."""
    found = kind(*_row(row))
    if not isinstance(found.event, _HELD[kind]):
        raise StoreError(f"the database is damaged: envelope {row[0]} is listed as what it is not", _CHECK_IT)
    return found


def _device(db: sqlite3.Connection, device_id: str) -> DeviceFacts:
    def grouped(table: str, column: str, words: tuple[_Word, ...]) -> dict[_Word, int]:
        query = f"SELECT {column}, count(*) FROM {table} WHERE device_id = ? GROUP BY {column}"  # noqa: S608
        return {known: count for text, count in db.execute(query, (device_id,)) if (known := word(text, words))}

    named = (device_id,)
    spans = [Span(*row) for row in db.execute("SELECT first, last FROM span WHERE device_id = ? ORDER BY first", named)]
    last = db.execute("SELECT received_ms FROM envelope WHERE device_id = ? ORDER BY id DESC LIMIT 1", named).fetchone()
    breaks = db.execute(
        f"SELECT sequence FROM chain_break WHERE device_id = ? ORDER BY sequence DESC LIMIT {MAX_BREAKS_SHOWN}",  # noqa: S608
        named,
    ).fetchall()
    latest = db.execute(
        f"SELECT {_COLUMNS} FROM envelope WHERE id IN"  # noqa: S608
        " (SELECT max(envelope_id) FROM health WHERE device_id = ? GROUP BY kind)",
        named,
    ).fetchall()
    (break_count,) = db.execute("SELECT count(*) FROM chain_break WHERE device_id = ?", named).fetchone()
    health = [stored for row in latest if isinstance(stored := _health(row), StoredHealth)]
    life = db.execute(  # CROSS JOIN: from the chain's end down, so that it ends at the first that fits
        f"SELECT {_COLUMNS} FROM envelope CROSS JOIN health ON health.envelope_id = envelope.id"  # noqa: S608
        f" WHERE envelope.device_id = ? AND kind IN ({', '.join('?' * len(SIGNS_OF_LIFE))})"
        " ORDER BY sequence DESC LIMIT 1",
        (device_id, *SIGNS_OF_LIFE),
    ).fetchone()
    return DeviceFacts(
        device_id=device_id,
        last_received_ms=last[0] if last else None,
        envelopes=sum(span.count for span in spans),
        highest_sequence=spans[-1].last if spans else 0,
        gaps=tuple(gaps(spans)),
        breaks=tuple(sequence for (sequence,) in breaks),
        states=grouped("verdict", "state", STATES),
        health_counts=grouped("health", "kind", HEALTH_KINDS),
        latest_health={stored.event.kind: stored for stored in health},
        last_sign_of_life=_checked(StoredHealth, life).event if life else None,
        break_count=break_count,
    )
