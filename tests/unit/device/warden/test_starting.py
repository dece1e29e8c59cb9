"""Warden lets a compartment go: what a compartment does in that moment ends nothing but itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from device.channel import link as links
from device.channel import phases
from device.channel.link import Link
from device.confine import policy as policies
from device.confine import verify
from device.launcher.child import Child
from device.launcher.errors import StartError
from device.warden.roster import Roster
from device.warden.starting import Starter
from device.warden.stream import StreamClock
from tests.support.warden_bench import FakeChild, plan


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that no layer holds; it ends when its standard input does."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def starter(pace: str = "lockstep", **children: Any) -> Starter:
    parts: Any = (plan(pace=pace), None, None, Roster())
    made = Starter(*parts)
    made._roster.running.update(children)  # type: ignore[arg-type]
    return made


def ready_but_gone(process: subprocess.Popen[bytes]) -> Child:
    """A compartment that has reported ready and has closed its control link."""
    child = Child.__new__(Child)
    ours, theirs = links.pair()
    theirs.close()
    child.policy = policies.load("indicator")
    child.name, child.pid, child.facts, child.phase, child.told = "indicator", process.pid, {}, "ready", False
    child.process = SimpleNamespace(poll=lambda: None)  # type: ignore[assignment]  # bubblewrap is still there
    child.control = Link("indicator", ours, permits=phases.OF_WARDEN)
    return child


def test_a_closed_control_link_does_not_end_the_run(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "enforced", lambda policy, pid: {"seccomp": True})
    made = starter(indicator=ready_but_gone(process))
    made.go(StreamClock())
    assert made.layers == {"indicator": {"seccomp": True}}


def test_a_compartment_that_dies_before_it_is_let_go_is_not_said_to_lack_layers(
    process: subprocess.Popen[bytes],
) -> None:
    process.kill()
    waited = subprocess.run(["/bin/sh", "-c", f"until grep -q ^State:.Z /proc/{process.pid}/status; do :; done"])
    child = ready_but_gone(process)
    made = starter(indicator=child)
    made.go(StreamClock())
    assert waited.returncode == 0 and made.layers == {} and not child.told


def test_a_living_compartment_that_lacks_a_layer_ends_the_run(process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(StartError, match="indicator runs without namespaces"):
        starter(indicator=ready_but_gone(process)).go(StreamClock())


@pytest.mark.parametrize(
    ("perception", "codes", "plausible"),
    [(900, 890, 890 + 32), (2**40, 890, 890 + 32), (900, 2**40, 900 + 32), (3, 5, 150 + 32)],
)
def test_no_reader_alone_says_how_far_the_stream_has_come(perception: int, codes: int, plausible: int) -> None:
    """After ten seconds of a camera of 15 frames a second; where it was faster than it said, both readers know."""
    children = {name: FakeChild(name) for name in ("capture", "verdict")}  # type: ignore[arg-type]
    children["capture"].facts = {"milli_fps": 15_000}
    children["verdict"].say(perception_reached=perception, codes_reached=codes)
    made = starter("realtime", **children)
    made._began = 100.0
    assert made._plausible_frame(110.0) == plausible


def test_neither_a_reader_nor_a_successor_of_verdict_sends_the_frames_back() -> None:
    """What a reader says of itself counts for nothing here, and what verdict said once it cannot take back."""
    children = {name: FakeChild(name) for name in ("capture", "perception", "codes", "verdict")}  # type: ignore[arg-type]
    made = starter(**children)
    children["perception"].say(last_frame=0)
    children["verdict"].say(perception_reached=250, codes_reached=251)
    children["verdict"].say(perception_reached=0, codes_reached=0)
    assert made._plausible_frame(110.0) == 250 + 32
