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
from device.confine import policy as policies
from device.confine import verify
from device.launcher.child import Child
from device.launcher.errors import StartError
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
    device.layers, device.utc_ms, device._told, device._went_at = {}, 0, set(), 0.0
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
