"""Fixes that position promised: held against what verdict took, and against what it would take."""

from __future__ import annotations

import pytest

from device.launcher.errors import GivenUpError
from device.warden import fixes_owed
from device.warden.fixes_owed import SETTLE_SECONDS
from tests.support.warden_bench import LIMITS, Warden


def watched(told: int, *, promised: int = 234, due: int = 1, **facts: int) -> Warden:
    warden = Warden()
    warden.child("capture").done = {}  # so that no frame is waited for
    warden.child("position").facts = {"fixes": promised}
    warden.child("verdict").say(fixes_told=told, fixes_due=due, **facts)
    return warden


@pytest.mark.parametrize(
    ("told", "promised", "due", "missing"),
    [(234, 234, 1, 0), (0, 234, 1, 234), (233, 234, 1, 1), (2048, 20_000, 0, 0), (0, 0, 1, 0), (9, 0, 1, 0)],
)
def test_what_verdict_has_no_room_for_yet_is_not_owed(told: int, promised: int, due: int, missing: int) -> None:
    assert fixes_owed.missing(watched(told, promised=promised, due=due).roster) == missing


def test_a_successor_is_held_to_the_first_promise_and_what_was_told_once_stays_told() -> None:
    warden = watched(234)
    for name in ("position", "verdict"):
        warden.roster.end(name)  # type: ignore[arg-type]
        warden.start(name)  # type: ignore[arg-type]
    warden.child("position").facts = {"fixes": 3}
    warden.child("verdict").say(fixes_told=1, fixes_due=1)
    assert fixes_owed.missing(warden.roster) == 0
    assert fixes_owed.missing(watched(0).roster) == 234


@pytest.mark.parametrize(("done", "seconds"), [(True, SETTLE_SECONDS), (False, LIMITS.stalled_seconds)])
def test_a_position_that_swallows_its_track_is_named_and_restarted_then_both_and_then_the_run_ends(
    done: bool, seconds: float
) -> None:
    warden, now = watched(0), 100.0
    warden.child("position").done = {} if done else None
    warden.look(now)
    warden.look(now + seconds)
    assert warden.heard.incidents == []
    warden.look(now + seconds + 0.1)
    named = [("invalid_message", "position", "fixes_said_by_verdict"), ("restarted", "position", "fixes_owed")]
    assert warden.heard.incidents == named and not warden.child("verdict").killed
    verdict = warden.child("verdict")
    with pytest.raises(GivenUpError, match="position and verdict failed each other more than 2 times"):
        for n in range(1000):
            for child in ("position", "verdict"):
                if child in warden.roster.running and n % 10 == 1:
                    warden.child("position").facts = {"fixes": 234}
                    warden.child("position").done = {}
                    warden.child("verdict").say(fixes_told=0, fixes_due=1)
            warden.look(now + seconds + 1.0 + 0.5 * n)
    assert verdict.killed and warden.watch.fixes.worst == 234


def test_fixes_that_still_come_are_waited_for() -> None:
    warden = watched(0)
    warden.child("position").done = {}
    for n in range(1, 234):
        warden.child("verdict").say(fixes_told=n, fixes_due=1)
        warden.look(100.0 + 4.0 * n)
    assert warden.heard.incidents == [] and warden.watch.fixes.worst == 0


def test_what_is_owed_at_the_end_is_told_though_there_was_no_time_to_restart() -> None:
    warden = watched(0, finished=1)
    warden.look(100.0)
    warden.look(500.0)
    warden.watch.at_the_end()
    assert warden.heard.incidents == [("invalid_message", "position", "fixes_said_by_verdict")]
    assert warden.watch.fixes.worst == 234
    good = watched(234, finished=1)
    good.watch.at_the_end()
    assert good.heard.incidents == []
