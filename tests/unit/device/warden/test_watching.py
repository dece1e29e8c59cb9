"""What warden does about compartments that are hostile: with fake children, and a clock in the test's hands."""

from __future__ import annotations

from typing import Any

import pytest

from device.channel.messages import Beat
from device.launcher.errors import GivenUpError
from device.warden.watching import HELD_SECONDS, STALLS
from tests.support.warden_bench import LIMITS, NAMES, Warden
from wire.vocabulary import CompartmentName


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_message_kills_who_sent_it_to_warden(name: CompartmentName) -> None:
    warden = Warden()
    child = warden.child(name)
    warden.watch.hostile(name)
    assert child.killed
    warden.look(100.0)
    assert child.released and warden.heard.incidents[:2] == [
        ("invalid_message", name, "dropped"),
        ("restarted", name, "sigkill"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_who_is_silent_for_too_long_is_killed(name: CompartmentName) -> None:
    warden = Warden()
    warden.look(100.0)
    quiet = warden.child(name)
    for child in warden.roster.running.values():
        child.heard = 119.0
    quiet.heard = 100.0
    warden.watch.look(120.0)
    assert not quiet.killed
    warden.watch.look(120.1)
    assert quiet.killed and [c.name for c in warden.roster.running.values() if c.how] == [name]  # type: ignore[attr-defined]
    assert warden.heard.incidents == [("restarted", name, "silent")]


def test_who_is_accused_is_restarted_by_the_pairs_budget() -> None:
    warden = Warden()
    accused = warden.child("codes")
    warden.child("verdict").say(invalid={"codes": 3})
    warden.look(100.0)
    assert accused.killed and not warden.child("verdict").killed
    assert warden.heard.incidents == [
        ("invalid_message", "codes", "said_by_verdict"),
        ("restarted", "codes", "accused"),
    ]
    assert warden.look(100.1) == ["codes"]
    assert warden.look(101.0) == []  # the same three are not blamed again


def test_uplink_cannot_end_the_device_by_accusing_sealer() -> None:
    """It loses only itself, for a window, and sealer is never touched."""
    warden = Warden()
    sealer = warden.child("sealer")
    for n in range(1, 200):
        if "uplink" in warden.roster.running:
            warden.child("uplink").say(invalid={"sealer": n})
        warden.look(100.0 + 0.3 * n)
    assert warden.child("sealer") is sealer and not sealer.killed
    assert ("degraded", "uplink", "down") in warden.heard.incidents
    assert len(warden.heard.incidents) < 15


def test_indicator_cannot_end_the_device_by_garbage_to_verdict() -> None:
    """Verdict says so honestly, again and again, and is not restarted for it."""
    warden = Warden()
    verdict = warden.child("verdict")
    for n in range(1, 200):
        verdict.say(invalid={"indicator": 100 * n})
        warden.look(100.0 + 0.3 * n)
    assert warden.child("verdict") is verdict and not verdict.killed
    assert ("degraded", "indicator", "down") in warden.heard.incidents
    assert len(warden.heard.incidents) < 15  # a minute's worth, whatever is said while it is away


def test_who_accuses_one_that_it_shares_no_link_with_pays_itself() -> None:
    warden = Warden()
    liar, sealer = warden.child("indicator"), warden.child("sealer")
    liar.say(invalid={"sealer": 1})
    warden.look(100.0)
    assert liar.killed and not sealer.killed


def test_a_flood_is_told_and_counted_and_nobody_is_restarted() -> None:
    warden = Warden()
    for n in range(1, 50):
        warden.child("verdict").beat = Beat(0, {}, {}, {}, {}, {"indicator": n})
        warden.look(100.0 + n / 10)
    assert warden.heard.incidents == [("invalid_message", "indicator", "flood")]
    assert warden.watch.blame.flooded == {"indicator": 49}
    assert not any(child.killed for child in warden.roster.running.values())  # type: ignore[attr-defined]


def test_who_floods_warden_itself_is_told_once() -> None:
    warden = Warden()
    warden.child("codes").floods = True
    for n in range(5):
        warden.look(100.0 + n)
    assert warden.heard.incidents == [("invalid_message", "codes", "flood")]


def quiet_reader(warden: Warden, reader: str = "perception") -> None:
    """The reader owes an answer to frame 21, as capture says; all beat."""
    said: dict[str, int] = {f"{name}_{what}": 21 for name in ("perception", "codes") for what in ("given", "answered")}
    warden.child("capture").say(21, **{**said, f"{reader}_answered": 20})
    for name in ("perception", "codes", "verdict"):
        warden.child(name).say(20, perception_frames=20, codes_frames=20)  # type: ignore[arg-type]


def stalled_until(warden: Warden, now: float, until: float) -> float:
    """Turns of a second, in which nothing moves."""
    while now < until:
        now += 1.0
        if "capture" in warden.roster.running and "perception" in warden.roster.running:
            quiet_reader(warden)
        warden.look(now)
    return now


def test_a_reader_that_beats_and_answers_nothing_is_restarted_first_then_both_and_then_the_run_ends() -> None:
    warden = Warden()
    first, source = warden.child("perception"), warden.child("capture")
    now = stalled_until(warden, 100.0, 133.0)
    assert first.killed and not source.killed
    now = stalled_until(warden, now, 170.0)
    assert source.killed
    assert [i for i in warden.heard.incidents if i[2] == "stalled"] == [
        ("restarted", "perception", "stalled"), ("restarted", "perception", "stalled"),
        ("restarted", "capture", "stalled"),
    ]  # fmt: skip
    with pytest.raises(GivenUpError, match="did not go on for 30 s, again and again: perception or capture"):
        stalled_until(warden, now, 100.0 + (STALLS + 2) * LIMITS.stalled_seconds)


def test_a_source_that_only_beats_pays_itself() -> None:
    warden = Warden()
    capture = warden.child("capture")
    for n in range(33):
        for name in ("capture", "perception", "codes", "verdict"):
            warden.child(name).say(20, perception_frames=20, codes_frames=20)  # type: ignore[arg-type]
        warden.look(100.0 + n)
    assert capture.killed and ("restarted", "capture", "stalled") in warden.heard.incidents
    assert not warden.roster.generations("verdict")[0].killed  # type: ignore[attr-defined]


def test_while_the_command_is_held_no_compartment_is_at_fault() -> None:
    """Its terminal is stopped, or who reads its output is: nothing is taken, by the kernel's word."""
    warden = Warden()
    warden.heard.reads = False
    now = stalled_until(warden, 100.0, 100.0 + 10 * LIMITS.stalled_seconds)
    assert warden.heard.incidents == []
    warden.heard.reads = True
    stalled_until(warden, now, now + LIMITS.stalled_seconds + HELD_SECONDS + 2)
    assert ("restarted", "perception", "stalled") in warden.heard.incidents


def test_what_was_not_let_go_yet_has_no_work() -> None:
    warden = Warden()
    for child in warden.roster.running.values():
        child.told = False
    made: Any = warden
    stalled_until(made, 100.0, 100.0 + 3 * LIMITS.stalled_seconds)
    assert warden.heard.incidents == []
