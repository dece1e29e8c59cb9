"""The database fails in the middle, is full, locked, foreign or not durable: nothing half stored, and usable again."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cloud_sink.archive import Archive
from cloud_sink.chain import Span
from cloud_sink.database_fault import database_fault
from cloud_sink.errors import SchemaError, SetupError, StoreError
from cloud_sink.simulator import SimulatedFleet, health, verdict
from cloud_sink.store import SCHEMA_VERSION, AddResult, Arrival, Store, StoreOutcome, Tally
from tests.support.full_disk import files_up_to
from tests.support.sink_samples import accepted, asked, changed
from wire.envelope import FIRST_PREVIOUS

TABLES = ("device", "envelope", "verdict", "health", "span", "chain_break", "tally")


def arrival(sequence: int = 0, **fields: object) -> Arrival:
    made = Arrival(
        device_id="cam-one",
        sequence=sequence,
        digest=bytes([sequence + 1]) * 32,
        previous=bytes([sequence]) * 32,
        boot_id=bytes(16),
        sealed=b"sealed",
        event_bytes=b"event",
        event=verdict(),
        received_ms=1000 + sequence,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sink.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path, busy_timeout_s=0.05) as made:
        yield made


def stored(path: Path) -> dict[str, int]:
    return {table: asked(path, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}  # noqa: S608


# --- how it is opened -------------------------------------------------------------------------------------------------


def test_a_new_database_carries_our_mark_and_version(store: Store, path: Path) -> None:
    assert asked(path, "PRAGMA application_id") == [(0x5EA1CA4D,)] == [(1_587_661_389,)]
    assert asked(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_committed_is_durable_and_what_is_erased_is_overwritten(store: Store) -> None:
    settings = {
        name: store._db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
    }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
    }


def test_another_writer_is_waited_for_as_long_as_is_said_and_five_seconds_unasked(store: Store, path: Path) -> None:
    assert store._db.execute("PRAGMA busy_timeout").fetchone() == (50,)
    with Store(path) as other, Archive(path)._reading() as reading:
        assert other._db.execute("PRAGMA busy_timeout").fetchone() == (5000,)
        assert reading.execute("PRAGMA busy_timeout").fetchone() == (5000,)


@pytest.mark.parametrize(
    "changes",
    [
        [f"PRAGMA user_version = {SCHEMA_VERSION + 1}"],
        ["PRAGMA user_version = 0"],
        ["PRAGMA application_id = 1587661388"],
        ["PRAGMA application_id = 0"],
        ["PRAGMA application_id = 0", "PRAGMA user_version = 0"],  # tables, and no mark: another program's
    ],
)
def test_a_database_that_is_not_ours_in_one_respect_is_refused_by_both_sides(path: Path, changes: list[str]) -> None:
    Store(path).close()
    changed(path, *changes)
    before = path.read_bytes()
    with pytest.raises(SchemaError, match="not a database of this Sealcam version"):
        Store(path)
    with pytest.raises(SchemaError, match="not a database of this Sealcam version"):
        Archive(path).last_row()
    assert path.read_bytes() == before


def test_a_database_that_is_opened_again_keeps_what_it_has(path: Path) -> None:
    with Store(path) as first:
        first.add(arrival())
    with Store(path) as second:
        assert second.add(arrival()) == AddResult(StoreOutcome.DUPLICATE, 1)


def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    for bad in (tmp_path, tmp_path / "missing" / "sink.db"):
        with pytest.raises(StoreError, match="cannot open the database") as refusal:
            Store(bad)
        assert not isinstance(refusal.value, SetupError | SchemaError)
    with pytest.raises(StoreError, match="cannot read"):
        Archive(tmp_path / "missing.db").last_row()


def test_a_folder_and_a_file_of_something_else_each_have_their_remedy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r": is a directory; see what is at that path"):
        Store(tmp_path)
    other = tmp_path / "other.db"
    other.write_bytes(b"this is no database at all, however long it is " * 20)
    for use in (lambda: Store(other), lambda: Archive(other).last_row()):
        with pytest.raises(StoreError, match=r": file is not a database; move that file away, or name another --home"):
            use()


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (sqlite3.SQLITE_READONLY, "mounted read-only"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "mounted read-only"),
        (sqlite3.SQLITE_FULL, "free some space"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "end the other program"),
        (sqlite3.SQLITE_IOERR_FSYNC, "check its disk"),
        (0, "check its disk"),
    ],
)
def test_what_sqlite_says_has_the_remedy_of_its_kind(code: int, remedy: str) -> None:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    cause, said = database_fault(error)
    assert cause == "what SQLite says" and remedy in said


def test_the_receiving_thread_may_write_what_the_main_thread_opened(store: Store) -> None:
    thread = threading.Thread(target=store.add, args=(arrival(),))
    thread.start()
    thread.join()
    assert store.add(arrival()).outcome is StoreOutcome.DUPLICATE


def test_a_closed_store_writes_no_more(path: Path) -> None:
    with Store(path) as store:
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        store.add(arrival())


# --- in the middle of a transaction -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["ABORT", "FAIL", "ROLLBACK"])
@pytest.mark.parametrize("table", ["device", "envelope", "verdict", "span", "chain_break"])
def test_a_fault_at_any_step_leaves_nothing_and_is_seen(store: Store, path: Path, way: str, table: str) -> None:
    changed(path, f"CREATE TRIGGER fault BEFORE INSERT ON {table} BEGIN SELECT RAISE({way}, 'our own bug'); END")
    with pytest.raises(sqlite3.IntegrityError, match="our own bug"):
        store.add(arrival(previous=b"\x07" * 32))
    assert not store._db.in_transaction
    assert stored(path) == dict.fromkeys(TABLES, 0)
    changed(path, "DROP TRIGGER fault")
    assert store.add(arrival()) == AddResult(StoreOutcome.STORED, 1)


def test_a_disk_that_is_full_is_a_sentence_and_the_store_goes_on_when_there_is_room(store: Store, path: Path) -> None:
    store.add(arrival())
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="cannot write to"):
        store.add(arrival(1, sealed=bytes(30_000)))
    assert not store._db.in_transaction
    assert stored(path)["envelope"] == 1
    store._db.execute("PRAGMA max_page_count = 1000000")
    assert store.add(arrival(1, sealed=bytes(30_000))).outcome is StoreOutcome.STORED


def test_a_disk_that_fails_at_the_commit_leaves_nothing(store: Store, path: Path) -> None:
    store.add(arrival())
    with files_up_to(path.with_name("sink.db-wal").stat().st_size + 100):
        with pytest.raises(StoreError, match="cannot write to"):
            store.add(arrival(1))
        assert not store._db.in_transaction
    assert stored(path)["envelope"] == 1
    assert store.add(arrival(1)) == AddResult(StoreOutcome.STORED, 2)


def test_a_file_that_turns_out_to_be_damaged_is_a_sentence_and_no_bug_of_ours(store: Store, path: Path) -> None:
    store.add(arrival())
    (root,) = asked(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'envelope'")[0]
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    store._db.execute("PRAGMA shrink_memory")
    with Store(path) as again, pytest.raises(StoreError, match="cannot write to"):
        again.add(arrival(1))


def test_a_database_that_another_holds_is_waited_for_and_then_told(store: Store, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as hoarder:
        hoarder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.add(arrival())
        with pytest.raises(StoreError, match="locked"):
            store.add_tallies({("", "forged"): Tally(1, 5, 5)})
        with pytest.raises(StoreError, match="locked"):
            store.erase(device_id=None, before_ms=None, now_ms=1)
    assert store.add(arrival()).outcome is StoreOutcome.STORED


def test_a_value_that_breaks_a_constraint_is_our_bug_and_stays_one(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.add(arrival(digest=b"short"))
    assert store.add(arrival()).outcome is StoreOutcome.STORED


# --- storing ----------------------------------------------------------------------------------------------------------


def test_the_same_bytes_are_a_duplicate_and_others_a_conflict(store: Store, path: Path) -> None:
    assert store.add(arrival(0)) == AddResult(StoreOutcome.STORED, 1)
    assert store.add(arrival(1)) == AddResult(StoreOutcome.STORED, 2)
    assert store.add(arrival(1)) == AddResult(StoreOutcome.DUPLICATE, 2)
    assert store.add(arrival(1, digest=b"\x09" * 32)) == AddResult(StoreOutcome.CONFLICT, None)
    assert store.add(arrival(1, device_id="cam-two")) == AddResult(StoreOutcome.STORED, 3)
    assert stored(path) == {**dict.fromkeys(TABLES, 0), "device": 2, "envelope": 3, "verdict": 3, "span": 2}


def test_every_field_is_stored_under_its_name(store: Store, path: Path) -> None:
    store.add(arrival(0))
    store.add(arrival(1, event=health("alive", "sealer")))
    columns = "device_id, sequence, digest, previous, boot_id, sealed, event, received_ms, erased_ms"
    assert asked(path, f"SELECT {columns} FROM envelope WHERE id = 1") == [  # noqa: S608
        ("cam-one", 0, b"\x01" * 32, FIRST_PREVIOUS, bytes(16), b"sealed", b"event", 1000, None)
    ]
    assert asked(path, "SELECT * FROM verdict") == [(1, "cam-one", "VERIFIED", 14)]
    assert asked(path, "SELECT * FROM health") == [(2, "cam-one", "alive")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
def test_runs_of_numbers_grow_at_both_ends_and_join(store: Store, path: Path, order: tuple[int, ...]) -> None:
    store.add(arrival(5))
    for sequence in order:
        store.add(arrival(sequence))
    assert asked(path, "SELECT first, last FROM span ORDER BY first") == [(0, 2), (5, 5)]
    assert asked(path, "SELECT * FROM chain_break") == []
    assert [facts.gaps for facts in Archive(path).devices()] == [(Span(3, 4),)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(("number", "broken"), [(0, [0]), (1, [1])])
def test_only_the_envelope_that_does_not_continue_the_one_before_is_broken(
    store: Store, path: Path, order: tuple[int, ...], number: int, broken: list[int]
) -> None:
    for sequence in order:
        wrong = {"previous": b"\x33" * 32} if sequence == number else {}
        store.add(arrival(sequence, **wrong))
    assert [sequence for (sequence,) in asked(path, "SELECT sequence FROM chain_break")] == broken


def test_one_that_fits_neither_neighbour_breaks_both_links(store: Store, path: Path) -> None:
    store.add(arrival(0))
    store.add(arrival(2))
    store.add(arrival(1, previous=b"\x33" * 32, digest=b"\x44" * 32))
    assert asked(path, "SELECT device_id, sequence FROM chain_break ORDER BY sequence") == [
        ("cam-one", 1),
        ("cam-one", 2),
    ]


def test_tallies_add_up_and_keep_the_first_and_the_last_time(store: Store) -> None:
    store.add_tallies({("cam-one", "forged"): Tally(2, 10, 20), ("", "malformed"): Tally(1, 15, 15)})
    store.add_tallies({("cam-one", "forged"): Tally(3, 30, 40)})
    rows = [(row.device_id, row.reason, row.count, row.first_ms, row.last_ms) for row in Archive(store.path).tallies()]
    assert rows == [("cam-one", "forged", 5, 10, 40), ("", "malformed", 1, 15, 15)]


# --- erasing ----------------------------------------------------------------------------------------------------------


def test_what_is_erased_is_chosen_by_device_and_by_time_before_and_not_at(store: Store, path: Path) -> None:
    for sequence in range(3):
        store.add(arrival(sequence))
    store.add(arrival(0, device_id="cam-two"))
    archive = Archive(path)
    for device_id, before_ms, count in (("cam-one", 1001, 1), (None, 1001, 1), (None, 1000, 0), ("cam-one", None, 2)):
        assert archive.erasable(device_id=device_id, before_ms=before_ms) == count
        assert store.erase(device_id=device_id, before_ms=before_ms, now_ms=7) == count
    left = "SELECT device_id, sealed, event, boot_id, received_ms, erased_ms FROM envelope WHERE sequence = 2"
    assert asked(path, left) == [("cam-one", None, None, None, None, 7)]
    assert stored(path) == {**dict.fromkeys(TABLES, 0), "device": 2, "envelope": 4, "span": 2}


def test_erasing_empties_the_log_and_says_when_a_reader_keeps_it(store: Store, path: Path) -> None:
    log = path.with_name("sink.db-wal")
    store.add(arrival())
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM envelope").fetchone()
        with pytest.raises(StoreError, match="a reader keeps old pages"):
            store.erase(device_id=None, before_ms=None, now_ms=1)
        assert log.stat().st_size > 0
    assert store.erase(device_id=None, before_ms=None, now_ms=1) == 0
    assert log.stat().st_size == 0


def test_health_is_erased_like_verdicts(path: Path) -> None:
    world = SimulatedFleet()
    camera = world.enrol("cam-one")
    with Store(path) as store:
        receiver = world.receiver(store)
        for event in (health(), verdict()):
            accepted(receiver, camera.seal(event))
        store.erase(device_id=None, before_ms=None, now_ms=world.now_ms)
    assert (asked(path, "SELECT * FROM health"), asked(path, "SELECT * FROM verdict")) == ([], [])
