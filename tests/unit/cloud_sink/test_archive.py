"""The reading side: each question with its order, its bounds and its filters, and a database that is not as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud_sink.archive import (
    MAX_BREAKS_SHOWN,
    MAX_ROWS,
    Archive,
    Stored,
    StoredHealth,
    StoredLink,
    StoredVerdict,
    TallyRow,
)
from cloud_sink.chain import Span
from cloud_sink.errors import StoreError
from cloud_sink.receiver import Receiver
from cloud_sink.simulator import EPOCH_MS, PretendDevice, SimulatedFleet, health, verdict
from cloud_sink.stats import stats
from cloud_sink.store import Store, Tally
from tests.support.sink_samples import accepted, changed
from wire import envelope, events
from wire.events import HealthEvent, VerdictEvent


class Bench:
    """A database with its receiver and two cameras; a second passes with each report."""

    def __init__(self, store: Store) -> None:
        self.store, self.world = store, SimulatedFleet()
        self.receiver: Receiver = self.world.receiver(store)
        self.camera, self.other = self.world.enrol("cam-one"), self.world.enrol("cam-two")
        self.archive = Archive(store.path)

    def report(
        self, event: VerdictEvent | HealthEvent, camera: PretendDevice | None = None, **otherwise: object
    ) -> int:
        self.world.now_ms += 1000
        return accepted(self.receiver, (camera or self.camera).seal(event, **otherwise)).row_id

    def copies(self, count: int) -> None:
        """`count` more rows like the first one, each with the next sequence number."""
        with closing(sqlite3.connect(self.store.path)) as db, db:
            db.executemany(
                "INSERT INTO envelope (device_id, sequence, digest, previous, boot_id, sealed, event, received_ms)"
                " SELECT device_id, ?, digest, previous, boot_id, sealed, event, received_ms FROM envelope"
                " WHERE id = 1",
                [(number,) for number in range(1, count + 1)],
            )
            for copy in (
                "INSERT INTO verdict SELECT envelope.id, first.device_id, state, class_id FROM envelope,"
                " verdict AS first WHERE first.envelope_id = 1 AND envelope.id > 1",
                "INSERT INTO health SELECT envelope.id, first.device_id, kind FROM envelope,"
                " health AS first WHERE first.envelope_id = 1 AND envelope.id > 1",
            ):
                db.execute(copy)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Store(tmp_path / "sink.db") as store:
        yield Bench(store)


def rows(found: list[StoredVerdict] | list[StoredHealth] | list[Stored]) -> list[int]:
    return [stored.row_id for stored in found]


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_stored_verdict_has_all_that_came_with_it(bench: Bench) -> None:
    bench.report(health())
    before = bench.camera.previous
    message = bench.camera.seal(verdict())
    bench.world.now_ms += 5
    accepted(bench.receiver, message)
    assert bench.archive.verdicts() == [
        StoredVerdict(
            row_id=2,
            device_id="cam-one",
            sequence=1,
            digest=message.digest,
            previous=before,
            boot_id=bytes(range(16)),
            sealed_bytes=len(message.sealed),
            event=verdict(),
            received_ms=EPOCH_MS + 1005,
        )
    ]


def test_verdicts_lie_strictly_between_two_rows_newest_first_unless_asked_otherwise(bench: Bench) -> None:
    for _ in range(5):
        bench.report(verdict())
    archive = bench.archive
    assert rows(archive.verdicts()) == [5, 4, 3, 2, 1]
    assert rows(archive.verdicts(after=2, before=5)) == [4, 3]
    assert rows(archive.verdicts(after=2, newest_first=False)) == [3, 4, 5]
    assert rows(archive.verdicts(before=0)) == []
    assert rows(archive.verdicts(limit=1)) == [5]
    assert archive.verdicts(limit=0) == archive.verdicts(limit=-1) == []


def test_verdicts_of_some_states_and_of_one_device(bench: Bench) -> None:
    for state, camera in (("FORGED", None), ("VERIFIED", bench.other), ("MISSING", None), ("VERIFIED", None)):
        bench.report(verdict(state), camera)
    archive = bench.archive
    assert rows(archive.verdicts(states=["FORGED", "MISSING"])) == [3, 1]
    assert rows(archive.verdicts(device_id="cam-one")) == [4, 3, 1]
    assert rows(archive.verdicts(states=["VERIFIED"], device_id="cam-two")) == [2]


def test_fifty_are_given_unasked_and_five_hundred_at_most(bench: Bench) -> None:
    bench.report(verdict())
    bench.copies(MAX_ROWS)
    assert MAX_ROWS == 500
    assert len(bench.archive.verdicts()) == 50
    assert len(bench.archive.verdicts(limit=499)) == 499
    assert len(bench.archive.verdicts(limit=501)) == 500
    assert len(bench.archive.every()) == 500
    assert rows(bench.archive.every(after=499)) == [500, 501]


def test_health_too_is_fifty_unasked_and_five_hundred_at_most(bench: Bench) -> None:
    bench.report(health("restarted", "codes"))
    bench.copies(MAX_ROWS)
    assert len(bench.archive.health(device_id="cam-one")) == 50
    assert len(bench.archive.health(device_id="cam-one", limit=501)) == 500


def test_one_verdict_by_its_row_and_none_for_a_row_that_is_no_verdicts(bench: Bench) -> None:
    bench.report(verdict(verdict_id="v-1"))
    bench.report(health())
    bench.report(verdict(verdict_id="v-3"))
    found = bench.archive.verdict(1), bench.archive.verdict(3)
    assert [stored and stored.event.verdict_id for stored in found] == ["v-1", "v-3"]
    for row in (-1, 0, 2, 4, 2**63 - 2, 2**63 - 1, 2**63):
        assert bench.archive.verdict(row) is None


# --- the chain --------------------------------------------------------------------------------------------------------


def test_a_link_holds_is_broken_or_is_not_known_yet(bench: Bench) -> None:
    bench.report(verdict())
    bench.report(verdict(), bench.other)
    bench.report(verdict())
    bench.report(verdict(), previous=bytes(32))
    bench.camera.sequence += 1
    bench.report(verdict())
    held = {stored.row_id: bench.archive.link_holds(stored) for stored in bench.archive.verdicts()}
    assert held == {1: True, 2: True, 3: True, 4: False, 5: None}


def test_the_first_link_can_be_broken_too(bench: Bench) -> None:
    bench.report(verdict(), previous=b"\x01" * 32)
    (stored,) = bench.archive.verdicts()
    assert bench.archive.link_holds(stored) is False


def test_the_chain_is_given_by_number_whatever_the_order_of_arrival(bench: Bench) -> None:
    first, second, boot = bench.camera.seal(verdict()), bench.camera.seal(health()), bench.camera.boot_id
    bench.report(verdict(), bench.other)
    for message in (second, first):
        accepted(bench.receiver, message)
    assert list(bench.archive.chain("cam-one")) == [
        StoredLink(
            *(0, first.digest, envelope.FIRST_PREVIOUS, first.sealed, events.to_cbor(verdict()), boot),
            verdict=("cam-one", "VERIFIED", 14),
            health=None,
        ),
        StoredLink(
            *(1, second.digest, first.digest, second.sealed, events.to_cbor(health()), boot),
            verdict=None,
            health=("cam-one", "started"),
        ),
    ]
    assert bench.archive.device_names() == ["cam-one", "cam-two"]


# --- devices ----------------------------------------------------------------------------------------------------------


def test_a_devices_facts_are_its_own(bench: Bench) -> None:
    bench.report(health("started", "sealer", detail="camera"))
    bench.report(verdict("FORGED"))
    bench.report(verdict())
    bench.report(verdict())
    bench.report(health("restarted", "codes", detail="first"))
    bench.report(health("restarted", "perception", detail="second"))
    bench.camera.sequence += 2
    bench.report(verdict(), previous=bytes(32))
    bench.report(health("tamper", "indicator", detail="closed"), bench.other)
    one, two = bench.archive.devices()
    assert (one.device_id, one.envelopes, one.highest_sequence) == ("cam-one", 7, 8)
    assert one.last_received_ms == EPOCH_MS + 7000
    assert one.gaps == (Span(6, 7),)
    assert one.states == {"FORGED": 1, "VERIFIED": 3}
    assert one.health_counts == {"started": 1, "restarted": 2}
    assert {kind: stored.event.detail for kind, stored in one.latest_health.items()} == {
        "started": "camera",
        "restarted": "second",
    }
    assert one.last_sign_of_life == health("started", "sealer", detail="camera")
    assert (two.device_id, two.envelopes, two.highest_sequence, two.gaps) == ("cam-two", 1, 0, ())
    assert (two.states, two.last_sign_of_life, two.last_received_ms) == ({}, None, EPOCH_MS + 8000)


@pytest.mark.parametrize("kind", ["started", "alive", "stopped"])
def test_each_of_three_words_is_a_sign_of_life_and_the_last_in_the_chain_counts(bench: Bench, kind: str) -> None:
    late = bench.camera.seal(health("alive" if kind == "started" else "started", "sealer", detail="early"))
    bench.report(health(kind, "sealer"))
    bench.report(health("restarted", "codes"))
    accepted(bench.receiver, late)
    (facts,) = bench.archive.devices()
    assert facts.last_sign_of_life == health(kind, "sealer")


def test_the_latest_twenty_breaks_are_shown_the_latest_first(bench: Bench) -> None:
    assert MAX_BREAKS_SHOWN == 20
    for _ in range(22):
        bench.report(verdict(), previous=b"\x05" * 32)
    (facts,) = bench.archive.devices()
    assert facts.breaks == tuple(range(21, 1, -1))


def test_the_health_log_is_one_devices_newest_first_and_without_heartbeats(bench: Bench) -> None:
    for kind, camera in (
        ("started", None),
        ("alive", None),
        ("restarted", None),
        ("restarted", bench.other),
        ("stopped", None),
    ):
        bench.report(health(kind), camera)
    log = bench.archive.health(device_id="cam-one")
    assert [stored.event.kind for stored in log] == ["stopped", "restarted", "started"]
    assert rows(bench.archive.health(device_id="cam-one", limit=1)) == [5]


# --- counts -----------------------------------------------------------------------------------------------------------


def test_tallies_come_the_latest_first(bench: Bench) -> None:
    bench.store.add_tallies({("cam-one", "forged"): Tally(2, 10, 20), ("", "malformed"): Tally(1, 5, 30)})
    assert bench.archive.tallies() == [
        TallyRow("", "malformed", 1, 5, 30),
        TallyRow("cam-one", "forged", 2, 10, 20),
    ]


def test_the_stats_are_sums_over_all_devices(bench: Bench) -> None:
    bench.report(verdict())
    bench.report(verdict("FORGED"), bench.other)
    bench.report(verdict(), bench.other)
    bench.camera.sequence = 4
    bench.report(health(), previous=bytes(32))
    bench.report(health(), bench.other, previous=bytes(32))
    bench.store.add_tallies({("cam-one", "forged"): Tally(2, 1, 1), ("", "forged"): Tally(3, 1, 1)})
    found = stats(bench.archive)
    files = (bench.store.path, bench.store.path.with_name("sink.db-wal"))
    assert found.pop("database_bytes") == sum(file.stat().st_size for file in files)
    assert found == {
        "devices": 2,
        "envelopes": 5,
        "verdicts": {"FORGED": 1, "VERIFIED": 2},
        "health": {"started": 2},
        "not_stored": {"forged": 5},
        "missing": 3,
        "breaks": 1,
    }
    assert list(found["verdicts"]) == ["FORGED", "VERIFIED"]


def test_the_stats_are_in_the_order_of_their_names(bench: Bench) -> None:
    bench.report(verdict())
    bench.report(health("tamper"))
    bench.report(verdict("FORGED"), bench.other)
    bench.report(health("alive"), bench.other)
    bench.store.add_tallies({("", "unreadable"): Tally(1, 1, 9), ("", "bad_event"): Tally(1, 1, 2)})
    found = stats(bench.archive)
    names = [list(found[table]) for table in ("verdicts", "health", "not_stored")]
    assert names == [["FORGED", "VERIFIED"], ["alive", "tamper"], ["bad_event", "unreadable"]]


def test_the_latest_row_is_zero_where_nothing_came(bench: Bench) -> None:
    assert bench.archive.last_row() == 0
    bench.report(verdict())
    bench.report(verdict())
    assert bench.archive.last_row() == 2


def test_the_files_are_the_database_and_its_log_as_far_as_they_are_there(bench: Bench, tmp_path: Path) -> None:
    assert [file.name for file in bench.archive.files()] == ["sink.db", "sink.db-wal"]
    assert Archive(tmp_path / "none.db").files() == []


def test_an_export_goes_through_one_device_page_by_page_and_leaves_out_what_is_erased(bench: Bench) -> None:
    for camera in (None, bench.other, None, None):
        bench.report(verdict(), camera)
    assert rows(bench.archive.every()) == [1, 2, 3, 4]
    assert rows(bench.archive.every(device_id="cam-one", after=1, limit=1)) == [3]
    bench.store.erase(device_id="cam-two", before_ms=None, now_ms=1)
    assert rows(bench.archive.every()) == [1, 3, 4]


# --- what may go wrong ------------------------------------------------------------------------------------------------


def test_the_reading_side_cannot_write(bench: Bench) -> None:
    bench.report(verdict())
    with pytest.raises(StoreError, match="cannot read"), bench.archive._reading() as db:
        db.execute("DELETE FROM verdict")
    assert len(bench.archive.verdicts()) == 1


def test_one_question_sees_one_state_of_the_database(bench: Bench) -> None:
    bench.report(verdict())
    with bench.archive._reading() as db:
        count = "SELECT count(*) FROM envelope"
        before = db.execute(count).fetchone()
        bench.report(verdict())
        assert db.execute(count).fetchone() == before == (1,)
        assert db.execute("PRAGMA trusted_schema").fetchone() == (0,)
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute(count)  # closed with the block


def test_a_path_with_signs_of_a_uri_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a?mode=rw#b c"
    folder.mkdir()
    Store(folder / "sink.db").close()
    assert Archive(folder / "sink.db").last_row() == 0
    monkeypatch.chdir(folder)
    assert Archive(Path("sink.db")).last_row() == 0


@pytest.mark.parametrize("event", ["zeroblob(9)", "'text'"])
def test_a_stored_event_that_is_none_is_damage_with_its_row(bench: Bench, event: str) -> None:
    bench.report(verdict())
    changed(
        bench.store.path,
        f"UPDATE envelope SET event = CAST({event} AS BLOB)",  # noqa: S608
    )
    with pytest.raises(StoreError, match="damaged: envelope 1"):
        bench.archive.verdicts()


def test_an_erased_event_behind_a_verdict_that_stayed_is_damage(bench: Bench) -> None:
    bench.report(verdict())
    changed(
        bench.store.path,
        "UPDATE envelope SET sealed = NULL, event = NULL, boot_id = NULL, received_ms = NULL, erased_ms = 1",
    )
    with pytest.raises(StoreError, match="damaged"):
        bench.archive.verdicts()
