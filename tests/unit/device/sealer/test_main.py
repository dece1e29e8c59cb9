"""The program of the sealer: its settings, its keys, what it joins to what, and its last words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from device.channel import compartment
from device.channel.compartment import Compartment
from device.channel.messages import Go, Health, Message, ReceiptBytes, SealedEnvelope, Verdict, VerdictStored
from device.sealer import __main__ as process
from device.sealer.identity_files import identity_of
from device.sealer.settings import SealerSettings
from device.sealer.spool import Spool
from identity import Home, load
from tests.support.sealer_samples import RUN, Wire, a_verdict
from wire import cose, envelope, events, receipt, topics

MIB = 1024 * 1024
Handlers = Mapping[Any, Callable[[Message], None]]


class Clock:
    """The process's time, in the test's hands."""

    def __init__(self) -> None:
        self.now = 50.0
        self.work = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_700_000_000.4567

    def perf_counter(self) -> float:
        self.work += 0.25
        return self.work


class PretendCompartment:
    """A compartment without a warden: `during` is what happens while it serves, once for each call of `serve`."""

    def __init__(self, settings: SealerSettings, *during: Callable[[PretendCompartment], None]) -> None:
        self._settings = msgspec.json.encode(settings)
        self._during = list(during)
        self.links: dict[str, Wire] = {}
        self.calls: list[str] = []
        self.samples: list[tuple[str, float]] = []
        self.facts: dict[str, int] = {}
        self.handled = 0
        self.stopping = False
        self.wall = True

    def settings(self, kind: type[Any]) -> Any:
        return msgspec.json.decode(self._settings, type=kind, strict=True)

    def link(self, end: str) -> Wire:
        self.links[end] = Wire()
        return self.links[end]

    def ready(self) -> Go:
        self.calls.append("ready")
        return Go(0, wall=self.wall)

    def sample(self, stage: str, seconds: float) -> None:
        self.samples.append((stage, seconds))

    timed = Compartment.timed
    serve_until = Compartment.serve_until

    def serve(
        self, handlers: Handlers, *, tick: Callable[[], None], tick_seconds: Callable[[], float], watches: None = None
    ) -> None:
        self.calls.append("serve")
        self.handlers, self.tick, self.tick_seconds = handlers, tick, tick_seconds
        self._during.pop(0)(self)
        self.stopping = True

    def drain(self, handlers: Handlers, *, at_most: float) -> None:
        self.calls.append("drain")

    def report(self) -> None:
        self.calls.append("report")

    def say(self, peer: str, message: Message) -> None:
        self.handlers[self.links[peer]][type(message)](message)

    def envelopes(self) -> list[SealedEnvelope]:
        return self.links["uplink"].envelopes()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(process, "time", made)
    monkeypatch.setattr(compartment, "time", made)
    return made


def settings(home: Home, *, on_camera: bool = False, uplink: bool = True) -> SealerSettings:
    return SealerSettings(str(home.path), RUN, MIB, uplink, on_camera)


def run(home: Home, *during: Callable[[PretendCompartment], None], **chosen: bool) -> PretendCompartment:
    me = PretendCompartment(settings(home, **chosen), *during)
    process.main(me)  # type: ignore[arg-type]
    return me


def nothing(me: PretendCompartment) -> None:
    """Nothing happens."""


def event_in(home: Home, sent: SealedEnvelope) -> events.Event:
    """The event in an envelope, as the sink reads it."""
    opened = envelope.open_envelope(
        sent.sealed,
        topic=topics.envelope_topic(home.device_id()),
        device_id=home.device_id(),
        sink_private=load.sink_private(home.sink / "hpke.key"),
        device_key=load.signing_key(home.device / "signing.key").public_key(),
    )
    return events.parse(opened.event)


def answer(home: Home, sent: SealedEnvelope) -> ReceiptBytes:
    key = load.signing_key(home.sink / "receipt.key")
    return ReceiptBytes(receipt.issue(home.device_id(), sent.sequence, envelope.digest(sent.sealed), key))


@pytest.mark.parametrize(
    ("field", "value", "good"),
    [
        ("max_bytes", MIB, True),
        ("max_bytes", MIB - 1, False),
        ("run_id", "a" * 32, True),
        ("run_id", "a" * 31, False),
        ("run_id", "a" * 33, False),
        ("run_id", "A" * 32, False),
        ("more", 1, False),
    ],
)
def test_settings_are_bounded_and_no_others_are_taken(field: str, value: object, good: bool) -> None:
    plain = {"home": "/h", "run_id": RUN, "max_bytes": MIB, "uplink": True}
    try:
        taken = msgspec.convert({**plain, field: value}, SealerSettings)
    except msgspec.ValidationError:
        assert not good
    else:
        assert good
        assert taken.on_camera is False


def test_the_identity_is_the_homes(home: Home) -> None:
    identity = identity_of(home)
    public = load.signing_key(home.device / "signing.key").public_key()
    assert identity.device_id == home.device_id()
    assert identity.key_id == cose.key_id(public)
    assert identity.receipt_key == load.signing_key(home.sink / "receipt.key").public_key()
    assert identity.sink_key == load.sink_private(home.sink / "hpke.key").public


def test_each_peer_may_send_its_own_messages_only(home: Home) -> None:
    me = run(home, nothing)
    taken = {end: set(me.handlers[link]) for end, link in me.links.items()}
    assert taken == {"verdict": {Verdict, Health}, "health": {Health}, "uplink": {ReceiptBytes}}
    assert me.calls == ["ready", "serve", "drain", "report"]


def test_what_comes_from_each_peer_is_handled_counted_and_measured(home: Home, clock: Clock) -> None:
    def talk(me: PretendCompartment) -> None:
        me.say("verdict", a_verdict())
        me.say("health", Health("restarted", "codes", 1, 1000, "two\nlines"))
        me.say("uplink", answer(home, me.envelopes()[0]))
        me.tick()

    me = run(home, talk)
    assert me.links["verdict"].sent == [VerdictStored("v-1")]
    assert (me.links["verdict"].invalid, me.links["health"].invalid) == (0, 1)
    assert me.samples == [("seal", 0.25), ("seal", 0.25)]
    assert me.handled == 2
    counted = {name: count for name, count in me.facts.items() if count}
    assert counted == {"sealed": 2, "offered": 2, "receipted": 1, "waiting": 1, "finished": 1}


def test_a_run_says_that_it_started_with_the_time_in_milliseconds(home: Home, clock: Clock) -> None:
    me = run(home, lambda me: me.tick())
    (sent,) = me.envelopes()
    assert event_in(home, sent) == events.HealthEvent("started", "sealer", 1, 1_700_000_000_457, "replay")


def test_a_clock_that_is_known_to_be_wrong_stamps_no_event(home: Home, clock: Clock) -> None:
    made = PretendCompartment(settings(home), lambda me: me.tick())
    made.wall = False
    process.main(made)  # type: ignore[arg-type]
    (sent,) = made.envelopes()
    assert event_in(home, sent) == events.HealthEvent("started", "sealer", 1, 0, "replay")


def test_a_recording_has_no_last_words_and_lets_go_of_the_spool(home: Home) -> None:
    me = run(home, nothing)
    assert me.calls == ["ready", "serve", "drain", "report"]
    spool = Spool(
        home.spool, device_id=home.device_id(), run_id=RUN, max_bytes=MIB, sink_key=identity_of(home).sink_key.digest
    )
    assert spool.waiting == 1
    spool.close()


def test_without_a_broker_nothing_is_offered(home: Home) -> None:
    me = run(home, lambda me: me.tick(), uplink=False)
    assert me.envelopes() == []
    assert me.facts["waiting"] == 1


def test_it_looks_again_at_least_four_times_a_second(home: Home, clock: Clock) -> None:
    waits = []

    def wait(me: PretendCompartment) -> None:
        me.tick()
        waits.append(me.tick_seconds())
        clock.now += 0.875
        waits.append(me.tick_seconds())

    run(home, wait)
    assert waits == [0.25, 0.125]


def test_the_last_words_are_waited_for_until_they_are_receipted(home: Home, clock: Clock) -> None:
    stopping = []

    def end(me: PretendCompartment) -> None:
        assert me.tick_seconds() == 0.05
        stopping.append(me.stopping)
        me.tick()
        stopping.append(me.stopping)
        for sent in me.envelopes():
            me.say("uplink", answer(home, sent))
        me.tick()
        stopping.append(me.stopping)

    me = run(home, nothing, end, on_camera=True)
    assert me.calls == ["ready", "serve", "drain", "serve", "report"]
    assert stopping == [False, False, True]
    assert [event_in(home, sent) for sent in me.envelopes()] == [
        events.HealthEvent("started", "sealer", 1, 1_700_000_000_457, "camera"),
        events.HealthEvent("stopped", "sealer", 1, 1_700_000_000_457, "camera"),
    ]
    assert me.facts["waiting"] == 0


def test_the_last_words_are_waited_for_two_seconds_and_go_with_the_next_run_else(home: Home, clock: Clock) -> None:
    stopping = []

    def end(me: PretendCompartment) -> None:
        for now in (51.999, 52.0):
            clock.now = now
            me.tick()
            stopping.append(me.stopping)

    run(home, nothing, end, on_camera=True)
    assert stopping == [False, True]
    spool = Spool(
        home.spool, device_id=home.device_id(), run_id=RUN, max_bytes=MIB, sink_key=identity_of(home).sink_key.digest
    )
    assert spool.waiting == 2
    spool.close()
