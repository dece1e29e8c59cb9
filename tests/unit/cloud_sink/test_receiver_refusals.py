"""What the receiver refuses: an honest envelope with one thing changed, each by its own reason, and nothing stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sink.archive import Archive, TallyRow
from cloud_sink.errors import StoreError
from cloud_sink.receiver import DUPLICATE, NOT_STORED, Accepted, Receiver, Refused, SinkKeys
from cloud_sink.simulator import EPOCH_MS, PretendDevice, SimulatedFleet, health, verdict
from cloud_sink.store import Store
from tests.support.sink_samples import accepted
from wire import cbor, cose, envelope, receipt, topics
from wire.envelope import MAX_ENVELOPE_BYTES, MAX_SEQUENCE
from wire.events import HealthEvent
from wire.sink_key import SinkPrivateKey

THIEF = Ed25519PrivateKey.generate()
TOPIC = topics.envelope_topic("cam-one")


@pytest.fixture(scope="module")
def world() -> SimulatedFleet:
    return SimulatedFleet()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "sink.db", busy_timeout_s=0.01) as opened:
        yield opened


@pytest.fixture
def camera(world: SimulatedFleet) -> PretendDevice:
    world.now_ms = EPOCH_MS
    return world.enrol("cam-one")


@pytest.fixture
def receiver(world: SimulatedFleet, store: Store) -> Receiver:
    return world.receiver(store)


@pytest.mark.parametrize(
    ("otherwise", "reason"),
    [
        ({"signing_key": THIEF}, "forged"),
        ({"device_kid": cose.key_id(THIEF.public_key())}, "forged"),
        ({"signing_key": THIEF, "device_kid": cose.key_id(THIEF.public_key())}, "forged"),
        ({"sink_key": SinkPrivateKey.generate().public}, "unreadable"),
        ({"topic": topics.envelope_topic("cam-two")}, "unreadable"),
        ({"device_id": "cam-two"}, "malformed"),
    ],
)
def test_an_envelope_with_one_thing_changed_is_refused_for_it(
    receiver: Receiver, store: Store, camera: PretendDevice, otherwise: dict[str, object], reason: str
) -> None:
    sealed = camera.seal(verdict(), **otherwise).sealed
    assert receiver.handle(TOPIC, sealed) == Refused("cam-one", reason)  # type: ignore[arg-type]
    assert Archive(store.path).last_row() == 0
    receiver.settle()
    assert Archive(store.path).tallies() == [TallyRow("cam-one", reason, 1, EPOCH_MS, EPOCH_MS)]


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_outer_frame_with_one_field_changed_is_refused(
    receiver: Receiver, camera: PretendDevice, place: int
) -> None:
    frame = cbor.decode(camera.seal(verdict()).sealed, max_bytes=MAX_ENVELOPE_BYTES, max_depth=1)
    assert isinstance(frame, list)
    other = [2, "cam-two", 1, b"x"][place]
    sealed = cbor.encode([other if number == place else value for number, value in enumerate(frame)])
    reasons = ("malformed", "malformed", "unreadable", "unreadable")
    assert receiver.handle(TOPIC, sealed) == Refused("cam-one", reasons[place])  # type: ignore[arg-type]


def test_an_envelope_may_have_32_kib_and_a_byte_more_is_malformed(receiver: Receiver, camera: PretendDevice) -> None:
    assert receiver.handle(TOPIC, b"\x00" * (MAX_ENVELOPE_BYTES + 1)) == Refused("cam-one", "malformed")
    assert MAX_ENVELOPE_BYTES == 32_768


def test_the_last_sequence_number_is_taken(receiver: Receiver, store: Store, camera: PretendDevice) -> None:
    assert MAX_SEQUENCE == 2**53
    accepted(receiver, camera.seal(verdict(), sequence=MAX_SEQUENCE))
    assert Archive(store.path).devices()[0].highest_sequence == MAX_SEQUENCE


def test_a_good_envelope_with_an_impossible_event_is_the_devices_fault(
    receiver: Receiver, store: Store, camera: PretendDevice
) -> None:
    message = camera.seal(cbor.encode([3, []]))
    assert receiver.handle(message.topic, message.sealed) == Refused("cam-one", "bad_event")
    assert Archive(store.path).last_row() == 0


def test_a_replay_is_receipted_again_a_fork_is_refused_and_a_gap_is_taken(
    world: SimulatedFleet, receiver: Receiver, store: Store, camera: PretendDevice
) -> None:
    first = camera.seal(verdict())
    before = camera.previous
    second = camera.seal(verdict())
    fork = camera.seal(health(), sequence=1, previous=before)
    later = camera.seal(verdict(), sequence=5)
    taken = [accepted(receiver, message) for message in (first, second)]
    assert [(decision.row_id, decision.new, decision.device_id) for decision in taken] == [
        (1, True, "cam-one"),
        (2, True, "cam-one"),
    ]
    again = accepted(receiver, first)
    assert (again.row_id, again.new, again.receipt) == (1, False, taken[0].receipt)
    assert receiver.handle(fork.topic, fork.sealed) == Refused("cam-one", "equivocation")
    assert accepted(receiver, later).row_id == 3
    proof = receipt.verify(taken[1].receipt, world.keys.receipts.public_key())
    assert proof == receipt.Receipt("cam-one", 1, envelope.digest(second.sealed))
    receiver.settle()
    assert {row.reason: row.count for row in Archive(store.path).tallies()} == {DUPLICATE: 1, "equivocation": 1}


def test_a_retired_device_is_unknown_and_its_name_is_not_kept(
    receiver: Receiver, store: Store, camera: PretendDevice
) -> None:
    message = camera.seal(verdict())
    nobody = SimulatedFleet(SinkKeys(SinkPrivateKey.generate(), Ed25519PrivateKey.generate())).receiver(store)
    assert nobody.handle(message.topic, message.sealed) == Refused("", "unknown_device")
    assert isinstance(receiver.handle(message.topic, message.sealed), Accepted)


def test_counts_of_one_reason_keep_their_first_and_last_time(
    world: SimulatedFleet, receiver: Receiver, store: Store, camera: PretendDevice
) -> None:
    assert receiver.settle() is False
    for _ in range(3):
        receiver.handle(TOPIC, b"rubbish")
        world.now_ms += 10
    receiver.handle("nobody", b"rubbish")
    assert receiver.settle() is True
    assert sorted(Archive(store.path).tallies(), key=lambda row: row.device_id) == [
        TallyRow("", "malformed", 1, EPOCH_MS + 30, EPOCH_MS + 30),
        TallyRow("cam-one", "malformed", 3, EPOCH_MS, EPOCH_MS + 20),
    ]
    assert receiver.settle() is False


def test_what_is_accepted_and_new_is_not_counted(receiver: Receiver, camera: PretendDevice) -> None:
    accepted(receiver, camera.seal(verdict()))
    assert receiver.settle() is False


def test_what_the_database_did_not_take_is_counted_once_it_can(
    receiver: Receiver, store: Store, camera: PretendDevice
) -> None:
    message = camera.seal(verdict())
    store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="cannot write"):
        receiver.handle(message.topic, message.sealed)
    with pytest.raises(StoreError, match="cannot write"):
        receiver.settle()
    store._db.execute("PRAGMA query_only = OFF")
    assert accepted(receiver, message).new
    assert receiver.settle() is True
    assert Archive(store.path).tallies() == [TallyRow("", NOT_STORED, 1, EPOCH_MS, EPOCH_MS)]


def test_a_pretend_device_goes_on_from_what_it_sealed(world: SimulatedFleet) -> None:
    camera = world.enrol("cam-three")
    first, second = camera.seal(health()), camera.seal(b"any bytes")
    assert (first.sequence, second.sequence, camera.sequence, camera.previous) == (0, 1, 2, second.digest)
    assert first.digest == envelope.digest(first.sealed)
    assert health() == HealthEvent("started", "warden", 1, EPOCH_MS, "none")
    assert health("tamper", "indicator", count=2).count == 2
    assert world.signing_key("cam-three") == camera.key.public_key()
    assert world.signing_key("cam-none") is None
