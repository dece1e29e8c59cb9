"""The loop that joins warden's parts: garbage from a compartment, its end while it starts, and the word to stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from device.channel import link as links
from device.channel.errors import HostileMessageError
from device.channel.link import Link
from device.channel.messages import Beat, Stop
from device.launcher.errors import StartError
from device.warden.supervisor import Supervisor
from tests.support.warden_bench import FakeChild, Warden


class Talking(FakeChild):
    """A fake child with a real control link."""

    def __init__(self, name: Any) -> None:
        super().__init__(name)
        ours, self.theirs = links.pair()
        self.control = Link(name, ours, Beat)

    def is_heard(self) -> bool:
        return True

    def listen(self) -> None:
        message: Any = self.control.receive()
        self.beat = message or self.beat


@pytest.fixture
def device() -> Iterator[tuple[Supervisor, Warden, Link]]:
    """A supervisor whose compartments talk, and the command's end of its link."""
    warden, made = Warden(), Supervisor.__new__(Supervisor)
    ours, theirs = links.pair()
    made._launcher, made._named, made.stopping = Link("launcher", ours, Stop), {}, False
    made.roster, made._watch, made.restarts = warden.roster, warden.watch, warden.restarts
    for name in list(warden.roster.running):
        child: Any = Talking(name)
        warden.roster.running[name] = child
    command = Link("warden", theirs)
    yield made, warden, command
    command.close()


def test_garbage_from_a_compartment_kills_it_and_the_others_are_heard(device: Any) -> None:
    made, warden, _ = device
    hostile, honest = warden.child("codes"), warden.child("sealer")
    hostile.theirs.send(b"\xff garbage")
    Link("warden", honest.theirs).send(Beat(7, {}, {}, {}, {}))
    made._turn()
    assert hostile.killed and not honest.killed and honest.handled == 7
    assert warden.heard.incidents == [("invalid_message", "codes", "dropped")]


def test_who_floods_warden_is_not_heard_until_it_may(device: Any) -> None:
    made, warden, _ = device
    child = warden.child("codes")
    child.is_heard = lambda: False
    child.theirs.send(b"\xff garbage")
    made._turn()
    assert not child.killed
    with pytest.raises(HostileMessageError):
        child.listen()


def test_a_compartment_that_ends_while_it_starts_ends_the_start_with_its_reason(device: Any) -> None:
    made, warden, _ = device
    made._notice_ends()
    child = warden.child("capture")
    child.how, child.why = "exit_1", ("the video cannot be read", "give another")
    with pytest.raises(StartError, match="the video cannot be read"):
        made._notice_ends()
    assert child.released and "capture" not in warden.roster.running


def test_one_that_ends_without_a_word_is_named(device: Any) -> None:
    made, warden, _ = device
    warden.child("position").how = "sigkill"
    with pytest.raises(StartError, match=r"position ended while starting \(sigkill\) without saying why"):
        made._notice_ends()


def test_the_commands_word_and_the_commands_end_both_stop_the_run(device: Any) -> None:
    made, _, command = device
    made._turn()
    assert not made.stopping
    command.send(Stop())
    made._turn()
    assert made.stopping
    made.stopping = False
    command.close()
    made._turn()
    assert made.stopping
