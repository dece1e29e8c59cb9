"""The database: gaps under any order of arrival, erasure, verification after a change, versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_sink.archive import Archive
from cloud_sink.chain import Span, gaps, joined, listed
from cloud_sink.errors import SchemaError, StoreError
from cloud_sink.receiver import Accepted
from cloud_sink.simulator import PretendDevice, SimulatedFleet, health, verdict
from cloud_sink.stats import stats
from cloud_sink.store import Store
from cloud_sink.verify import ChainFinding, verify
from wire.vocabulary import STATES

Fill = Callable[..., PretendDevice]


@pytest.fixture(scope="module")
def world() -> SimulatedFleet:
    return SimulatedFleet()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sink.db"


@pytest.fixture
def fill(world: SimulatedFleet, path: Path) -> Fill:
    def filled(device_id: str, count: int = 4) -> PretendDevice:
        device = world.enrol(device_id)
        with Store(path) as store:
            receiver = world.receiver(store)
            for number in range(count):
                world.now_ms += 1000
                message = device.seal(verdict(verdict_id=f"v-{number}") if number else health())
                assert isinstance(receiver.handle(message.topic, message.sealed), Accepted)
        return device

    return filled


@given(st.permutations(range(8)), st.sets(st.integers(0, 7)))
def test_gaps_are_what_is_missing_below_the_highest_whatever_the_order(order: list[int], lost: set[int]) -> None:
    spans: dict[int, Span] = {}
    arrived = [number for number in order if number not in lost]
    for number in arrived:
        below = next((span for span in spans.values() if span.last == number - 1), None)
        above = spans.get(number + 1)
        for old in (below, above):
            if old:
                del spans[old.first]
        new = joined(below, number, above)
        spans[new.first] = new
    missing = {
        number
        for gap in gaps(sorted(spans.values(), key=lambda s: s.first))
        for number in range(gap.first, gap.last + 1)
    }
    assert missing == {number for number in range(max(arrived, default=0)) if number not in arrived}


def test_many_gaps_are_named_a_few_and_counted() -> None:
    assert listed([Span(0, 0), Span(2, 5)]) == "0, 2 to 5"
    assert listed([Span(2 * n, 2 * n) for n in range(9)]) == "0, 2, 4, 6 and 5 more"


def test_every_state_that_a_device_may_report_can_be_stored(world: SimulatedFleet, path: Path) -> None:
    device = world.enrol("cam-states")
    with Store(path) as store:
        receiver = world.receiver(store)
        for state in STATES:
            message = device.seal(verdict(state, class_id=None, perceived_class_id=None, code=None, position=None))
            assert isinstance(receiver.handle(message.topic, message.sealed), Accepted)
    assert {stored.event.state for stored in Archive(path).verdicts()} == set(STATES)


def test_the_database_can_be_read_by_its_owner_alone(fill: Fill, path: Path) -> None:
    fill("cam-one")
    assert [found.stat().st_mode & 0o777 for found in path.parent.iterdir()] == [0o600] * len(
        list(path.parent.iterdir())
    )


def test_a_database_of_another_version_is_refused_and_left_alone(path: Path) -> None:
    Store(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(SchemaError, match="version 99"):
        Store(path)
    with pytest.raises(SchemaError):
        Archive(path).verdicts()
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_with_a_sentence(path: Path) -> None:
    path.write_bytes(b"not a database, and longer than a header, " * 30)
    with pytest.raises(StoreError, match="cannot open"):
        Store(path)


def test_a_whole_chain_verifies(world: SimulatedFleet, fill: Fill, path: Path) -> None:
    fill("cam-one")
    fill("cam-two")
    assert list(verify(Archive(path), world.keys.opening, world)) == []


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ("UPDATE envelope SET sealed = zeroblob(1600) WHERE sequence = 1", ["changed"]),
        ("UPDATE envelope SET event = zeroblob(9) WHERE sequence = 1", ["changed"]),
        ("UPDATE envelope SET digest = zeroblob(32) WHERE sequence = 1", ["changed", "broken_link", "chain_break"]),
        ("UPDATE envelope SET previous = zeroblob(32) WHERE sequence = 2", ["broken_link", "changed", "chain_break"]),
        ("DELETE FROM envelope WHERE sequence = 2", ["file", "missing", "span"]),
        ("UPDATE envelope SET sequence = 9 WHERE sequence = 3", ["missing", "changed", "span"]),
    ],
)
def test_a_change_to_the_database_is_found(
    world: SimulatedFleet, fill: Fill, path: Path, change: str, problems: list[str]
) -> None:
    fill("cam-one")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(change)
    found = verify(Archive(path), world.keys.opening, world)
    assert [one.problem if isinstance(one, ChainFinding) else one.table for one in found] == problems


def test_erasing_leaves_the_chain_and_no_content(world: SimulatedFleet, fill: Fill, path: Path) -> None:
    device = fill("cam-one")
    fill("cam-two")
    sealed = [link.sealed for link in Archive(path).chain("cam-one")]
    with Store(path) as store:
        assert store.erase(device_id="cam-one", before_ms=None, now_ms=world.now_ms) == 4
        assert store.erase(device_id="cam-one", before_ms=None, now_ms=world.now_ms) == 0
        content = b"".join(found.read_bytes() for found in path.parent.iterdir())
    archive = Archive(path)
    assert all(bytes_ is not None and bytes_[200:400] not in content for bytes_ in sealed)
    assert {stored.device_id for stored in archive.verdicts()} == {"cam-two"}
    erased = next(facts for facts in archive.devices() if facts.device_id == "cam-one")
    assert (erased.envelopes, erased.gaps, erased.last_received_ms, erased.states) == (4, (), None, {})
    assert list(verify(archive, world.keys.opening, world)) == []
    with Store(path) as store:  # the chain goes on, and what was erased stays known as a duplicate
        receiver = world.receiver(store)
        following = device.seal(verdict())
        assert isinstance(receiver.handle(following.topic, following.sealed), Accepted)
        assert sealed[1] is not None
        again = receiver.handle(following.topic, sealed[1])
        assert isinstance(again, Accepted)
        assert not again.new
    assert list(verify(archive, world.keys.opening, world)) == []


def test_erasing_by_time_erases_what_came_before(world: SimulatedFleet, fill: Fill, path: Path) -> None:
    fill("cam-one")
    with Store(path) as store:
        assert store.erase(device_id=None, before_ms=world.now_ms - 1000, now_ms=world.now_ms) == 2
    assert [stored.sequence for stored in Archive(path).every()] == [2, 3]


def test_verdicts_come_in_pages_in_both_directions(fill: Fill, path: Path) -> None:
    fill("cam-one", 8)
    archive = Archive(path)
    rows = [stored.row_id for stored in archive.verdicts(newest_first=False)]
    assert [stored.row_id for stored in archive.verdicts(after=rows[2], limit=2, newest_first=False)] == rows[3:5]
    assert [stored.row_id for stored in archive.verdicts(before=rows[2], limit=9)] == rows[1::-1]
    assert archive.verdicts(limit=0) == archive.verdicts(limit=-1) == []
    assert archive.verdicts(device_id="' OR 1=1 --") == []
    assert archive.verdict(2**70) is None


def test_stats_count_everything(fill: Fill, path: Path) -> None:
    fill("cam-one")
    found = stats(Archive(path))
    assert found["database_bytes"] > 0
    del found["database_bytes"]
    assert found == {
        "devices": 1,
        "envelopes": 4,
        "verdicts": {"VERIFIED": 3},
        "health": {"started": 1},
        "not_stored": {},
        "missing": 0,
        "breaks": 0,
    }
