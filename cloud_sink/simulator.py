"""A device that exists only in memory: it seals real envelopes with real keys, in order or as an attack needs them.

For tests, and to try an attack by hand:

    fleet = SimulatedFleet()
    camera = fleet.enrol("cam-one")
    first, second = camera.seal(verdict(state="VERIFIED")), camera.seal(verdict(state="FORGED"))
    receiver = fleet.receiver(store)
    receiver.handle(second.topic, second.sealed)   # out of order: accepted, and a gap until the first comes
    receiver.handle(first.topic, first.sealed)
    receiver.handle(first.topic, second.sealed[:-1] + b"!")   # Refused(reason="unreadable")
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud_sink.receiver import Receiver, SinkKeys
from cloud_sink.store import Store
from wire import cose, envelope, events, topics
from wire.events import CodeEvent, Event, GapEvent, HealthEvent, PlaceEvent, VerdictEvent
from wire.sink_key import SinkPrivateKey, SinkPublicKey
from wire.vocabulary import CompartmentName, HealthKind, StateName

EPOCH_MS = 1_764_000_000_000
DEFAULT_CODE = CodeEvent(
    sign_id="0123456789abcdef",
    class_id=14,
    lat=48.13713,
    lon=11.57536,
    heading=90.0,
    valid_from=1_760_000_000,
    valid_until=1_860_000_000,
    key_id="00112233aabbccdd",
    error_rate=0.012,
    readings=17,
)
DEFAULT_PLACE = PlaceEvent(lat=48.13711, lon=11.57509, heading=88.5, accuracy_m=3.0)


@dataclass(frozen=True)
class PublishedEnvelope:
    """What a device would publish."""

    topic: str
    sealed: bytes
    sequence: int

    @property
    def digest(self) -> bytes:
        """What its receipt names."""
        return hashlib.sha256(self.sealed).digest()


@dataclass
class PretendDevice:
    """One device's key, sequence and chain."""

    device_id: str
    sink_key: SinkPublicKey
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sequence: int = 0
    previous: bytes = envelope.FIRST_PREVIOUS
    boot_id: bytes = bytes(range(16))

    def seal(self, event: Event | bytes, **otherwise: Any) -> PublishedEnvelope:
        """The next envelope of the chain; `otherwise` replaces arguments of `wire.envelope.seal`, as attacks do."""
        arguments: dict[str, Any] = {
            "device_id": self.device_id,
            "sequence": self.sequence,
            "previous": self.previous,
            "boot_id": self.boot_id,
            "topic": topics.envelope_topic(self.device_id),
            "signing_key": self.key,
            "device_kid": cose.key_id(self.key.public_key()),
            "sink_key": self.sink_key,
            **otherwise,
        }
        content = event if isinstance(event, bytes) else events.to_cbor(event)
        made = PublishedEnvelope(arguments["topic"], envelope.seal(content, **arguments), arguments["sequence"])
        self.sequence, self.previous = made.sequence + 1, made.digest
        return made


class SimulatedFleet:
    """A sink's keys and the devices enrolled with it. `now_ms` is its receivers' clock and may be set."""

    def __init__(self, keys: SinkKeys | None = None) -> None:
        self.keys = keys or SinkKeys(SinkPrivateKey.generate(), Ed25519PrivateKey.generate())
        self.now_ms = EPOCH_MS
        self._devices: dict[str, PretendDevice] = {}

    def enrol(self, device_id: str) -> PretendDevice:
        """A new device that the sink knows."""
        self._devices[device_id] = PretendDevice(device_id, self.keys.opening.public)
        return self._devices[device_id]

    def stranger(self, device_id: str) -> PretendDevice:
        """A device that the sink does not know."""
        return PretendDevice(device_id, self.keys.opening.public)

    def signing_key(self, device_id: str) -> Ed25519PublicKey | None:
        """As `receiver.DeviceKeys` wants it."""
        device = self._devices.get(device_id)
        return device.key.public_key() if device else None

    def receiver(self, store: Store) -> Receiver:
        """A receiver with this fleet's keys and clock."""
        return Receiver(store, self.keys, self, lambda: self.now_ms)


def verdict(state: StateName = "VERIFIED", **fields: Any) -> VerdictEvent:
    """A plausible verdict; any field can be given."""
    defaults: dict[str, Any] = {
        "verdict_id": "v-1",
        "state": state,
        "class_id": 14,
        "perceived_class_id": 14,
        "confidence": 0.97,
        "first_frame": 70,
        "last_frame": 108,
        "utc_ms": EPOCH_MS,
        "sightings": 31,
        "code": DEFAULT_CODE,
        "position": DEFAULT_PLACE,
        "reasons": ("code_and_perception_agree",),
    }
    return VerdictEvent(**{**defaults, **fields})


def health(kind: HealthKind = "started", compartment: CompartmentName = "warden", **fields: Any) -> HealthEvent:
    """A plausible health event; any field can be given."""
    defaults: dict[str, Any] = {"count": 1, "at_ms": EPOCH_MS, "detail": "none"}
    return HealthEvent(kind=kind, compartment=compartment, **{**defaults, **fields})


def gap(verdicts: int = 3, health: int = 1, **fields: Any) -> GapEvent:
    """A plausible gap; any field can be given."""
    defaults: dict[str, Any] = {"from_ms": EPOCH_MS - 60_000, "to_ms": EPOCH_MS}
    return GapEvent(verdicts=verdicts, health=health, **{**defaults, **fields})
