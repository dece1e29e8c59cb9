"""The sealer's decisions: messages to events, events to a chain of envelopes, which envelope to send. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.channel.messages import Health, Verdict
from device.sealer.gap import Gap
from wire import cose, envelope, events, receipt, topics
from wire.errors import ForgedError
from wire.events import CodeEvent, GapEvent, HealthEvent, PlaceEvent, VerdictEvent
from wire.sink_key import SinkPublicKey

WINDOW = 16
"""Envelopes that may be on their way without a receipt."""
RESEND_SECONDS = 1.0
TRIES = 3
"""Sendings of one envelope before others get its place in the window."""
LONGEST_REST_SECONDS = 60.0
_REFUSED_AFTER = 2  # times that it was passed over: once may be a receipt that got lost
_MOST_PASSED = 4096


@dataclass(frozen=True)
class Identity:
    """Who seals, and to whom."""

    device_id: str
    signing_key: cose.Signer
    key_id: bytes
    sink_key: SinkPublicKey
    receipt_key: Ed25519PublicKey


@dataclass(frozen=True)
class Head:
    """Where the device's chain goes on: the next sequence number, and the digest of the envelope before it."""

    sequence: int = 0
    previous: bytes = envelope.FIRST_PREVIOUS


@dataclass(frozen=True)
class SealedEvent:
    """One sealed envelope, and the head of the chain after it."""

    sequence: int
    data: bytes
    digest: bytes

    @property
    def next(self) -> Head:
        """The head once this envelope is stored."""
        return Head(self.sequence + 1, self.digest)


def event_of(message: Verdict | Health | Gap) -> events.Event:
    """A message between compartments, or our own gap -> the event of the wire with the same fields."""
    match message:
        case Gap(verdicts=verdicts, health=health, from_ms=from_ms, to_ms=to_ms):
            return GapEvent(from_ms, to_ms, verdicts, health)
        case Health(kind=kind, compartment=compartment, count=count, at_ms=at_ms, detail=detail):
            return HealthEvent(kind, compartment, count, at_ms, detail)
        case Verdict(code=code, position=place):
            fields = {name: getattr(message, name) for name in message.__struct_fields__}
            fields["code"] = None if code is None else CodeEvent(*(getattr(code, n) for n in code.__struct_fields__))
            fields["position"] = (
                None if place is None else PlaceEvent(*(getattr(place, n) for n in place.__struct_fields__))
            )
            fields["reasons"] = tuple(message.reasons)
            return VerdictEvent(**fields)


def seal(message: Verdict | Health | Gap, head: Head, identity: Identity, boot_id: bytes) -> SealedEvent:
    """Seal one message as the envelope at `head`."""
    data = envelope.seal(
        events.to_cbor(event_of(message)),
        device_id=identity.device_id,
        sequence=head.sequence,
        previous=head.previous,
        boot_id=boot_id,
        topic=topics.envelope_topic(identity.device_id),
        signing_key=identity.signing_key,
        device_kid=identity.key_id,
        sink_key=identity.sink_key,
    )
    return SealedEvent(head.sequence, data, envelope.digest(data))


def check_receipt(data: bytes, identity: Identity) -> receipt.Receipt:
    """Bytes that claim to be a receipt -> a receipt that the sink signed for this device. Raises HostileInputError."""
    checked = receipt.verify(data, identity.receipt_key)
    if checked.device_id != identity.device_id:
        raise ForgedError("receipt_for_another_device")
    return checked


class Window:
    """Which envelopes to send now: the oldest first, at most `WINDOW` on their way, each again after a second.

    An envelope that has no receipt after `TRIES` sendings leaves the window, so that envelopes which the sink refuses,
    or which get lost each time, hold up no other. When all newer envelopes were sent, it comes round again. One that
    got none while another did is passed over: it rests, each time twice as long, since the sink seems to refuse it.

    Attributes:
        newest: the highest sequence number ever sent, -1 at first.
        turn: the sequence number after which the next envelope to come round again is looked for, -1: the oldest.
    """

    def __init__(self) -> None:
        self._on_the_way: dict[int, tuple[float, int]] = {}  # sequence -> when it was sent last, how often
        self._passed: dict[int, tuple[int, float]] = {}  # sequence -> how often it was passed over, rests until
        self._confirmed_at = float("-inf")
        self.newest = -1
        self.turn = -1

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._on_the_way

    @property
    def size(self) -> int:
        """How many envelopes are on their way."""
        return len(self._on_the_way)

    @property
    def room(self) -> int:
        """How many more envelopes may be on their way."""
        return WINDOW - self.size

    def due(self, now: float) -> list[int]:
        """The sequence numbers whose receipt is overdue, the oldest first."""
        return sorted(sequence for sequence, (at, _) in self._on_the_way.items() if now - at >= RESEND_SECONDS)

    def tried(self, sequence: int) -> bool:
        """Whether an envelope on its way was sent as often as it may be before others get its place."""
        return self._on_the_way[sequence][1] >= TRIES

    def sent(self, sequence: int, now: float) -> None:
        """An envelope was handed to uplink."""
        _, times = self._on_the_way.get(sequence, (now, 0))
        self._on_the_way[sequence] = (now, times + 1)
        self.newest = max(self.newest, sequence)

    def again(self, sequence: int, now: float) -> None:
        """An envelope that had left the window was handed to uplink once more."""
        self.sent(sequence, now)
        self.turn = sequence

    def confirmed(self, sequence: int, now: float) -> None:
        """An envelope has its receipt."""
        self.forget(sequence)
        self._passed.pop(sequence, None)
        self._confirmed_at = now

    def give_up(self, sequence: int, now: float) -> None:
        """An envelope was tried: it leaves the window, and rests where the sink confirmed another meanwhile."""
        self.forget(sequence)
        times, _ = self._passed.get(sequence, (0, 0.0))
        if times or (self._confirmed_at > now - (TRIES + 1) * RESEND_SECONDS and len(self._passed) < _MOST_PASSED):
            rest = min(LONGEST_REST_SECONDS, TRIES * RESEND_SECONDS * 2.0 ** min(times, 8))
            self._passed[sequence] = (times + 1, now + rest)

    def rests(self, sequence: int, now: float) -> bool:
        """Whether an envelope that was passed over is not to be sent yet."""
        return sequence in self._passed and now < self._passed[sequence][1]

    @property
    def passed_over(self) -> int:
        """How many envelopes the sink seems to refuse: it confirmed others, and these not, again and again."""
        return sum(times >= _REFUSED_AFTER for times, _ in self._passed.values())

    def forget(self, sequence: int) -> None:
        """An envelope leaves the window: it needs no sending any more, or not now."""
        self._on_the_way.pop(sequence, None)

    def seconds_to_next(self, now: float) -> float:
        """Until the next receipt is overdue, at most `RESEND_SECONDS`."""
        oldest = min((at for at, _ in self._on_the_way.values()), default=now)
        return min(RESEND_SECONDS, max(0.0, oldest + RESEND_SECONDS - now))
