"""Sealer, uplink and dialer as the confined processes that they are, against a real broker: kills lose nothing."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.broker import Broker
from device.channel.errors import PeerClosedError
from device.channel.link import Link, pair
from device.channel.messages import VerdictStored
from device.confine import policy as policies
from device.dialer.settings import DialerSettings
from device.launcher.child import Child
from device.sealer.settings import SealerSettings
from device.uplink.settings import UplinkSettings
from identity import Home
from tests.support.sealer_samples import a_verdict
from tests.support.sink import Sink
from tests.support.waiting import until
from wire import events

RUN = "ab" * 16


class DidNotStartError(Exception):
    """A compartment did not start; the message is its own."""


class Telemetry:
    """The three compartments, and the ends of the links that verdict and warden hold."""

    def __init__(self, home: Home, port: int, *, on_camera: bool = False) -> None:
        self.home, self.port = home, port
        ends = {name: pair() for name in ("verdict", "health", "uplink", "dialer")}
        self._ends = ends
        self.verdict = Link("sealer", ends["verdict"][0], VerdictStored)
        keys = [home.device / "signing.key", home.device / "id"]
        public = [home.trust / "sink_hpke.pub", home.trust / "receipt.pub"]
        tls = [home.device / name for name in ("tls.key", "tls.crt", "ca.crt")]
        where = UplinkSettings(str(home.path), "localhost", port, linger=on_camera)
        sealing = SealerSettings(str(home.path), RUN, 2**22, uplink=True, on_camera=on_camera)
        self._how = {
            "sealer": (
                {"verdict": ends["verdict"][1], "health": ends["health"][1], "uplink": ends["uplink"][0]},
                sealing,
                {"signing": [*keys, *public], "spool": [home.spool]},
            ),
            "uplink": ({"sealer": ends["uplink"][1], "dialer": ends["dialer"][0]}, where, {"tls": tls}),
            "dialer": ({"uplink": ends["dialer"][1]}, DialerSettings("localhost", port), {}),
        }
        self.children = {name: self.start(name) for name in self._how}

    def start(self, name: str) -> Child:
        ends, settings, places = self._how[name]
        descriptors = {peer: end.fileno() for peer, end in ends.items()}
        child = Child(policies.load(name), descriptors, settings, places)
        until(lambda: child.facts is not None or child.failed is not None, lambda: listen_to(child))
        if child.failed is not None:
            child.release()
            raise DidNotStartError(child.reason({"home": str(self.home.path)}))
        child.go(0)
        return child

    def kill(self, name: str) -> None:
        os.kill(self.children[name].pid, signal.SIGKILL)
        self.children[name].release()
        self.children[name] = self.start(name)

    def send(self, *numbers: int) -> set[str]:
        for number in numbers:
            self.verdict.send(a_verdict(number))
        return {f"v-{number}" for number in numbers}

    def stored(self) -> set[str]:
        got = set()
        while isinstance(message := self.verdict.receive(), VerdictStored):
            got.add(message.verdict_id)
        return got

    def listen(self) -> None:
        for child in self.children.values():
            child.listen()

    def fact(self, name: str, fact: str) -> int:
        beat = self.children[name].beat
        return beat.facts.get(fact, -1) if beat is not None else -1

    def stop(self) -> None:
        for child in self.children.values():
            child.kill()
            child.release()
        for first, second in self._ends.values():
            first.close()
            second.close()


def listen_to(child: Child) -> None:
    with contextlib.suppress(PeerClosedError):  # after it has said why
        child.listen()


@pytest.fixture
def telemetry(home: Home, broker: Broker) -> Iterator[Telemetry]:
    made = Telemetry(home, broker.port)
    yield made
    made.stop()


def test_verdicts_go_through_and_are_receipted_whichever_process_is_killed(
    telemetry: Telemetry, home: Home, broker: Broker
) -> None:
    sink = Sink(home, broker)
    stored: set[str] = set()
    sent: set[str] = set()

    def all_receipted() -> bool:
        stored.update(telemetry.stored())
        return stored >= sent and len(sink.opened) > len(sent) and telemetry.fact("sealer", "waiting") == 0

    sent |= telemetry.send(0, 1, 2)
    until(all_receipted, telemetry.listen, sink.step)
    for number, victim in enumerate(("sealer", "uplink", "dialer"), 1):
        sent |= telemetry.send(10 * number)
        telemetry.kill(victim)
        sent |= telemetry.send(10 * number + 1)
        if victim == "sealer":
            telemetry.send(10)  # verdict may have had no acknowledgement: it would send again
        until(all_receipted, telemetry.listen, sink.step)
    broker.kill()
    sent |= telemetry.send(50, 51)
    until(lambda: stored.update(telemetry.stored()) or stored >= sent, telemetry.listen, sink.step)
    broker.start()
    until(all_receipted, telemetry.listen, sink.step)
    assert sorted(sink.opened) == list(range(1 + len(sent)))  # `started`, and each once, none missing
    invalid = {n: c.beat.invalid for n, c in telemetry.children.items() if c.beat is not None and c.beat.invalid}
    assert invalid == {}


def test_on_a_camera_they_say_that_they_stop_and_it_is_delivered(home: Home, broker: Broker) -> None:
    sink, telemetry = Sink(home, broker), Telemetry(home, broker.port, on_camera=True)
    try:
        until(lambda: len(sink.opened) == 1 and telemetry.fact("sealer", "waiting") == 0, telemetry.listen, sink.step)
        for child in telemetry.children.values():
            child.ask_to_stop()
        sealer, uplink = telemetry.children["sealer"], telemetry.children["uplink"]
        until(lambda: sealer.ended() is not None and uplink.ended() is not None, sink.step, seconds=5.0)
        said = [events.parse(opened.event) for _, opened in sorted(sink.opened.items())]
        assert [event.kind for event in said if isinstance(event, events.HealthEvent)] == ["started", "stopped"]
        listen_to(sealer)
        assert (telemetry.fact("sealer", "waiting"), telemetry.fact("sealer", "receipted")) == (0, 2)
    finally:
        telemetry.stop()


def test_each_of_them_is_confined(telemetry: Telemetry) -> None:
    own_network = Path("/proc/self/ns/net").readlink()
    for name, child in telemetry.children.items():
        status = Path(f"/proc/{child.pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert (fields["Seccomp"].strip(), fields["NoNewPrivs"].strip()) == ("2", "1"), name
        assert int(fields["CapEff"], 16) == 0, name
        assert (Path(f"/proc/{child.pid}/ns/net").readlink() == own_network) == (name == "dialer"), name


def test_a_damaged_spool_stops_the_sealer_with_one_sentence(home: Home) -> None:
    (home.spool / "spool.db").write_bytes(b"junk" * 1000)
    (home.spool / "spool.db").chmod(0o600)
    with pytest.raises(DidNotStartError, match=r"move spool\.db away"):
        Telemetry(home, 1)
    assert (home.spool / "spool.db").read_bytes() == b"junk" * 1000
