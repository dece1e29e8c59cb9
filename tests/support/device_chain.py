"""Sealer, uplink and dialer joined in one process, against a real broker."""

from __future__ import annotations

import select
import time

from device.channel.link import Link, pair
from device.channel.messages import Dial, Dialled, Message, ReceiptBytes, SealedEnvelope, VerdictStored
from device.dialer.core import answer, connect
from device.sealer.identity_files import identity_of
from device.sealer.service import SealerService
from device.sealer.spool import Spool
from device.uplink.connection import Connection
from device.uplink.dialling import DialEnd
from device.uplink.identity_files import device_id_of
from device.uplink.service import UplinkService
from identity import Home
from tests.support.brokers import context_of
from tests.support.sealing import from_inside

RUN = "00" * 16


class Chain:
    """Verdict's end, sealer, uplink and dialer, in one process and joined by the links that they have on the device."""

    def __init__(self, home: Home, port: int, host: str = "localhost") -> None:
        """`host`: the name that the broker's certificate must have."""
        self.home, self.port, self._host = home, port, host
        self.identity = identity_of(home)
        a, b = pair()
        self.verdict, self._sealers_verdict = Link("sealer", a, VerdictStored), Link("verdict", b)
        self.start_sealer_and_uplink()

    def start_sealer_and_uplink(self) -> None:
        a, b = pair()
        self.sealers_uplink, self.uplinks_sealer = Link("uplink", a, ReceiptBytes), Link("sealer", b, SealedEnvelope)
        c, d = pair()
        self.uplinks_dialer, self.dialers_uplink = Link("dialer", c, Dialled), Link("uplink", d, Dial)
        self._dialers_socket = d
        self.end = DialEnd(self.uplinks_dialer)
        self.spool = Spool(
            self.home.spool,
            device_id=self.identity.device_id,
            run_id=RUN,
            max_bytes=2**22,
            sink_key=self.identity.sink_key.digest,
        )
        self.service = SealerService(
            self.spool,
            self.identity,
            bytes.fromhex(RUN),
            verdict=self._sealers_verdict,
            uplink=self.sealers_uplink,
            clock=time.monotonic,
            unix_ms=lambda: 0,
        )
        folder = self.home.device
        self.uplink = UplinkService(
            context_of(folder),
            host=self._host,
            device_id=device_id_of(folder / "tls.crt"),
            dial=self.end.ask,
            receipt=self._receipt,
            clock=time.monotonic,
        )

    def _receipt(self, data: bytes) -> None:
        self.uplinks_sealer.try_send(ReceiptBytes(data))

    def kill_sealer_and_uplink(self) -> None:
        """As SIGKILL would: no message is sent, the descriptors close."""
        self.spool._db.close()
        self.uplink.close()

    def say(self, message: Message) -> None:
        from_inside(self.service, message, self._sealers_verdict)

    def step(self) -> None:
        poll = select.poll()
        poll.register(self.end, select.POLLIN)
        connection = self.uplink.connection
        if isinstance(connection, Connection) and connection.fileno() >= 0:
            poll.register(connection, connection.wants())
        for descriptor, happened in poll.poll(5):
            if descriptor == self.end.fileno():
                if (found := self.end.receive()) is not None:
                    self.uplink.dialled(found)
            elif connection is not None:
                self.uplink.serve(happened)
        self.uplink.tick()
        self.service.tick()
        if isinstance(self.dialers_uplink.receive(), Dial):
            answer(self._dialers_socket, connect("127.0.0.1", self.port, 1.0))
        while (message := self.uplinks_sealer.receive()) is not None:
            assert isinstance(message, SealedEnvelope)
            self.uplink.publish(message.sequence, message.sealed)
        while (proof := self.sealers_uplink.receive()) is not None:
            self.service.on_receipt(proof)
