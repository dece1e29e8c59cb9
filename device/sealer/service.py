"""The sealer's work, message by message, against a spool and two links. What it decides with is in `core`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from device.channel.messages import Health, Message, ReceiptBytes, SealedEnvelope, Verdict, VerdictStored
from device.sealer.core import RESEND_SECONDS, WINDOW, Identity, Window, check_receipt
from device.sealer.errors import SpoolRefusedError
from device.sealer.spool import Spool
from device.sealer.storing import Storing
from wire.errors import HostileInputError, IssueError
from wire.events import ALIVE_EVERY_S, ON_CAMERA, ON_RECORDING
from wire.vocabulary import HealthKind

_STARTED = "STARTED"  # the mark under which the spool remembers that `started` was sealed
_MOST_KNOWN = 4096


class Peer(Protocol):
    """The end of a link, as far as it is used here."""

    invalid: int

    def try_send(self, message: Message, /) -> bool:
        """Send unless the peer's queue is full."""


class SealerService:
    """Seals what comes from inside, offers it to uplink until a receipt is verified, and forgets it only then.

    Args:
        boot_id: 16 bytes that name this run; verdict ids are unique within it.
        clock: seconds, monotonic; unix_ms: unix milliseconds.
        offers: whether a broker is configured. Without it, everything stays in the spool.
        on_camera: whether this run seals `alive` now and then, and `stopped` at its end. On a recording it seals
            neither: the sink must not expect an `alive`, and a replay ends when all else is delivered.
    """

    def __init__(
        self,
        spool: Spool,
        identity: Identity,
        boot_id: bytes,
        *,
        verdict: Peer,
        uplink: Peer,
        clock: Callable[[], float],
        unix_ms: Callable[[], int],
        offers: bool = True,
        on_camera: bool = False,
    ) -> None:
        self._spool = spool
        self._identity = identity
        self._storing = Storing(spool, identity, boot_id, clock=clock, unix_ms=unix_ms)
        self._verdict = verdict
        self._uplink = uplink
        self._clock = clock
        self._unix_ms = unix_ms
        self._offers = offers
        self._on_camera = on_camera
        self._alive_at = clock() + ALIVE_EVERY_S
        self._last_alive = -1  # the sequence number of the heartbeat before
        self._window = Window()
        self._unsaid = 0  # 1: `started` is not sealed yet, the spool refused it
        self._forget_at = 0.0
        self._known: dict[int, bytes] = {}  # the sink has them, and the disk would not forget them
        self.offered = self.false_receipts = 0

    def begin(self) -> None:
        """Seal `started`, unless that was done before sealer was restarted in this run."""
        started = self._own("started", ON_CAMERA if self._on_camera else ON_RECORDING)
        self._unsaid = 0 if self._storing.store(started, _STARTED) else 1

    def end(self) -> None:
        """Seal `stopped`: this run ends in order. Call it once, on a camera only."""
        self._storing.report(self._own("stopped", ON_CAMERA), leave=1)
        self._offer()

    def finish(self, facts: dict[str, int]) -> None:
        """Nothing more comes: count what could not be stored as lost. Call it last, and once. `facts`: as in `step`."""
        self._storing.finish(self._unsaid)
        facts.update(self.facts())

    @property
    def sealed(self) -> int:
        """Envelopes that this run has stored."""
        return self._spool.sealed

    @property
    def receipted(self) -> int:
        """How many receipts this run has got, for envelopes of earlier runs too."""
        return self._spool.removed + len(self._known)

    @property
    def settled(self) -> bool:
        """Whether nothing waits for a receipt that could come."""
        return not self._offers or self._waiting <= self._spool.held

    def on_verdict(self, verdict: Verdict) -> None:
        """A verdict: sealed, on disk and acknowledged when this returns.

        Where the spool takes nothing it is not acknowledged: verdict keeps it and sends it again. A verdict that the
        wire's stricter bounds refuse is dropped and counted against its sender.
        """
        try:
            if self._storing.verdict(verdict):
                self._verdict.try_send(VerdictStored(verdict.verdict_id))
        except IssueError:
            self._verdict.invalid += 1
        self._offer()

    def on_health(self, health: Health, sender: Peer) -> None:
        """Something about the device itself: on disk when this returns, or waiting for room."""
        self._storing.health(health, sender)
        self._offer()

    def on_receipt(self, message: ReceiptBytes) -> None:
        """Bytes that claim to be a receipt. A false receipt is counted, but not against uplink, which cannot tell.

        A hostile broker can publish them: held against uplink, they would spend its restarts and keep it down.
        """
        try:
            receipt = check_receipt(message.data, self._identity)
        except HostileInputError:
            self.false_receipts += 1
            return
        if receipt.sequence not in self._known and self._forget(receipt.sequence, receipt.digest):
            self._window.confirmed(receipt.sequence, self._clock())
        self._offer()

    def _forget(self, sequence: int, digest: bytes) -> bool:
        """Forget an envelope that the sink has; where the disk refuses even that, remember to. False: none is there."""
        try:
            removed = self._spool.remove(sequence, digest)
        except SpoolRefusedError as refusal:
            self._storing.refuse(refusal, health=True)
            if len(self._known) < _MOST_KNOWN:  # one more is sent again, and its receipt comes again
                self._known[sequence] = digest
            return True
        self._known.pop(sequence, None)
        if removed:
            self._storing.room()
        return removed

    def step(self, facts: dict[str, int]) -> None:
        """Do what is due, and bring `facts`, which go to warden, up to date."""
        self.tick()
        facts.update(self.facts())

    def tick(self) -> None:
        """Seal `alive` when it is time, send again what has no receipt, then new envelopes as there is room."""
        now = self._clock()
        if self._unsaid:
            self.begin()
        self._storing.retry()
        if self._known and now >= self._forget_at:
            self._forget_at = now + RESEND_SECONDS
            for sequence, digest in list(self._known.items()):
                self._forget(sequence, digest)
                if sequence in self._known:
                    break
        if self._on_camera and now >= self._alive_at:
            self._alive_at = now + ALIVE_EVERY_S
            self._say_alive()
        if self._offers:
            self._offer(again=True)

    def tick_seconds(self) -> float:
        """Seconds until there is something to do, unless a message comes before."""
        return max(0.05, self._window.seconds_to_next(self._clock())) if self._offers else 1.0

    def facts(self) -> dict[str, int]:
        """Small numbers for warden and the summary. What is sealed and receipted counts for the whole run: a sealer
        that was killed has told its last number some time before."""
        return {
            "sealed": self.sealed,
            "offered": self.offered,
            "receipted": self.receipted,
            "waiting": self._waiting,
            "held": self._spool.held,
            "passed_over": self._window.passed_over,
            "false_receipts": self.false_receipts,
            **self._storing.facts(),
        }

    @property
    def _waiting(self) -> int:
        return self._spool.waiting - len(self._known)

    def _offer(self, *, again: bool = False) -> None:
        """Hand uplink what has no receipt in time (`again`), then new envelopes, as many as the window has room for."""
        if not self._offers:
            return
        now = self._clock()
        try:
            if again and not self._offer_due(now):
                return
            if self._window.room > 0 and self._offer_fresh(now):
                self._offer_round(now)
        except SpoolRefusedError as refusal:  # the disk cannot even be read
            self._storing.refuse(refusal, health=True)

    def _offer_due(self, now: float) -> bool:
        """Send again what has no receipt in time. False: uplink takes no more."""
        for sequence in self._window.due(now):
            if self._window.tried(sequence):
                self._window.give_up(sequence, now)  # makes room; it comes round again
                continue
            data = self._spool.get(sequence)
            if data is None:
                self._window.forget(sequence)
            elif self._uplink.try_send(SealedEnvelope(sequence, data)):
                self._window.sent(sequence, now)
            else:
                return False
        return True

    def _offer_fresh(self, now: float) -> bool:
        """Send what was never sent. False: uplink takes no more."""
        for sequence, data in self._spool.after(self._window.newest, self._window.room):
            if not self._uplink.try_send(SealedEnvelope(sequence, data)):
                return False
            self._window.sent(sequence, now)
            self.offered += 1
        return True

    def _offer_round(self, now: float) -> None:
        """Send again what left the window without a receipt, where new envelopes leave room."""
        if self._window.room <= 0 or self._spool.waiting - self._spool.held <= self._window.size:
            return
        limit = WINDOW + self._window.room
        waiting = self._spool.after(self._window.turn, limit)
        for sequence, data in waiting:
            if sequence in self._window or sequence in self._known or self._window.rests(sequence, now):
                continue
            if self._window.room <= 0 or not self._uplink.try_send(SealedEnvelope(sequence, data)):
                return
            self._window.again(sequence, now)
        self._window.turn = waiting[-1][0] if len(waiting) == limit else -1

    def _say_alive(self) -> None:
        """A heartbeat, unless the last still waits: the sink learns no more from two, and the spool is finite."""
        try:
            waits = self._spool.get(self._last_alive) is not None
        except SpoolRefusedError:
            return
        sequence = self._spool.head.sequence
        if not waits and self._storing.store(self._own("alive", ON_CAMERA), None):
            self._last_alive = sequence

    def _own(self, kind: HealthKind, detail: str) -> Health:
        return Health(kind, "sealer", 1, self._unix_ms(), detail)
