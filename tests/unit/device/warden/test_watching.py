"""What warden does about compartments that are hostile: with fake children, and a clock in the test's hands."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from device.channel.messages import Beat
from device.launcher.errors import GivenUpError
from device.warden.progress import STALLS
from device.warden.watching import HELD_SECONDS
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
    assert warden.heard.incidents == [("invalid_message", "indicator", "flood_said_by_verdict")]
    assert warden.watch.blame.flooded == {"indicator": 49}
    assert not any(child.killed for child in warden.roster.running.values())  # type: ignore[attr-defined]


def test_who_says_that_it_was_flooded_where_no_rate_is_pays_itself() -> None:
    warden = Warden()
    liar = warden.child("indicator")
    liar.beat = Beat(0, {}, {}, {}, {}, {"verdict": 2**39})
    warden.look(100.0)
    assert liar.killed and not warden.child("verdict").killed
    assert warden.heard.incidents == [("invalid_message", "indicator", "dropped")]
    assert warden.watch.blame.flooded == {}


def test_false_receipts_without_end_are_told_once_and_nobody_is_restarted() -> None:
    warden = Warden()
    for n in range(1, 25):
        warden.child("sealer").say(false_receipts=10 * n)
        warden.look(100.0 + n)
    assert warden.heard.incidents == [("invalid_message", "uplink", "receipts_said_by_sealer")]
    assert not any(child.killed for child in warden.roster.running.values())  # type: ignore[attr-defined]


def test_readers_that_contradict_each_other_are_named_with_capture_and_the_group_pays() -> None:
    warden = Warden()
    capture, verdict = warden.child("capture"), warden.child("verdict")
    verdict.say(disputes=1)
    warden.look(100.0)
    named = [("invalid_message", name, "times_said_by_verdict") for name in ("capture", "perception", "codes")]
    assert warden.heard.incidents[:3] == named
    assert warden.restarts.counts == {"perception": 1, "codes": 1} and not capture.killed
    with pytest.raises(GivenUpError) as raised:
        for n in range(2, 10):
            warden.look(100.0 + n)
            warden.child("verdict").say(disputes=n)
            warden.look(100.5 + n)
    assert capture.killed and verdict.killed
    assert raised.value.sentence == (
        "by verdict's word, capture, perception and codes contradict each other about the times of frames "
        "more than 2 times within 60 s (accused)"
    )


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
    for name in {"perception", "codes", "verdict"} & warden.roster.running.keys():
        warden.child(name).say(20, perception_frames=20, codes_frames=20)


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


def lives_for(warden: Warden, name: CompartmentName, seconds: float, until: float) -> None:
    """Nothing moves, and the compartment dies again and again of itself, so long after each start."""
    now, started = 100.0, 100.0
    while now < until:
        now += 1.0
        if "capture" in warden.roster.running and "perception" in warden.roster.running:
            quiet_reader(warden)
        if name in warden.look(now):
            started = now
        if name in warden.roster.running and now - started >= seconds:
            warden.child(name).how = "exit_1"
            started = now


@pytest.mark.parametrize(("name", "seconds"), [("perception", 14.0), ("perception", 25.0), ("codes", 21.0)])
def test_who_dies_before_it_can_stall_does_not_begin_the_time_anew(name: CompartmentName, seconds: float) -> None:
    """Under three deaths a minute, two of which are paid for."""
    warden = Warden(msgspec.structs.replace(LIMITS, restarts=5))
    with pytest.raises(GivenUpError, match=r"again and again: .*perception"):
        lives_for(warden, name, seconds, 100.0 + 3 * LIMITS.stalled_seconds + LIMITS.start_seconds + 10.0)


def test_who_is_never_ready_again_ends_the_run_though_it_is_never_there_to_stall() -> None:
    """Killed for its silence each time, and under its budget."""
    warden = Warden()
    quiet_reader(warden)
    warden.look(100.0)
    child: Any = None
    with pytest.raises(GivenUpError, match="again and again: codes is at fault"):
        for n in range(1, 400):
            now = 100.0 + n
            quiet_reader(warden)
            for name in warden.restarts.due(now):
                warden.start(name)
            warden.hear_all(now)
            if "codes" in warden.roster.running:
                child = warden.child("codes")
                child.told = False
                if n % 40 == 0:
                    child.how = "sigkill"
            warden.watch.look(now)


def test_at_its_end_nothing_has_to_go_on() -> None:
    warden = Warden()
    warden.child("capture").done = {"frames": 21}
    for n in range(600):
        for name in ("capture", "perception", "codes", "verdict"):
            warden.child(name).say(21, perception_frames=21, codes_frames=21)  # type: ignore[arg-type]
        warden.look(100.0 + n)
    assert warden.heard.incidents == []


def test_a_capture_that_gives_frames_after_it_said_that_all_were_given_is_killed_and_named() -> None:
    """It contradicts itself: nobody else has a part in that."""
    warden = Warden()
    capture = warden.child("capture")
    capture.say(5, perception_given=5, codes_given=5)
    capture.done = {"frames": 638}
    warden.look(100.0)
    capture.say(7, perception_given=7, codes_given=7)  # the first beat after it is of the same moment
    warden.look(100.1)
    capture.say(7, perception_given=7, codes_given=7)
    warden.look(100.2)
    assert not capture.killed
    capture.say(8, perception_given=8, codes_given=7)
    warden.look(100.3)
    assert capture.killed and warden.heard.incidents == [("invalid_message", "capture", "dropped")]
    warden.look(100.4)
    assert warden.heard.incidents[1:] == [("restarted", "capture", "sigkill")]
    assert "capture" in warden.look(100.5) and not warden.roster.source_is_done()


def test_who_accuses_while_nothing_goes_on_is_named_with_the_accused() -> None:
    warden = Warden()
    warden.look(100.0)
    warden.child("perception").say(invalid={"capture": 1})
    warden.look(101.0)
    assert warden.watch.at_fault() == ("capture", "perception")
