"""Sealer and uplink against a real broker: what is sealed arrives, whichever of them is away for a while."""

from __future__ import annotations

import select
import time
from pathlib import Path

from demo.broker import Broker, free_port
from device.channel.link import Link, pair
from device.channel.messages import Dial, Dialled, Health, Message, ReceiptBytes, SealedEnvelope, VerdictStored
from device.dialer.core import answer, connect
from device.sealer.identity_files import identity_of
from device.sealer.service import SealerService
from device.sealer.spool import Spool
from device.uplink.connection import Connection
from device.uplink.dialling import DialEnd
from device.uplink.identity_files import device_id_of
from device.uplink.service import UplinkService
from identity import Home, load
from tests.support.brokers import context_of
from tests.support.sealer_samples import a_verdict
from tests.support.sealing import from_inside
from tests.support.sink import Sink
from tests.support.waiting import until
from wire import events

RUN = "00" * 16


class Chain:
    """Verdict's end, sealer, uplink and dialer, in one process and joined by the links that they have on the device."""

    def __init__(self, home: Home, port: int) -> None:
        self.home, self.port = home, port
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
        self.spool = Spool(self.home.spool, device_id=self.identity.device_id, run_id=RUN, max_bytes=2**22)
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
            host="localhost",
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
                self.uplink.dialled(self.end.receive())
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


def test_verdicts_arrive_in_a_chain_and_are_forgotten_on_their_receipts(home: Home, broker: Broker) -> None:
    sink, chain = Sink(home, broker), Chain(home, broker.port)
    for number in range(40):
        chain.say(a_verdict(number))
    until(lambda: chain.spool.waiting == 0, chain.step, sink.step)
    assert sorted(sink.opened) == list(range(40))
    for sequence in range(1, 40):
        assert sink.opened[sequence].previous == sink.opened[sequence - 1].digest
    parsed = events.parse(sink.opened[7].event)
    assert isinstance(parsed, events.VerdictEvent) and parsed.verdict_id == "v-7"
    stored = [chain.verdict.receive() for _ in range(40)]
    assert stored == [VerdictStored(f"v-{number}") for number in range(40)]
    assert chain.sealers_uplink.invalid == chain.uplinks_dialer.invalid == 0


def test_a_broker_that_is_killed_and_comes_back_loses_nothing(home: Home, broker: Broker) -> None:
    sink, chain = Sink(home, broker), Chain(home, broker.port)
    chain.say(a_verdict(0))
    until(lambda: chain.spool.waiting == 0, chain.step, sink.step)
    broker.kill()
    for number in range(1, 21):
        chain.say(a_verdict(number))
    until(lambda: not chain.uplink.up, chain.step)
    assert chain.spool.waiting == 20
    broker.start()
    began = time.monotonic()
    until(lambda: len(sink.opened) == 21 and chain.spool.waiting == 0, chain.step, sink.step)
    assert time.monotonic() - began < 10.0
    assert chain.uplink.connections == 2


def test_a_sink_that_is_away_loses_nothing(home: Home, broker: Broker) -> None:
    chain = Chain(home, broker.port)
    chain.say(Health("started", "warden", 1, 0, "run"))
    until(lambda: chain.uplink.up and chain.service.offered == 1, chain.step)
    assert chain.spool.waiting == 1
    sink = Sink(home, broker)
    until(lambda: chain.spool.waiting == 0, chain.step, sink.step)
    assert list(sink.opened) == [0]


def test_sealer_and_uplink_killed_in_the_middle_lose_nothing_and_seal_nothing_twice(home: Home, broker: Broker) -> None:
    sink, chain = Sink(home, broker), Chain(home, broker.port)
    sink.answers = False
    for number in range(20):
        chain.say(a_verdict(number))
    until(lambda: len(sink.opened) >= 8, chain.step, sink.step)
    before = dict(sink.opened)
    chain.kill_sealer_and_uplink()
    chain.start_sealer_and_uplink()
    sink.answers = True
    for number in range(22):  # verdict sends again what it has no acknowledgement for, and two more
        chain.say(a_verdict(number))
    until(lambda: chain.spool.waiting == 0, chain.step, sink.step)
    assert sorted(sink.opened) == list(range(22))
    assert {n: o for n, o in sink.opened.items() if n in before} == before


def test_receipts_that_an_impostor_publishes_free_nothing(home: Home, broker: Broker) -> None:
    sink, chain = Sink(home, broker), Chain(home, broker.port)
    sink.key = load.signing_key(home.authority_key)  # a key, but not the sink's
    chain.say(a_verdict(0))
    until(lambda: chain.service.false_receipts > 0, chain.step, sink.step)
    assert (chain.spool.waiting, chain.sealers_uplink.invalid) == (1, 0)


def test_a_broker_with_another_certificate_gets_nothing(home: Home, tmp_path: Path) -> None:
    stranger = Home(tmp_path / "stranger")
    stranger.ensure_development()
    with Broker(stranger, free_port()) as impostor:
        chain = Chain(home, impostor.port)
        chain.say(a_verdict(0))
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 1.0, chain.step)
        assert not chain.uplink.up and chain.uplink.connections == 0
        assert chain.spool.waiting == 1
