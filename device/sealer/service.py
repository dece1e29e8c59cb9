"""The sealer's work, message by message, against a spool and two links. What it decides with is in `core`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from device.channel.messages import Health, Message, ReceiptBytes, SealedEnvelope, Verdict, VerdictStored
from device.sealer.core import WINDOW, Identity, Window, check_receipt, seal
from device.sealer.errors import SpoolFullError
from device.sealer.spool import Spool
from wire.errors import HostileInputError, IssueError
from wire.events import ALIVE_EVERY_S, ON_CAMERA, ON_RECORDING
from wire.vocabulary import HealthKind

_STARTED = "STARTED"  # the mark under which the spool remembers that `started` was sealed


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
        self._boot_id = boot_id
        self._verdict = verdict
        self._uplink = uplink
        self._clock = clock
        self._unix_ms = unix_ms
        self._offers = offers
        self._on_camera = on_camera
        self._alive_at = clock() + ALIVE_EVERY_S
        self._last_alive = -1  # the sequence number of the heartbeat before
        self._window = Window()
        self._refused = 0  # since the spool became full
        self.sealed = self.offered = self.receipted = self.false_receipts = 0

    def begin(self) -> None:
        """Seal `started`, unless that was done before sealer was restarted in this run."""
        if not self._spool.has(_STARTED):
            self._store(self._own("started", ON_CAMERA if self._on_camera else ON_RECORDING), _STARTED)

    def end(self) -> None:
        """Seal `stopped`: this run ends in order. Call it once, on a camera only."""
        self._store(self._own("stopped", ON_CAMERA), None)
        self._offer()

    @property
    def settled(self) -> bool:
        """Whether nothing waits for a receipt that could come."""
        return not self._offers or not self._spool.waiting

    def on_verdict(self, verdict: Verdict) -> None:
        """A verdict: sealed, on disk and acknowledged when this returns.

        Where the spool has no room it is not acknowledged: verdict keeps it and sends it again. A verdict that the
        wire's stricter bounds refuse is dropped and counted against its sender.
        """
        try:
            if self._spool.has(verdict.verdict_id) or self._store(verdict, verdict.verdict_id):
                self._verdict.try_send(VerdictStored(verdict.verdict_id))
        except IssueError:
            self._verdict.invalid += 1
        self._offer()

    def on_health(self, health: Health, sender: Peer) -> None:
        """Something about the device itself: sealed and on disk when this returns. Refused as `on_verdict`."""
        try:
            self._store(health, None)
        except IssueError:
            sender.invalid += 1
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
        if self._spool.remove(receipt.sequence, receipt.digest):
            self._window.forget(receipt.sequence)
            self.receipted += 1
        self._offer()

    def tick(self) -> None:
        """Seal `alive` when it is time, send again what has no receipt, then new envelopes as there is room."""
        now = self._clock()
        if self._on_camera and now >= self._alive_at:
            self._alive_at = now + ALIVE_EVERY_S
            self._say_alive()
        if not self._offers:
            return
        for sequence in self._window.due(now):
            if self._window.tried(sequence):
                self._window.forget(sequence)  # makes room; it comes round again
                continue
            data = self._spool.get(sequence)
            if data is None:
                self._window.forget(sequence)
            elif self._uplink.try_send(SealedEnvelope(sequence, data)):
                self._window.sent(sequence, now)
            else:
                return
        self._offer()

    def tick_seconds(self) -> float:
        """Seconds until there is something to do, unless a message comes before."""
        return max(0.05, self._window.seconds_to_next(self._clock())) if self._offers else 1.0

    def facts(self) -> dict[str, int]:
        """Small numbers for warden and the summary."""
        return {
            "sealed": self.sealed,
            "offered": self.offered,
            "receipted": self.receipted,
            "waiting": self._spool.waiting,
            "false_receipts": self.false_receipts,
        }

    def _offer(self) -> None:
        """Hand uplink the next envelopes, as many as the window has room for."""
        if not self._offers or self._window.room <= 0:
            return
        now = self._clock()
        fresh = self._spool.after(self._window.newest, self._window.room)
        for sequence, data in fresh:
            if not self._uplink.try_send(SealedEnvelope(sequence, data)):
                return
            self._window.sent(sequence, now)
            self.offered += 1
        self._offer_again(now)

    def _offer_again(self, now: float) -> None:
        """Send again what left the window without a receipt, where new envelopes leave room."""
        if self._window.room <= 0 or self._spool.waiting <= self._window.size:
            return
        for sequence, data in self._spool.after(self._window.turn, WINDOW + self._window.room):
            if sequence in self._window:
                continue
            if self._window.room <= 0 or not self._uplink.try_send(SealedEnvelope(sequence, data)):
                return
            self._window.again(sequence, now)
        else:
            self._window.turn = -1

    def _say_alive(self) -> None:
        """A heartbeat, unless the last still waits: the sink learns no more from two, and the spool is finite."""
        self.begin()  # where the spool was full at the start
        if self._spool.get(self._last_alive) is None:
            sequence = self._spool.head.sequence
            if self._store(self._own("alive", ON_CAMERA), None):
                self._last_alive = sequence

    def _own(self, kind: HealthKind, detail: str) -> Health:
        return Health(kind, "sealer", 1, self._unix_ms(), detail)

    def _store(self, message: Verdict | Health, once: str | None) -> bool:
        try:
            self._spool.add(seal(message, self._spool.head, self._identity, self._boot_id), once)
        except SpoolFullError:
            self._refused += 1
            if self._refused == 1:
                self._report_full()
            return False
        self.sealed += 1
        if once is not None:
            self._refused = 0
        return True

    def _report_full(self) -> None:
        """Seal once that the spool is full, in the room that is kept for health events."""
        full = Health("spool_full", "sealer", self._spool.waiting, self._unix_ms(), "no_room")
        try:
            self._spool.add(seal(full, self._spool.head, self._identity, self._boot_id), None)
        except SpoolFullError:
            return  # not even that fits: the disk itself is full
        self.sealed += 1
