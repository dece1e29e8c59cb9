"""The receiver's core: a topic and bytes in, a decision out. It knows nothing of MQTT, threads or files.

The broker is untrusted and a device may be compromised, so everything here is hostile until it has proved otherwise, in
this order: the topic names an enrolled device; the envelope opens under that topic, device and sequence (HPKE); the
device's signature is good; the event is within its bounds; the sequence number was not used for something else. Only
then is it stored, and only when it is stored is there a receipt.

What is refused is never kept or shown raw: it is counted by a fixed word, per device where it names an enrolled device.
Counts are buffered, so that a flood of rubbish costs no disk write per message: call `settle` about once a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud_sink.errors import StoreError
from cloud_sink.store import Arrival, Store, StoreOutcome, Tally
from wire import envelope, events, receipt, topics
from wire.errors import ForgedError, HostileInputError, SealBrokenError
from wire.sink_key import SinkPrivateKey

Reason = Literal["malformed", "unknown_device", "unreadable", "forged", "bad_event", "equivocation"]
DUPLICATE = "duplicate"
NOT_STORED = "not_stored"  # the database failed; the device keeps the envelope and sends it again

_REASONS: tuple[tuple[type[HostileInputError], Reason], ...] = (  # the first that fits
    (ForgedError, "forged"),
    (SealBrokenError, "unreadable"),
    (HostileInputError, "malformed"),
)


class DeviceKeys(Protocol):
    """The public keys of the enrolled devices."""

    def signing_key(self, device_id: str) -> Ed25519PublicKey | None:
        """The key of `device_id`, None if it is not enrolled."""


@dataclass(frozen=True)
class SinkKeys:
    """What only the sink may have: the key that opens envelopes and the key that signs receipts."""

    opening: SinkPrivateKey
    receipts: Ed25519PrivateKey


@dataclass(frozen=True)
class Accepted:
    """The envelope is durable, and `receipt` may tell its device so. `new` is False for a duplicate."""

    device_id: str
    receipt: bytes
    row_id: int
    new: bool


@dataclass(frozen=True)
class Refused:
    """Nothing was stored. `device_id` is '' where the message names no enrolled device."""

    device_id: str
    reason: Reason


class Receiver:
    """Decides about one message after another. Not for use from two threads at once."""

    def __init__(self, store: Store, keys: SinkKeys, devices: DeviceKeys, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._keys = keys
        self._devices = devices
        self._now_ms = now_ms
        self._tallies: dict[tuple[str, str], Tally] = {}

    def handle(self, topic: str, sealed: bytes) -> Accepted | Refused:
        """Decide about one message. Raises StoreError where the database fails: then no receipt may go out."""
        try:
            decision = self._decide(topic, sealed)
        except StoreError:
            self._tally("", NOT_STORED)
            raise
        match decision:
            case Refused(device_id, reason):
                self._tally(device_id, reason)
            case Accepted(device_id, new=False):
                self._tally(device_id, DUPLICATE)
        return decision

    def settle(self) -> bool:
        """Write the counts down; return whether there were any. Raises StoreError, and keeps them then."""
        if not self._tallies:
            return False
        self._store.add_tallies(self._tallies)
        self._tallies.clear()
        return True

    def _decide(self, topic: str, sealed: bytes) -> Accepted | Refused:
        try:
            device_id = topics.device_of(topic)
        except HostileInputError:
            return Refused("", "malformed")
        device_key = self._devices.signing_key(device_id)
        if device_key is None:
            return Refused("", "unknown_device")
        try:
            opened = envelope.open_envelope(
                sealed, topic=topic, device_id=device_id, sink_private=self._keys.opening, device_key=device_key
            )
        except HostileInputError as error:
            return Refused(device_id, next(reason for kind, reason in _REASONS if isinstance(error, kind)))
        try:
            event = events.parse(opened.event)
        except HostileInputError:
            return Refused(device_id, "bad_event")
        added = self._store.add(
            Arrival(
                device_id=device_id,
                sequence=opened.sequence,
                digest=opened.digest,
                previous=opened.previous,
                boot_id=opened.boot_id,
                sealed=sealed,
                event_bytes=opened.event,
                event=event,
                received_ms=self._now_ms(),
            )
        )
        if added.row_id is None:
            return Refused(device_id, "equivocation")
        proof = receipt.issue(device_id, opened.sequence, opened.digest, self._keys.receipts)
        return Accepted(device_id, proof, added.row_id, new=added.outcome is StoreOutcome.STORED)

    def _tally(self, device_id: str, reason: str) -> None:
        now, key = self._now_ms(), (device_id, reason)
        before = self._tallies.get(key)
        self._tallies[key] = Tally(before.count + 1 if before else 1, before.first_ms if before else now, now)
