"""A compartment that falls is started again within its budget; what it does cannot spend another's."""

from __future__ import annotations

import msgspec
import pytest

from device.launcher.errors import GivenUpError
from device.warden.blame import Sentence
from device.warden.table import ROWS
from tests.support.warden_bench import LIMITS, NAMES, Warden
from wire.vocabulary import CompartmentName


def falls(warden: Warden, name: CompartmentName, now: float, how: str = "exit_1") -> None:
    warden.child(name).how = how
    warden.hear_all(now)
    warden.watch.look(now)


def test_what_fell_is_started_again_and_told() -> None:
    warden = Warden()
    falls(warden, "codes", 100.0, "sigsegv")
    assert "codes" not in warden.roster.running
    assert warden.look(100.0) == ["codes"] and not warden.child("codes").killed
    assert warden.heard.incidents == [("restarted", "codes", "sigsegv")]
    assert warden.restarts.counts == {"codes": 1}


@pytest.mark.parametrize("name", [name for name in NAMES if ROWS[name].needed])
def test_a_needed_compartment_that_spends_its_budget_ends_the_run(name: CompartmentName) -> None:
    warden = Warden()
    for n in range(LIMITS.restarts):
        falls(warden, name, 100.0 + n)
        assert name in warden.look(101.5 + n)
    with pytest.raises(GivenUpError, match=f"{name} failed more than 2 times within 60 s"):
        falls(warden, name, 103.0)
    assert ("budget_spent", name, "exit_1") in warden.heard.incidents


@pytest.mark.parametrize("name", ["uplink", "indicator"])
def test_one_that_can_be_missed_stays_away_for_a_window_and_is_then_tried_again(name: CompartmentName) -> None:
    warden = Warden()
    for n in range(LIMITS.restarts + 1):
        falls(warden, name, 100.0 + n)
        warden.look(100.9 + n)
    assert name not in warden.roster.running
    assert warden.heard.incidents[-2:] == [("budget_spent", name, "exit_1"), ("degraded", name, "down")]
    assert warden.look(100.0 + 61.0) == [] and warden.look(102.0 + 60.0) == [name]


def test_a_new_source_gets_new_readers_and_they_pay_nothing() -> None:
    warden = Warden()
    before = {reader: warden.child(reader) for reader in ("perception", "codes")}
    falls(warden, "capture", 100.0)
    assert all(child.killed for child in before.values())
    assert warden.look(100.1) == ["capture", "perception", "codes"]
    assert warden.restarts.counts == {"capture": 1}


def test_a_source_whose_input_failed_ends_the_run_with_its_reason() -> None:
    warden = Warden()
    warden.child("capture").why = ("x.mp4 holds no frame", "give another")
    with pytest.raises(GivenUpError, match="holds no frame"):
        falls(warden, "capture", 100.0)


def test_a_source_that_had_done_its_work_is_not_missed() -> None:
    warden = Warden()
    warden.child("capture").done = {"frames": 5}
    warden.child("verdict").say(finished=1)
    falls(warden, "capture", 100.0)
    assert warden.look(200.0) == [] and warden.heard.incidents == []


def test_a_source_that_only_says_so_pays_and_is_started_again() -> None:
    """Its readers may not have heard of the end, and it may have said so at the first frame."""
    warden = Warden()
    warden.child("capture").done = {"frames": 5}
    falls(warden, "capture", 100.0)
    assert "capture" in warden.look(101.0) and ("restarted", "capture") in [i[:2] for i in warden.heard.incidents]
    assert not warden.roster.source_is_done()


def test_the_memory_of_what_falls_soon_after_each_start_is_emptied_and_told_again() -> None:
    warden = Warden(msgspec.structs.replace(LIMITS, restarts=10))
    for n in range(3):
        warden.child("verdict").lived = 1.0
        falls(warden, "verdict", 100.0 + 5 * n)
        warden.look(104.0 + 5 * n)
    assert warden.wiring.forgotten == ["verdict"]
    assert len(warden.roster.generations("position")) == 2  # its fixes were in that memory


def test_a_pair_pays_and_neither_of_the_two() -> None:
    """What the pair's budget lets pass leaves the whole of both their own."""
    warden = Warden()
    for n in range(2):
        warden.restarts.pair(Sentence(("perception",), 0.0, ("perception", "verdict")), "accused", 100.0 + n)
        assert warden.look(100.5 + n) == ["perception"]
    for n in range(LIMITS.restarts):
        falls(warden, "perception", 102.0 + n)
        assert warden.look(103.5 + n) == ["perception"]


def test_two_that_are_needed_end_the_run_when_their_pair_has_nothing_left_and_both_are_named() -> None:
    warden = Warden()
    with pytest.raises(GivenUpError, match="codes and verdict failed each other more than 2 times"):
        warden.restarts.pair(Sentence(("codes", "verdict"), None, ("codes", "verdict")), "accused", 100.0)
    assert {name for kind, name, _ in warden.heard.incidents if kind == "budget_spent"} == {"codes", "verdict"}


@pytest.mark.parametrize("needed", ["sealer", "verdict"])
def test_a_pair_with_one_that_can_be_missed_loses_that_one_and_its_link_is_emptied(needed: CompartmentName) -> None:
    name: CompartmentName = "uplink" if needed == "sealer" else "indicator"
    warden = Warden()
    kept = warden.child(needed)
    warden.restarts.pair(Sentence((name,), None, (needed, name)), "accused", 100.0)
    assert warden.wiring.discarded == [name] and warden.child(needed) is kept and not kept.killed
    assert ("degraded", name, "down") in warden.heard.incidents
    assert warden.look(159.0) == [] and warden.look(160.0) == [name]
