"""A compartment as its starter sees it: its restart budget, and what it may say to warden, and how often."""

from __future__ import annotations

import time
from typing import Any

import pytest

from device.channel import link as links
from device.channel import phases
from device.channel.errors import HostileMessageError
from device.channel.link import Link
from device.channel.messages import STAGES, Beat, Done, Failed, StageName
from device.channel.rate import Bucket
from device.launcher.child import MESSAGES_A_SECOND, MESSAGES_AT_ONCE, MOST_KEYS, Child, RestartBudget
from wire.vocabulary import CompartmentName


def running(name: CompartmentName) -> tuple[Child, Link, list[tuple[str, int]]]:
    """A running compartment without a process, its own end of the control link, and the samples that it told."""
    ours, theirs = links.pair()
    child, told = Child.__new__(Child), []
    child.name, child.phase, child.beat, child.failed = name, "running", None, None
    child.done = child.since_done = None
    child.heard, child.floods, child.highest = 0.0, False, {}
    child.control = Link(name, ours, permits=phases.OF_WARDEN, phase=lambda: child.phase)
    child._samples = lambda stage, samples: told.append((stage, len(samples)))
    child._rate = Bucket(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
    process: Any = type("Process", (), {"wait": lambda self: 0})
    child.process = process()
    return child, Link("warden", theirs), told


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_compartment_tells_of_its_own_stages(name: CompartmentName) -> None:
    child, theirs, told = running(name)
    theirs.send(Beat(0, {}, {}, {stage: [1.0, 2.0] for stage in STAGES[name]}, {}))
    child.listen()
    assert told == [(stage, 2) for stage in STAGES[name]]


@pytest.mark.parametrize(("name", "stage"), [("uplink", "detect"), ("codes", "verdict"), ("capture", "seal")])
def test_anothers_stage_is_hostile_and_nothing_of_it_is_kept(name: CompartmentName, stage: StageName) -> None:
    child, theirs, told = running(name)
    theirs.send(Beat(5, {}, {}, {stage: [1.0]}, {}))
    with pytest.raises(HostileMessageError, match=stage):
        child.listen()
    assert told == [] and child.beat is None and child.control.invalid == 1


def test_who_sends_more_than_it_may_waits_in_the_kernel_and_is_neither_silent_nor_lost() -> None:
    child, theirs, _ = running("codes")
    sent = 0
    while theirs.try_send(Beat(sent, {}, {}, {}, {})):
        sent += 1
    assert sent > MESSAGES_AT_ONCE
    before = time.monotonic()
    for _ in range(20):
        child.listen()
    assert child.beat is not None and child.handled < MESSAGES_AT_ONCE + 60
    assert child.floods and child.heard >= before and not child.is_heard()
    theirs.try_send(Failed("unexpected"))
    child.release()
    assert child.handled > MESSAGES_AT_ONCE


def test_a_budget_gives_growing_pauses_and_then_ends() -> None:
    budget = RestartBudget(allowed=3, window=60.0)
    waits = [budget.spend(t) for t in (0.0, 1.0, 2.0, 3.0)]
    assert waits[:3] == sorted(w for w in waits[:3] if w is not None) and waits[3] is None
    assert budget.total == 3


def test_a_budget_recovers_after_its_window() -> None:
    budget = RestartBudget(allowed=1, window=10.0)
    assert budget.spend(0.0) is not None
    assert budget.spend(9.0) is None
    assert budget.spend(10.5) is not None


def test_the_highest_that_was_ever_said_is_kept_also_between_two_looks_and_in_bounded_room() -> None:
    child, theirs, _ = running("capture")
    for facts in ({"damage.cut_off": 7}, {"damage.cut_off": 0}, {"waiting": 1}):
        theirs.send(Beat(0, {}, {}, {}, facts))
    theirs.send(Done({"damage.cut_off": 3, "waiting": 4}))
    child.listen()
    assert child.highest == {"damage.cut_off": 7, "waiting": 4}
    for n in range(100):
        child._on_beat(Beat(0, {}, {}, {}, {f"made.up.{n}": n}))
    assert len(child.highest) == MOST_KEYS
