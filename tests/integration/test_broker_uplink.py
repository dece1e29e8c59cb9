"""Sealer and uplink against a real broker: what is sealed arrives, whichever of them is away for a while."""

from __future__ import annotations

import time
from pathlib import Path

from demo.broker import Broker, free_port
from device.channel.messages import Health, VerdictStored
from identity import Home, load
from tests.support.device_chain import Chain
from tests.support.sealer_samples import a_verdict
from tests.support.sink import Sink
from tests.support.waiting import until
from wire import events


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
