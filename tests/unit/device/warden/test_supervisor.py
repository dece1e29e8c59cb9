"""Warden lets a compartment go: what a compartment does in that moment ends nothing but itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from device.channel import damage, phases
from device.channel import link as links
from device.channel.link import Link
from device.channel.messages import Beat
from device.config import Config
from device.confine import policy as policies
from device.confine import verify
from device.launcher.child import Child
from device.launcher.errors import StartError
from device.warden.stream import StreamClock
from device.warden.supervisor import Supervisor


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that no layer holds; it ends when its standard input does."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def child_of(process: subprocess.Popen[bytes]) -> Child:
    """A compartment that has reported ready and has closed its control link."""
    child = Child.__new__(Child)
    ours, theirs = links.pair()
    theirs.close()
    child.policy = policies.load("indicator")
    child.name, child.pid, child.facts, child.phase = "indicator", process.pid, {}, "ready"
    child.process = SimpleNamespace(poll=lambda: None)  # type: ignore[assignment]  # bubblewrap is still there
    child.control = Link("indicator", ours, permits=phases.OF_WARDEN)
    return child


def warden_of(child: Child) -> Supervisor:
    device = Supervisor.__new__(Supervisor)
    device.children = {"indicator": child}
    device.layers, device.clock, device._told, device._went_at = {}, StreamClock(), set(), 0.0
    return device


def test_a_closed_control_link_does_not_end_the_run(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "enforced", lambda policy, pid: {"seccomp": True})
    device = warden_of(child_of(process))
    device._go()
    assert device.layers == {"indicator": {"seccomp": True}}


def test_a_compartment_that_dies_before_it_is_let_go_is_not_said_to_lack_layers(
    process: subprocess.Popen[bytes],
) -> None:
    process.kill()
    waited = subprocess.run(["/bin/sh", "-c", f"until grep -q ^State:.Z /proc/{process.pid}/status; do :; done"])
    device = warden_of(child_of(process))
    device._go()
    assert waited.returncode == 0 and device.layers == {} and device._told == set()


def test_a_living_compartment_that_lacks_a_layer_ends_the_run(process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(StartError, match="indicator runs without namespaces"):
        warden_of(child_of(process))._go()


@pytest.mark.parametrize(
    ("perception", "codes", "plausible"),
    [(900, 890, 890 + 32), (2**40, 890, 890 + 32), (900, 2**40, 900 + 32), (3, 5, 150 + 32)],
)
def test_no_reader_alone_says_how_far_the_stream_has_come(perception: int, codes: int, plausible: int) -> None:
    """After ten seconds of a camera of 15 frames a second; where it was faster than it said, both readers know."""
    device = Supervisor.__new__(Supervisor)
    device._plan = SimpleNamespace(pace="realtime")  # type: ignore[assignment]
    device._began, device.gone = 100.0, []
    device.children = {
        "capture": SimpleNamespace(beat=None, facts={"milli_fps": 15_000}),
        "perception": SimpleNamespace(beat=Beat(1, {}, {}, {}, {"last_frame": perception}), facts={}),
        "codes": SimpleNamespace(beat=Beat(1, {}, {}, {}, {"last_frame": codes}), facts={}),
    }  # type: ignore[assignment,dict-item]
    assert device._plausible_frame(110.0) == plausible


def test_what_stores_is_asked_to_stop_when_those_before_it_have_ended() -> None:
    """What they sent last is still on its way to it."""
    happened: list[str] = []

    class Ending:
        def __init__(self, name: str) -> None:
            self.name, self.control = name, None

        def ask_to_stop(self) -> None:
            happened.append(f"ask {self.name}")

        def ended(self) -> str:
            return "exit_0"

        def kill(self) -> None:
            """It has ended."""

        def release(self) -> None:
            happened.append(f"{self.name} ended")

    device = Supervisor.__new__(Supervisor)
    names = ("uplink", "sealer", "verdict", "perception")  # in any order, as restarts leave them
    device.children = {name: Ending(name) for name in names}  # type: ignore[misc]
    device.stop()
    assert happened == [
        *("ask perception", "ask verdict", "perception ended", "verdict ended"),
        *("ask sealer", "ask uplink", "sealer ended", "uplink ended"),
    ]


def doubting(clock: StreamClock, **changes: object) -> tuple[Supervisor, list[tuple[str, str, str]]]:
    """A warden that runs by this clock, and what it tells."""
    told: list[tuple[str, str, str]] = []
    facts = {"refusal": 0, "untimed_codes": 0} | changes
    device = Supervisor.__new__(Supervisor)
    device.clock, device._doubts_told = clock, set()
    device._plan = SimpleNamespace(gpx=changes.get("gpx", ""), kind=changes.get("kind", "video"))  # type: ignore[assignment]
    device.fact = device.total = lambda name, key: facts[key]  # type: ignore[assignment, method-assign, return-value]
    device._incident = lambda *said: told.append(said)  # type: ignore[assignment, method-assign, arg-type, return-value]
    return device, told


UNSURE = StreamClock(5, "container", doubts=("label_unsure", "time_old"))


@pytest.mark.parametrize(
    ("changes", "tells"), [({}, False), ({"gpx": "/g"}, True), ({"kind": "camera"}, True), ({"untimed_codes": 1}, True)]
)
def test_each_doubt_about_the_start_is_told_once_where_anything_is_judged_by_it(
    changes: dict[str, object], tells: bool
) -> None:
    device, told = doubting(UNSURE, **changes)
    device._tell_doubts()
    device._tell_doubts()
    both = [("clock_unsure", "warden", doubt) for doubt in ("label_unsure", "time_old")]
    assert told == (both if tells else [])


def test_a_sure_start_is_not_told_and_a_wrong_machine_clock_always() -> None:
    device, told = doubting(StreamClock(5, "given"), gpx="/g")
    device._tell_doubts()
    assert told == []
    device, told = doubting(StreamClock(0, "system", wall=False, doubts=("clock_impossible",)), kind="camera")
    device._tell_doubts()
    assert told == [("clock_unsure", "warden", "clock_impossible")]


def test_each_cause_for_which_the_broker_cannot_be_reached_is_told_once() -> None:
    device, told = doubting(StreamClock(5, "given"), refusal=1)
    for _ in range(2):
        device._tell_doubts()
    assert told == [("degraded", "uplink", "certificate_not_yet_valid")]
    device.fact = lambda name, key: 99  # type: ignore[assignment, method-assign, return-value]
    device._tell_doubts()
    assert len(told) == 1


class Heard:
    def __init__(self) -> None:
        self.messages: list[Any] = []

    def try_send(self, message: Any) -> bool:
        self.messages.append(message)
        return True


def capturing(facts: dict[str, int], done: dict[str, int] | None = None) -> Any:
    return SimpleNamespace(name="capture", beat=SimpleNamespace(facts=facts), done=done)


def with_sources(*starts: Any) -> tuple[Supervisor, Heard]:
    device, heard = Supervisor.__new__(Supervisor), Heard()
    device.children = {"capture": starts[0]}
    device.gone, device._damage_told = list(reversed(starts[1:])), {}
    device._health = device._launcher = heard  # type: ignore[assignment]
    device.clock = StreamClock()
    return device, heard


CORRUPT, CUT = damage.fact("frames_corrupt"), damage.fact("cut_off")


def test_damage_is_added_up_over_the_starts_of_capture_and_the_last_word_counts() -> None:
    device, _ = with_sources(capturing({CORRUPT: 3, "beside": 9}, {CORRUPT: 4, CUT: 1}), capturing({CORRUPT: 2}))
    assert device.damage() == {"frames_corrupt": 6, "cut_off": 1}


def test_damage_is_told_when_it_is_found_and_its_sum_at_the_end_and_no_more() -> None:
    source = capturing({CORRUPT: 1})
    device, heard = with_sources(source)
    for count in range(1, 50):
        source.beat.facts[CORRUPT] = count
        device._tell_damage()
    source.done = {CORRUPT: 60, CUT: 2**53}
    for _ in range(3):
        device._tell_damage()
    told = [(m.kind, m.detail, m.count) for m in heard.messages if hasattr(m, "count")]
    assert told == [
        ("input_damaged", "frames_corrupt", 1),
        ("input_damaged", "frames_corrupt", 60),
        ("input_damaged", "cut_off", 2**40),
    ]


@pytest.mark.parametrize(("done", "over"), [(None, False), ({"frames": 5}, True)])
def test_verdicts_word_that_all_is_judged_ends_no_run_whose_source_goes_on(
    done: dict[str, int] | None, over: bool
) -> None:
    device, _ = with_sources(capturing({}, done))
    device._plan = SimpleNamespace(config=Config())  # type: ignore[assignment]
    device._named, device._ended_at, device._finished_at, device._judged_at = {}, None, None, None
    device.children["verdict"] = SimpleNamespace(name="verdict", beat=SimpleNamespace(facts={"finished": 1}), done=None)  # type: ignore[assignment]
    device.children["sealer"] = SimpleNamespace(name="sealer", beat=SimpleNamespace(facts={}), done=None)  # type: ignore[assignment]
    assert device._over(100.0) is over
