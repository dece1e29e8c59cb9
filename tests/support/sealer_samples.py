"""A sealer with everything around it in the test's hands, and verdicts for it."""

from __future__ import annotations

from pathlib import Path

from device.channel.messages import CodeClaims, Message, Place, ReceiptBytes, SealedEnvelope, Verdict
from device.sealer.core import Identity
from device.sealer.service import SealerService
from device.sealer.spool import Spool
from tests.support.sealing import from_inside
from tests.support.wire_samples import DEVICE, RECEIPTS, SINK
from wire import cose, envelope, events, receipt, topics

IDENTITY = Identity("cam-1", DEVICE, cose.key_id(DEVICE.public_key()), SINK.public, RECEIPTS.public_key())
RUN = "00112233445566778899aabbccddeeff"


class Wire:
    """A link's end that keeps what is sent on it; it refuses `refusals` messages, and takes `room` then."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.invalid = 0
        self.room = 1000
        self.refusals = 0

    def try_send(self, message: Message, /) -> bool:
        if self.refusals > 0:
            self.refusals -= 1
            return False
        if len(self.sent) >= self.room:
            return False
        self.sent.append(message)
        return True

    def envelopes(self) -> list[SealedEnvelope]:
        return [m for m in self.sent if isinstance(m, SealedEnvelope)]


class Rig:
    """A service with everything around it in the test's hands."""

    spool: Spool

    def __init__(self, folder: Path, max_bytes: int = 2**20) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.now = 100.0
        self.restart()

    def restart(
        self, run_id: str = RUN, *, on_camera: bool = False, offers: bool = True, sink_key: bytes = bytes(32)
    ) -> None:
        if hasattr(self, "spool"):
            self.spool.close()
        self.spool = Spool(self.folder, device_id="cam-1", run_id=run_id, max_bytes=self.max_bytes, sink_key=sink_key)
        self.verdict, self.uplink = Wire(), Wire()
        self.service = SealerService(
            self.spool,
            IDENTITY,
            bytes.fromhex(run_id),
            verdict=self.verdict,
            uplink=self.uplink,
            clock=lambda: self.now,
            unix_ms=lambda: 1_700_000_000_000,
            offers=offers,
            on_camera=on_camera,
        )

    def say(self, message: Message) -> None:
        from_inside(self.service, message, self.verdict)

    def receipt_for(self, sent: SealedEnvelope) -> ReceiptBytes:
        return ReceiptBytes(receipt.issue("cam-1", sent.sequence, envelope.digest(sent.sealed), RECEIPTS))

    def receipt_all(self) -> None:
        for sent in self.uplink.envelopes():
            self.service.on_receipt(self.receipt_for(sent))

    def counts(self) -> dict[str, int]:
        """The facts of the service that are not 0, with what it always counts."""
        always = ("sealed", "offered", "receipted", "waiting", "false_receipts")
        return {name: count for name, count in self.service.facts().items() if count or name in always}

    def said(self) -> list[tuple[str, str]]:
        """The health events among what was sent since the last restart, each once."""
        sent = {e.sequence: events.parse(self.open(e).event) for e in self.uplink.envelopes()}
        return [(e.kind, e.detail) for _, e in sorted(sent.items()) if isinstance(e, events.HealthEvent)]

    def own_words(self) -> list[events.HealthEvent]:
        """Every health event in the spool."""
        waiting = [SealedEnvelope(sequence, data) for sequence, data in self.spool.after(-1, 999)]
        found = [events.parse(self.open(sent).event) for sent in waiting]
        return [event for event in found if isinstance(event, events.HealthEvent)]

    def open(self, sent: SealedEnvelope) -> envelope.Opened:
        return envelope.open_envelope(
            sent.sealed,
            topic=topics.envelope_topic("cam-1"),
            device_id="cam-1",
            sink_private=SINK,
            device_key=DEVICE.public_key(),
        )


def a_verdict(number: int = 1) -> Verdict:
    code = CodeClaims("0001020304050607", 14, 52.52, 13.405, 270.0, 1, 2, "0011223344556677", 0.01, 3)
    place = Place(52.52, 13.405, None, 2.0)
    return Verdict(f"v-{number}", "VERIFIED", 14, 14, 0.9, 1, 9, 1000, 8, code, place, ["in_place"])
