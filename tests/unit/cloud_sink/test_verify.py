"""`verify` finds each change to what was stored, by itself, and says it in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sink.archive import Archive
from cloud_sink.simulator import PretendDevice, PublishedEnvelope, SimulatedFleet, health, verdict
from cloud_sink.store import Arrival, Store
from cloud_sink.verify import SENTENCES, ChainFinding, Finding, TableFinding, verify
from tests.support.sink_samples import accepted, changed
from wire import cose, events, topics
from wire.sink_key import SinkPrivateKey


class Bench:
    """A database, and envelopes that get into it past the receiver."""

    def __init__(self, store: Store) -> None:
        self.store, self.world = store, SimulatedFleet()
        self.camera = self.world.enrol("cam-one")

    def report(self, camera: PretendDevice | None = None, **otherwise: object) -> None:
        message = (camera or self.camera).seal(verdict(), **otherwise)
        accepted(self.world.receiver(self.store), message)

    def smuggle(self, message: PublishedEnvelope, **otherwise: object) -> None:
        """Store what no receiver would, with digest and links as if it were in order."""
        fields: dict[str, object] = {
            "device_id": "cam-one",
            "sequence": message.sequence,
            "digest": message.digest,
            "previous": bytes(32),
            "boot_id": bytes(range(16)),
            "sealed": message.sealed,
            "event_bytes": events.to_cbor(verdict()),
            "event": verdict(),
            "received_ms": 1,
            **otherwise,
        }
        self.store.add(Arrival(**fields))  # type: ignore[arg-type]

    def found(self, devices: SimulatedFleet | None = None, opening: SinkPrivateKey | None = None) -> list[Finding]:
        archive = Archive(self.store.path)
        return list(verify(archive, opening or self.world.keys.opening, devices or self.world))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Store(tmp_path / "sink.db") as store:
        yield Bench(store)


def test_what_is_in_order_is_not_found(bench: Bench) -> None:
    for _ in range(3):
        bench.report()
    bench.smuggle(bench.camera.seal(verdict()), previous=bench_previous(bench))
    assert bench.found() == []


def bench_previous(bench: Bench) -> bytes:
    """The digest of the latest stored envelope."""
    return list(Archive(bench.store.path).chain("cam-one"))[-1].digest


@pytest.mark.parametrize(
    ("kept", "missing"), [((1, 2), [(0, 0)]), ((2, 3), [(0, 1)]), ((0, 2), [(1, 1)]), ((0, 4, 8), [(1, 3), (5, 7)])]
)
def test_each_gap_is_found_with_both_its_ends_and_the_link_over_it_is_not_judged(
    bench: Bench, kept: tuple[int, ...], missing: list[tuple[int, int]]
) -> None:
    messages = [bench.camera.seal(verdict()) for _ in range(9)]
    for number in kept:
        accepted(bench.world.receiver(bench.store), messages[number])
    assert bench.found() == [ChainFinding("cam-one", "missing", *ends) for ends in missing]


def test_a_link_that_does_not_hold_is_found_where_it_is(bench: Bench) -> None:
    bench.report()
    bench.report(previous=b"\x01" * 32)
    bench.report()
    assert bench.found() == [ChainFinding("cam-one", "broken_link", 1, 1)]


def test_a_first_envelope_that_names_another_before_it_is_a_broken_link(bench: Bench) -> None:
    bench.report(previous=b"\x01" * 32)
    assert bench.found() == [ChainFinding("cam-one", "broken_link", 0, 0)]


def test_a_fork_is_found_when_the_other_branch_was_put_in_afterwards(bench: Bench) -> None:
    bench.report()
    before = bench.camera.previous
    bench.report()
    bench.report()
    fork = bench.camera.seal(health(), sequence=1, previous=before)
    changed(bench.store.path, "DELETE FROM verdict WHERE envelope_id = 2", "DELETE FROM envelope WHERE id = 2")
    bench.smuggle(fork, previous=before, event_bytes=events.to_cbor(health()), event=health())
    first, *rest = bench.found()
    assert first == ChainFinding("cam-one", "broken_link", 2, 2)
    assert [finding.table for finding in rest] == ["span"]


def test_a_device_that_is_not_enrolled_any_more_has_its_links_checked_and_says_so_once(bench: Bench) -> None:
    bench.report()
    bench.report(previous=b"\x01" * 32)
    nobody = SimulatedFleet(bench.world.keys)
    assert bench.found(nobody) == [
        ChainFinding("cam-one", "not_enrolled", 0, 0),
        ChainFinding("cam-one", "broken_link", 1, 1),
    ]


def test_every_device_is_checked(bench: Bench) -> None:
    for name in ("cam-two", "cam-three"):
        bench.report(bench.world.enrol(name), previous=b"\x01" * 32)
    assert [finding.device_id for finding in bench.found()] == ["cam-three", "cam-two"]


THIEF = Ed25519PrivateKey.generate()
ELSEWHERE = SinkPrivateKey.generate()


@pytest.mark.parametrize(
    "otherwise",
    [
        {"signing_key": THIEF},
        {"signing_key": THIEF, "device_kid": cose.key_id(THIEF.public_key())},
        {"sink_key": ELSEWHERE.public},
        {"device_id": "cam-two"},
        {"topic": topics.envelope_topic("cam-two")},
    ],
)
def test_an_envelope_that_is_not_this_devices_or_not_for_this_sink_is_not_authentic(
    bench: Bench, otherwise: dict[str, object]
) -> None:
    bench.smuggle(bench.camera.seal(verdict(), **otherwise))
    assert bench.found() == [ChainFinding("cam-one", "not_authentic", 0, 0)]


def test_with_another_opening_key_nothing_is_authentic(bench: Bench) -> None:
    bench.report()
    assert bench.found(opening=ELSEWHERE) == [ChainFinding("cam-one", "not_authentic", 0, 0)]


def test_an_authentic_envelope_under_another_number_is_changed(bench: Bench) -> None:
    bench.smuggle(bench.camera.seal(verdict(), sequence=5), sequence=0)
    assert bench.found() == [ChainFinding("cam-one", "changed", 0, 0)]


def test_a_stored_link_that_is_not_the_signed_one_is_changed(bench: Bench) -> None:
    bench.smuggle(bench.camera.seal(verdict(), previous=b"\x01" * 32))
    assert bench.found() == [ChainFinding("cam-one", "changed", 0, 0)]


def test_a_stored_event_that_is_not_the_signed_one_is_changed(bench: Bench) -> None:
    bench.smuggle(bench.camera.seal(verdict("FORGED")))
    assert bench.found() == [ChainFinding("cam-one", "changed", 0, 0)]


def test_sealed_bytes_that_are_not_those_of_the_digest_are_changed_and_not_opened(bench: Bench) -> None:
    bench.smuggle(bench.camera.seal(verdict()), digest=b"\x02" * 32)
    assert bench.found() == [ChainFinding("cam-one", "changed", 0, 0)]


def test_of_what_is_erased_the_links_are_checked_still(bench: Bench) -> None:
    for _ in range(3):
        bench.report()
    bench.store.erase(device_id=None, before_ms=None, now_ms=1)
    assert bench.found() == []
    changed(bench.store.path, "UPDATE envelope SET digest = zeroblob(32) WHERE sequence = 1")
    first, *rest = bench.found()
    assert first == ChainFinding("cam-one", "broken_link", 2, 2)
    assert [finding.table for finding in rest] == ["chain_break"]


def test_a_finding_is_a_line_that_names_device_envelopes_and_problem() -> None:
    assert str(ChainFinding("cam-one", "missing", 2, 2)) == f"cam-one: envelope 2 {SENTENCES['missing']}"
    assert str(ChainFinding("cam-one", "missing", 2, 5)) == f"cam-one: envelope 2 to 5 {SENTENCES['missing']}"
    said = "cam-one: envelope 7 says that the device could not store 3 verdicts"
    assert str(ChainFinding("cam-one", "unsealed", 7, 7, "3 verdicts")) == said
    assert set(SENTENCES) == {
        *("missing", "broken_link", "not_enrolled", "changed", "not_authentic", "listed_otherwise", "unsealed")
    }
    assert str(TableFinding("cam-one", "span", "wrong")) == "cam-one: span: wrong"
    assert str(TableFinding("", "trick", "none of ours")) == "the database: trick: none of ours"


# --- every table ------------------------------------------------------------------------------------------------------


ACKNOWLEDGED = "INSERT INTO acknowledgement VALUES (NULL, '{}', '{}', {}, '', 1)"


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE verdict SET state = 'VERIFIED' WHERE envelope_id = 1", "listed_otherwise 0"),
        ("UPDATE verdict SET class_id = 5 WHERE envelope_id = 1", "listed_otherwise 0"),
        ("UPDATE verdict SET device_id = 'cam-two' WHERE envelope_id = 1", "listed_otherwise 0"),
        ("DELETE FROM verdict WHERE envelope_id = 1", "listed_otherwise 0"),
        ("INSERT INTO verdict VALUES (2, 'cam-one', 'FORGED', NULL)", "listed_otherwise 1"),
        ("UPDATE health SET kind = 'alive' WHERE envelope_id = 2", "listed_otherwise 1"),
        ("DELETE FROM health WHERE envelope_id = 2", "listed_otherwise 1"),
        ("INSERT INTO health VALUES (1, 'cam-one', 'alive')", "listed_otherwise 0"),
        ("INSERT INTO health VALUES (99, 'cam-one', 'alive')", "file"),
        ("UPDATE envelope SET boot_id = zeroblob(16) WHERE id = 1", "changed 0"),
        ("UPDATE span SET first = 5 WHERE first = 4", "span"),
        ("UPDATE span SET last = 3 WHERE last = 2", "span"),
        ("DELETE FROM span", "span"),
        ("DELETE FROM chain_break", "chain_break"),
        ("INSERT INTO chain_break VALUES ('cam-one', 1)", "chain_break"),
        ("INSERT INTO device VALUES ('cam-ghost')", "device"),
        ("CREATE TRIGGER trick AFTER INSERT ON verdict BEGIN DELETE FROM verdict; END", "trick"),
        ("CREATE VIEW trick AS SELECT 1", "trick"),
        ("DROP INDEX verdict_by_state", "verdict_by_state"),
        ("DROP TABLE acknowledgement", "acknowledgement"),
        *(
            (ACKNOWLEDGED.format(device, kind, beyond), "acknowledgement")
            for device, kind, beyond in (
                ("cam-one", "verdict.FORGED", 6),
                ("cam-one", "health.tamper", 6),
                ("cam-one", "refused.forged", 1),
                ("cam-one", "device.chain_broken", 2),
                ("cam-one", "device.telemetry_missing", 5),
                ("cam-one", "device.silent", 6),
                ("cam-two", "device.silent", 1),
                ("cam-one", "of.later", 1),
            )
        ),
    ],
)
def test_a_change_to_any_table_that_lists_come_from_is_found(bench: Bench, statement: str, finding: str) -> None:
    for event in (verdict("FORGED"), health("tamper"), verdict()):
        accepted(bench.world.receiver(bench.store), bench.camera.seal(event))
    bench.camera.sequence += 1
    accepted(bench.world.receiver(bench.store), bench.camera.seal(verdict()))
    accepted(bench.world.receiver(bench.store), bench.camera.seal(verdict(), previous=b"\x01" * 32))
    usual = bench.found()
    assert [str(one) for one in usual] == [
        "cam-one: envelope 3 did not arrive",
        f"cam-one: envelope 5 {SENTENCES['broken_link']}",
    ]
    for kind, mark in (("verdict.FORGED", 5), ("device.chain_broken", 1), ("device.telemetry_missing", 4)):
        changed(bench.store.path, ACKNOWLEDGED.format("cam-one", kind, mark))
    assert bench.found() == usual
    changed(bench.store.path, "PRAGMA foreign_keys = OFF", statement)
    fresh = [one for one in bench.found() if one not in usual]
    named = [f"{one.problem} {one.first}" if isinstance(one, ChainFinding) else one.table for one in fresh]
    assert finding in named


def test_what_is_erased_is_in_no_list(bench: Bench) -> None:
    bench.report()
    bench.report()
    bench.store.erase(device_id=None, before_ms=None, now_ms=1)
    changed(bench.store.path, "INSERT INTO verdict VALUES (1, 'cam-one', 'VERIFIED', 14)")
    assert bench.found() == [ChainFinding("cam-one", "listed_otherwise", 0, 0)]
