"""What the receiver accepts and refuses, with real keys, real envelopes and a real database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sink.archive import Archive
from cloud_sink.chain import Span
from cloud_sink.errors import StoreError
from cloud_sink.receiver import Accepted, Receiver, Refused
from cloud_sink.simulator import PretendDevice, PublishedEnvelope, SimulatedFleet, health, verdict
from cloud_sink.store import Store
from wire import cose, receipt, topics
from wire.sink_key import SinkPrivateKey


@pytest.fixture(scope="module")
def world() -> SimulatedFleet:
    return SimulatedFleet()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "sink.db") as opened:
        yield opened


@pytest.fixture
def archive(store: Store) -> Archive:
    return Archive(store.path)


@pytest.fixture
def camera(world: SimulatedFleet) -> PretendDevice:
    return world.enrol("cam-one")


@pytest.fixture
def receiver(world: SimulatedFleet, store: Store) -> Receiver:
    return world.receiver(store)


def give(receiver: Receiver, message: PublishedEnvelope) -> Accepted | Refused:
    return receiver.handle(message.topic, message.sealed)


def test_an_honest_envelope_is_stored_and_its_receipt_names_it(
    world: SimulatedFleet, receiver: Receiver, archive: Archive, camera: PretendDevice
) -> None:
    message = camera.seal(verdict("CONTRADICTED", class_id=14, perceived_class_id=5))
    decision = give(receiver, message)
    assert isinstance(decision, Accepted)
    assert decision.new
    proof = receipt.verify(decision.receipt, world.keys.receipts.public_key())
    assert (proof.device_id, proof.sequence, proof.digest) == ("cam-one", 0, message.digest)
    stored = archive.verdict(decision.row_id)
    assert stored is not None
    assert stored.event == verdict("CONTRADICTED", class_id=14, perceived_class_id=5)
    assert archive.link_holds(stored) is True


def test_a_health_event_is_stored_beside_the_verdicts(
    receiver: Receiver, archive: Archive, camera: PretendDevice
) -> None:
    give(receiver, camera.seal(health("tamper", "indicator")))
    assert [stored.event.kind for stored in archive.health(device_id="cam-one")] == ["tamper"]
    assert archive.verdicts() == []


def test_the_same_bytes_again_are_receipted_again_and_stored_once(
    receiver: Receiver, archive: Archive, camera: PretendDevice
) -> None:
    message = camera.seal(verdict())
    first, again = give(receiver, message), give(receiver, message)
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert not again.new
    assert (again.row_id, again.receipt) == (first.row_id, first.receipt)
    assert len(archive.verdicts()) == 1


def test_a_crash_between_store_and_receipt_ends_with_a_receipt(
    world: SimulatedFleet, store: Store, archive: Archive, camera: PretendDevice
) -> None:
    message = camera.seal(verdict())
    lost = give(world.receiver(store), message)  # stored, but the process dies before the receipt goes out
    with Store(store.path) as reopened:
        after_restart = give(world.receiver(reopened), message)  # the broker or the device sends it again
    assert isinstance(lost, Accepted)
    assert isinstance(after_restart, Accepted)
    assert not after_restart.new
    assert len(archive.verdicts()) == 1


def test_another_envelope_under_a_used_sequence_number_is_refused(
    receiver: Receiver, archive: Archive, camera: PretendDevice
) -> None:
    give(receiver, camera.seal(verdict("FORGED")))
    second_story = camera.seal(verdict("VERIFIED"), sequence=0)
    assert give(receiver, second_story) == Refused("cam-one", "equivocation")
    assert [stored.event.state for stored in archive.verdicts()] == ["FORGED"]


def test_an_envelope_that_another_key_signed_is_forged(receiver: Receiver, camera: PretendDevice) -> None:
    thief = Ed25519PrivateKey.generate()
    signed_by_thief = camera.seal(verdict(), signing_key=thief)
    named_by_thief = camera.seal(verdict(), signing_key=thief, device_kid=cose.key_id(thief.public_key()))
    assert give(receiver, signed_by_thief) == Refused("cam-one", "forged")
    assert give(receiver, named_by_thief) == Refused("cam-one", "forged")


def test_an_altered_envelope_does_not_open(receiver: Receiver, camera: PretendDevice) -> None:
    message = camera.seal(verdict())
    altered = message.sealed[:-1] + bytes([message.sealed[-1] ^ 1])
    assert receiver.handle(message.topic, altered) == Refused("cam-one", "unreadable")


def test_an_envelope_for_another_sink_does_not_open(receiver: Receiver, camera: PretendDevice) -> None:
    elsewhere = camera.seal(verdict(), sink_key=SinkPrivateKey.generate().public)
    assert give(receiver, elsewhere) == Refused("cam-one", "unreadable")


def test_an_envelope_moved_to_another_devices_topic_is_refused(
    world: SimulatedFleet, receiver: Receiver, camera: PretendDevice
) -> None:
    world.enrol("cam-two")
    message = camera.seal(verdict())
    assert receiver.handle(topics.envelope_topic("cam-two"), message.sealed) == Refused("cam-two", "malformed")


def test_a_device_that_is_not_enrolled_is_refused_without_keeping_its_name(
    world: SimulatedFleet, receiver: Receiver, archive: Archive
) -> None:
    for number in range(5):
        assert give(receiver, world.stranger(f"cam-{number}x").seal(verdict())) == Refused("", "unknown_device")
    receiver.settle()
    assert [(row.device_id, row.reason, row.count) for row in archive.tallies()] == [("", "unknown_device", 5)]


@pytest.mark.parametrize(
    "topic",
    [
        "sealcam/v1/../envelope",
        "sealcam/v1/<b>x</b>/envelope",
        "sealcam/v1/cam-one/receipt",
        "sealcam/v1/cam-one/envelope/",
        "sealcam/v1/cam-one\x00/envelope",
        "sealcam/v1/sink/envelope",
        "",
        "a" * 70_000,
    ],
)
def test_a_topic_that_is_not_a_devices_is_malformed(receiver: Receiver, camera: PretendDevice, topic: str) -> None:
    assert receiver.handle(topic, camera.seal(verdict()).sealed) == Refused("", "malformed")


@pytest.mark.parametrize("sealed", [b"", b"\x00", b"\xff" * 40_000, b"<script>alert(1)</script>", b"\x9f" * 1000])
def test_bytes_that_are_no_envelope_are_malformed(receiver: Receiver, camera: PretendDevice, sealed: bytes) -> None:
    assert receiver.handle(topics.envelope_topic("cam-one"), sealed) == Refused("cam-one", "malformed")


@pytest.mark.parametrize("event", [b"\x00", b"not cbor at all", bytes(8000)])
def test_a_signed_event_out_of_its_bounds_is_refused(
    receiver: Receiver, archive: Archive, camera: PretendDevice, event: bytes
) -> None:
    assert give(receiver, camera.seal(event)) == Refused("cam-one", "bad_event")
    assert archive.last_row() == 0


def test_a_gap_is_shown_until_the_late_envelope_fills_it(
    receiver: Receiver, archive: Archive, camera: PretendDevice
) -> None:
    messages = [camera.seal(verdict()) for _ in range(5)]
    for number in (4, 0, 1):
        give(receiver, messages[number])
    (device,) = archive.devices()
    assert device.gaps == (Span(2, 3),)
    assert device.breaks == ()
    for number in (3, 2):
        give(receiver, messages[number])
    (device,) = archive.devices()
    assert device.gaps == ()
    assert device.breaks == ()
    assert device.envelopes == 5


def test_an_envelope_that_does_not_continue_the_envelope_before_breaks_the_chain_in_any_order(
    world: SimulatedFleet, receiver: Receiver, archive: Archive
) -> None:
    for order, name in (((0, 1, 2), "cam-up"), ((2, 1, 0), "cam-down")):
        camera = world.enrol(name)
        messages = [camera.seal(verdict()), camera.seal(verdict(), previous=b"\x07" * 32), camera.seal(verdict())]
        for number in order:
            give(receiver, messages[number])
    assert [device.breaks for device in archive.devices()] == [(1,), (1,)]


def test_a_chain_that_does_not_begin_at_the_beginning_is_broken(
    receiver: Receiver, archive: Archive, camera: PretendDevice
) -> None:
    give(receiver, camera.seal(verdict(), previous=b"\x01" * 32))
    (device,) = archive.devices()
    assert device.breaks == (0,)


def test_a_device_at_the_end_of_its_sequence_numbers_costs_nothing(
    receiver: Receiver, archive: Archive, camera: PretendDevice
) -> None:
    give(receiver, camera.seal(verdict(), sequence=2**53))
    (device,) = archive.devices()
    assert device.gaps == (Span(0, 2**53 - 1),)


def test_refusals_are_counted_per_device_and_reason_and_written_down_together(
    world: SimulatedFleet, receiver: Receiver, store: Store, archive: Archive, camera: PretendDevice
) -> None:
    message = camera.seal(verdict())
    give(receiver, message)
    for _ in range(3):
        give(receiver, message)
        receiver.handle(message.topic, b"rubbish")
    assert archive.tallies() == []
    world.now_ms += 1000
    assert receiver.settle()
    assert not receiver.settle()
    assert {(row.device_id, row.reason): row.count for row in archive.tallies()} == {
        ("cam-one", "duplicate"): 3,
        ("cam-one", "malformed"): 3,
    }


def test_what_cannot_be_stored_gets_no_receipt_and_is_stored_when_it_comes_again(
    world: SimulatedFleet, archive: Archive, camera: PretendDevice
) -> None:
    message = camera.seal(verdict())
    with Store(archive.path, busy_timeout_s=0.01) as store:
        receiver = world.receiver(store)
        with closing(sqlite3.connect(archive.path, isolation_level=None)) as hoarder:
            hoarder.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StoreError, match="cannot write"):
                give(receiver, message)
            with pytest.raises(StoreError):
                receiver.settle()
        decision = give(receiver, message)
        assert isinstance(decision, Accepted)
        assert decision.new
        receiver.settle()
    assert [row.reason for row in archive.tallies()] == ["not_stored"]
