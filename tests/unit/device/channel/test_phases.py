"""What may be asked now: a message that its type allows is refused in the wrong phase, and for a second time."""

from __future__ import annotations

from typing import get_args

import pytest

from device.channel import link as links
from device.channel import phases
from device.channel.errors import HostileMessageError, OwnFaultError
from device.channel.link import Link
from device.channel.messages import Beat, Done, Failed, Go, Message, Ready, Stop, Verdict
from device.confine.policy import Permit, Phase

BEAT = Beat(0, {}, {}, {}, {})
SAID_TO_WARDEN: dict[type[Message], Message] = {
    Ready: Ready({}),
    Beat: BEAT,
    Done: Done({}),
    Failed: Failed("unexpected"),
}
SAID_TO_A_COMPARTMENT: dict[type[Message], Message] = {Go: Go(0), Stop: Stop()}


class Pair:
    """A link whose receiving end is in a phase that the test chooses."""

    def __init__(self, permits: phases.Permits) -> None:
        ours, theirs = links.pair()
        self.phase: Phase = "starting"
        self.receiver = Link("peer", ours, permits=permits, phase=lambda: self.phase)
        self.sender = Link("us", theirs)

    def gives(self, message: Message, phase: Phase) -> Message | None:
        self.phase = phase
        self.sender.send(message)
        return self.receiver.receive()


@pytest.mark.parametrize("phase", get_args(Phase))
@pytest.mark.parametrize("kind", [Go, Stop])
def test_a_compartment_takes_from_warden_what_its_phase_allows(kind: type[Message], phase: Phase) -> None:
    pair = Pair(phases.OF_A_COMPARTMENT)
    allowed = {Go: {"ready"}, Stop: set(get_args(Phase))}[kind]  # type: ignore[index]
    if phase in allowed:
        assert pair.gives(SAID_TO_A_COMPARTMENT[kind], phase) == SAID_TO_A_COMPARTMENT[kind]
    else:
        with pytest.raises(HostileMessageError, match="now"):
            pair.gives(SAID_TO_A_COMPARTMENT[kind], phase)
    assert pair.receiver.invalid == (phase not in allowed)


@pytest.mark.parametrize("phase", get_args(Phase))
@pytest.mark.parametrize("kind", [Ready, Beat, Done, Failed])
def test_warden_takes_from_a_compartment_what_its_phase_allows(kind: type[Message], phase: Phase) -> None:
    pair = Pair(phases.OF_WARDEN)
    working = {"running", "ending"}
    allowed = {Ready: {"starting"}, Beat: working, Done: working, Failed: set(get_args(Phase))}[kind]  # type: ignore[index]
    if phase in allowed:
        assert pair.gives(SAID_TO_WARDEN[kind], phase) == SAID_TO_WARDEN[kind]
    else:
        with pytest.raises(HostileMessageError):
            pair.gives(SAID_TO_WARDEN[kind], phase)


@pytest.mark.parametrize("kind", [Ready, Done, Failed])
def test_what_may_come_once_is_refused_the_second_time(kind: type[Message]) -> None:
    pair = Pair(phases.OF_WARDEN)
    phase: Phase = "starting" if kind is Ready else "running"
    pair.gives(SAID_TO_WARDEN[kind], phase)
    with pytest.raises(HostileMessageError):
        pair.gives(SAID_TO_WARDEN[kind], phase)


def test_the_time_is_given_once_also_to_a_compartment_that_asks_again() -> None:
    pair = Pair(phases.OF_A_COMPARTMENT)
    assert pair.gives(Go(1), "ready") == Go(1)
    with pytest.raises(HostileMessageError):
        pair.gives(Go(2), "ready")


def test_a_beat_may_come_again_and_again() -> None:
    pair = Pair(phases.OF_WARDEN)
    assert [pair.gives(BEAT, "running") for _ in range(3)] == [BEAT] * 3


def test_an_end_sends_only_what_its_policy_lets_it_send() -> None:
    ours, _ = links.pair()
    with pytest.raises(OwnFaultError, match="no Stop"):
        Link("peer", ours, sends={Go}).send(Stop())


def test_an_end_without_permits_takes_nothing() -> None:
    pair = Pair({})
    with pytest.raises(HostileMessageError):
        pair.gives(Stop(), "running")


def test_a_type_that_is_not_permitted_is_refused_in_every_phase() -> None:
    pair = Pair({Stop: Permit(["running"])})
    with pytest.raises(HostileMessageError):
        pair.gives(Go(0), "running")
    assert Verdict not in pair.receiver.receives
