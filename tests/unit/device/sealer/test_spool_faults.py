"""The disk fills, fails, is held by others or lies: the spool says which, stays as it was, and works again after."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from device.channel.messages import Health
from device.sealer import spool as spools
from device.sealer.core import Head, SealedEvent
from device.sealer.errors import SpoolError, SpoolRefusedError
from device.sealer.spool import Spool
from device.sealer.trouble import trouble
from tests.support.full_disk import files_up_to
from wire.envelope import FIRST_PREVIOUS, digest

MIB = 1024 * 1024
RESERVE = 64 * 1024
SOMETHING = Health("restarted", "codes", 1, 1000, "sigkill")


def opened(folder: Path, *, run_id: str = "run-1", device_id: str = "cam-1", max_bytes: int = MIB) -> Spool:
    return Spool(folder, device_id=device_id, run_id=run_id, max_bytes=max_bytes, sink_key=bytes(32))


def sealed(head: Head, data: bytes = b"sealed") -> SealedEvent:
    return SealedEvent(head.sequence, data, digest(data))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return opened(tmp_path)


def changed(folder: Path, *statements: str) -> None:
    """Change the database as somebody with the file in hand can."""
    with closing(sqlite3.connect(folder / "spool.db", isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def works(spool: Spool) -> bool:
    """Whether the spool stores and forgets as ever."""
    head, waiting = spool.head, spool.waiting
    spool.add(sealed(head, b"works"), "v-works")
    stored = (spool.get(head.sequence), spool.has("v-works"), spool.waiting, spool.head.sequence)
    return stored == (b"works", True, waiting + 1, head.sequence + 1) and spool.remove(head.sequence, digest(b"works"))


# --- what is durable --------------------------------------------------------------------------------------------------


def test_the_database_is_durable_alone_with_its_file_and_needs_no_shared_memory(spool: Spool, tmp_path: Path) -> None:
    setting = {
        name: spool._db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "locking_mode", "temp_store", "busy_timeout")
    }
    assert setting == {
        "journal_mode": "persist",
        "synchronous": 2,
        "locking_mode": "exclusive",
        "temp_store": 2,
        "busy_timeout": 3000,
    }
    spool.add(sealed(spool.head), None)
    assert {path.name for path in tmp_path.iterdir()} == {"spool.db", "spool.db-journal", "reserved"}


# --- in the middle of a transaction -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["ABORT", "FAIL", "ROLLBACK"])
@pytest.mark.parametrize("table", ["envelope", "head", "sealed_verdict"])
def test_a_fault_at_any_step_of_storing_leaves_nothing_of_it(
    spool: Spool, tmp_path: Path, way: str, table: str
) -> None:
    event = "UPDATE" if table == "head" else "INSERT"
    spool._db.execute(f"CREATE TRIGGER fault BEFORE {event} ON {table} BEGIN SELECT RAISE({way}, 'fault'); END")
    with pytest.raises(SpoolError, match="damaged"):
        spool.add(sealed(spool.head), "v-1")
    assert (spool.head, spool.waiting, spool.get(0), spool.has("v-1")) == (Head(), 0, None, False)
    spool._db.execute("DROP TRIGGER fault")
    assert works(spool)
    spool.close()
    assert opened(tmp_path).head.sequence == 1


def test_a_disk_that_is_full_when_it_is_committed_leaves_nothing_of_it(spool: Spool, tmp_path: Path) -> None:
    for _ in range(3):
        spool.add(sealed(spool.head), None)
    head = spool.head
    with files_up_to((tmp_path / "spool.db").stat().st_size + 100):
        with pytest.raises(SpoolRefusedError, match="cannot be written"):
            spool.add(sealed(head, bytes(20_000)), "v-1")
        assert (spool.head, spool.waiting, spool.get(3), spool.has("v-1")) == (head, 3, None, False)
    assert works(spool)


def test_a_number_that_cannot_be_reserved_is_not_used(spool: Spool, tmp_path: Path) -> None:
    spool._reserved = 0
    with files_up_to(0), pytest.raises(SpoolError, match="cannot be written"):
        spool.add(sealed(spool.head), "v-1")
    assert (spool.head, spool.waiting, spool.has("v-1")) == (Head(), 0, False)
    assert works(spool)
    assert (tmp_path / "reserved").read_text() == "4096\n"


def test_a_database_that_may_only_be_read_is_told_as_that(spool: Spool) -> None:
    spool.add(sealed(spool.head), "v-1")
    spool._db.execute("PRAGMA query_only = ON")
    with pytest.raises(SpoolError, match="cannot be written"):
        spool.add(sealed(spool.head), "v-2")
    with pytest.raises(SpoolError, match="cannot be written"):
        spool.remove(0, digest(b"sealed"))
    spool._db.execute("PRAGMA query_only = OFF")
    assert (spool.waiting, spool.get(0)) == (1, b"sealed")
    assert works(spool)


def test_a_folder_where_the_log_should_be_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "spool.db-journal").mkdir()
    with pytest.raises(SpoolRefusedError, match="cannot be written"):
        opened(tmp_path)


def test_a_table_that_is_locked_is_told_as_in_use(spool: Spool, tmp_path: Path) -> None:
    for _ in range(2):
        spool.add(sealed(spool.head), None)
    reading = spool._db.execute("SELECT * FROM envelope")
    reading.fetchone()
    with pytest.raises(SpoolError, match="in use"), trouble(tmp_path):
        spool._db.execute("DROP TABLE envelope")


def test_a_refused_spool_is_let_go_of_at_once(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(SpoolError, match="another device") as refusal:
        opened(tmp_path, device_id="cam-2")
    assert works(opened(tmp_path))
    assert refusal.value.__traceback__ is not None  # held until here, and the refused spool with it


# --- a spool that is not as it was left -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM head",
        "UPDATE head SET format = 2",
        "UPDATE head SET format = 0",
        "UPDATE envelope SET sequence = 2 WHERE sequence = 1",  # the head is at 2
        "UPDATE envelope SET sequence = 3 WHERE sequence = 1",
        "UPDATE envelope SET digest = zeroblob(32) WHERE sequence = 1",
        "DROP TABLE sealed_verdict",
    ],
)
def test_each_thing_that_does_not_fit_together_is_a_damaged_spool(tmp_path: Path, change: str) -> None:
    spool = opened(tmp_path)
    for _ in range(2):
        spool.add(sealed(spool.head), None)
    spool.close()
    changed(tmp_path, change)
    with pytest.raises(SpoolError, match="damaged"):
        opened(tmp_path)


def test_what_only_the_databases_own_check_finds_is_a_damaged_spool(tmp_path: Path) -> None:
    opened(tmp_path).close()
    changed(tmp_path, "PRAGMA ignore_check_constraints = ON", "UPDATE head SET one = 2")
    with pytest.raises(SpoolError, match="damaged"):
        opened(tmp_path)


def test_verdict_ids_of_earlier_runs_are_forgotten(tmp_path: Path) -> None:
    spool = opened(tmp_path, run_id="run-1")
    spool.add(sealed(spool.head), "v-1")
    spool.close()
    opened(tmp_path, run_id="run-2").close()
    assert not opened(tmp_path, run_id="run-1").has("v-1")


# --- reserved numbers -------------------------------------------------------------------------------------------------


def reserved(folder: Path, text: str | None = None, *, mode: int = 0o600) -> str:
    """Set the file when a text is given; what it holds."""
    path = folder / "reserved"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    return path.read_text()


def test_a_new_spool_reserves_its_numbers(spool: Spool, tmp_path: Path) -> None:
    assert spools._RESERVE_NUMBERS == 4096
    assert reserved(tmp_path) == "4096\n"


@pytest.mark.parametrize(("left", "then"), [("2048\n", "2048\n"), ("2047\n", "4096\n"), ("1", "4096\n")])
def test_numbers_are_reserved_anew_when_fewer_than_half_are_left(tmp_path: Path, left: str, then: str) -> None:
    opened(tmp_path).close()
    reserved(tmp_path, left)
    opened(tmp_path)
    assert reserved(tmp_path) == then


def test_the_first_number_that_is_not_reserved_reserves_the_next_ones(tmp_path: Path) -> None:
    opened(tmp_path).close()
    reserved(tmp_path, "2048")
    spool = opened(tmp_path)
    spool.add(sealed(Head(2047)), None)
    assert reserved(tmp_path) == "2048"
    spool.add(sealed(Head(2048)), None)
    assert reserved(tmp_path) == "6144\n"
    spool.add(sealed(Head(2049)), None)
    assert reserved(tmp_path) == "6144\n"


def test_a_lost_spool_goes_on_at_the_reserved_number(tmp_path: Path) -> None:
    reserved(tmp_path, " 70000\n")
    assert opened(tmp_path).head == Head(70_000, FIRST_PREVIOUS)
    assert reserved(tmp_path) == "74096\n"


@pytest.mark.parametrize("text", ["", "x", "-1", "1 2", "1e3"])
def test_a_reserved_number_that_is_none_is_damage(tmp_path: Path, text: str) -> None:
    reserved(tmp_path, text)
    with pytest.raises(SpoolError, match="damaged"):
        opened(tmp_path)


def test_a_reserved_number_is_read_up_to_32_bytes_and_from_a_private_file_only(tmp_path: Path) -> None:
    reserved(tmp_path, "7".rjust(32, "0"))
    spool = opened(tmp_path)
    assert spool.head.sequence == 7
    spool.close()
    reserved(tmp_path, "7".rjust(33, "0"))
    with pytest.raises(SpoolError, match="cannot be written"):
        opened(tmp_path)
    reserved(tmp_path, "7", mode=0o644)
    with pytest.raises(SpoolError, match="cannot be written"):
        opened(tmp_path)


@pytest.mark.parametrize("number", [2**53 - 4096 + 1, 2**53 + 1, 2**63, 10**31])
def test_a_reserved_number_that_no_envelope_can_have_is_damage(tmp_path: Path, number: int) -> None:
    reserved(tmp_path, str(number))
    with pytest.raises(SpoolError, match="damaged"):
        opened(tmp_path)
