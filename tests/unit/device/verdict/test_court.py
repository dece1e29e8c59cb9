"""The court around the judge: what it remembers, whom it accuses, and what it does not let end it."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from device.channel import link as links
from device.channel import memory, topology
from device.channel.link import Link
from device.channel.messages import Go, Health, Message, Readings, Sightings, Verdict
from device.confine import policy as policies
from device.verdict import persistence
from device.verdict.judge import Judge
from device.verdict.service import VerdictService
from device.verdict.settings import VerdictSettings
from tests.support.verdict_drive import UTC_S, Journey, Sign


class Bench:
    """A court with real links and a real memory; `hears` holds what `sealer` is sent."""

    def __init__(self, descriptor: int, *, lockstep: bool = True) -> None:
        self._ends: list[Any] = []
        self.links: dict[str, Link] = {}
        me: Any = SimpleNamespace(
            descriptor=lambda name: os.dup(descriptor),
            link=self._link,
            sample=lambda stage, seconds: None,
            pause=lambda link: None,
            resume=lambda link: None,
            facts={},
            handled=0,
        )
        self.court = VerdictService(me, VerdictSettings(None, "test", lockstep, 0.5))
        self.court.begin(Go(UTC_S * 1000))

    def _link(self, peer: str) -> Link:
        ours, theirs = links.pair()
        self._ends.append(theirs)
        end = topology.end_of(policies.load("verdict"), peer)
        if peer == "sealer":
            self.sealer = Link("verdict", theirs, Verdict, Health)
        self.links[peer] = Link(peer, ours, permits=end.receives, sends=end.sends)
        return self.links[peer]

    def say(self, message: Sightings | Readings) -> None:
        peer = "perception" if isinstance(message, Sightings) else "codes"
        self.court.handlers[self.links[peer]][type(message)](message)

    def hears(self) -> list[Message]:
        self.court.step()
        heard = []
        while (message := self.sealer.receive()) is not None:
            heard.append(message)
        return heard


VERDICT = Verdict("test:1:2:1", "UNVERIFIED", 1, 1, 0.9, 1, 2, UTC_S * 1000, 8, None, None, ["perception_alone"])


@pytest.fixture
def descriptor() -> int:
    return memory.create()


def test_a_reader_that_is_caught_is_counted_against_its_own_link(descriptor: int) -> None:
    bench = Bench(descriptor)
    bench.say(Sightings(0, 0, 1536, 864, []))
    bench.say(Readings(0, 0, []))
    bench.say(Readings(10**6, 40, []))
    assert (bench.links["codes"].invalid, bench.links["perception"].invalid) == (1, 0)


def test_what_cannot_be_remembered_of_the_judge_does_not_cost_the_verdicts(descriptor: int) -> None:
    spoilt = msgspec.structs.replace(VERDICT, utc_ms=2**50)
    memory.Memory(os.dup(descriptor)).save(persistence.to_bytes(b"spoilt", [VERDICT, spoilt], set(), False))
    heard = Bench(descriptor).hears()
    assert VERDICT in heard
    assert [(one.kind, one.detail) for one in heard if isinstance(one, Health)] == [("restarted", "memory_lost")]


def test_a_good_memory_is_taken_up_without_a_word(descriptor: int) -> None:
    snapshot = Judge({}, None, stream="test").snapshot()
    memory.Memory(os.dup(descriptor)).save(persistence.to_bytes(snapshot, [VERDICT], set(), False))
    assert Bench(descriptor).hears() == [VERDICT]


def test_a_verdict_out_of_bounds_is_reported_and_does_not_end_the_court(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.verdict.intake.timeline.MAX_UTC_MS", 2**60)
    bench = Bench(descriptor)
    bench.court.begin(Go(2**48))
    drive = Journey([Sign(90.0)])
    for message in drive.messages():
        bench.say(message)
    bench.court._give(bench.court._judge.on_fixes_end())
    heard = bench.hears()
    assert [(one.kind, one.compartment, one.detail) for one in heard if isinstance(one, Health)] == [
        ("invalid_message", "verdict", "verdict_out_of_bounds")
    ]
    assert not [one for one in heard if isinstance(one, Verdict)]


def test_in_realtime_a_message_from_the_future_is_not_believed(descriptor: int) -> None:
    bench = Bench(descriptor, lockstep=False)
    bench.say(Sightings(0, 0, 1536, 864, []))
    bench.say(Sightings(1, 60_000, 1536, 864, []))
    assert bench.links["perception"].invalid == 1


def test_a_court_that_joins_a_running_stream_believes_its_time(descriptor: int) -> None:
    bench = Bench(descriptor, lockstep=False)
    bench.court.begin(Go(UTC_S * 1000, elapsed_ms=60_000))
    bench.say(Sightings(1500, 60_000, 1536, 864, []))
    assert bench.links["perception"].invalid == 0
