"""No fix is believed alone: slips, jumps and false futures are set aside, and a source that was false is overruled."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from device.channel.messages import Fix
from device.position.core import read_track
from device.verdict.intake.fixes import BELIEVED_MS, FAR_AHEAD_MS, has_source, take_fix, wants_fixes
from device.verdict.intake.route import forget, pose_at
from device.verdict.state import MAX_DOUBTED, MAX_FIXES, State
from tests.support import tracks
from tests.support.verdict_samples import degrees, state

YEAR_MS = 365 * 86_400_000
T = 1_800_000_000_000


def fix(second: float, north: float | None = None, *, begins: bool = False, heading: float | None = 0.0) -> Fix:
    """A drive north at 15 m/s, where nothing else is said."""
    metres = 15.0 * second if north is None else north
    return Fix(T + round(1000 * second), degrees(metres), 0.0, heading, 3.0, begins)


def told(*fixes: Fix) -> State:
    made = state(start_utc_ms=T)
    for one in fixes:
        take_fix(made, one)
    return made


def seconds(made: State) -> list[float]:
    return [(one.utc_ms - T) / 1000 for one in made.fixes]


def test_the_first_fix_waits_for_one_that_agrees() -> None:
    assert seconds(told(fix(0))) == []
    assert seconds(told(fix(0), fix(1))) == [0, 1]
    assert seconds(told(fix(0), fix(1, 5000.0))) == []
    assert seconds(told(fix(0, 5000.0), fix(1), fix(2))) == [1, 2]
    assert told(fix(0), fix(1)).first_fix_ms == T


def test_a_fix_that_goes_on_is_taken_at_once() -> None:
    assert seconds(told(*(fix(k) for k in range(5)))) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("every_s", "sigma"), [(0.2, 0.5), (0.2, 1.5), (1.0, 0.5), (1.0, 1.5), (5.0, 2.0)])
def test_a_receivers_noise_is_not_doubted(every_s: float, sigma: float) -> None:
    rng = random.Random(3)
    drive = [fix(every_s * k, 15.0 * every_s * k + rng.gauss(0, sigma)) for k in range(600)]
    assert told(*drive).set_aside <= 3


def test_what_position_lets_pass_is_believed() -> None:
    """Honest tracks with jumps, breaks and pauses: the two do not contradict each other."""
    at = tracks.drive(90)
    broken = [*at[:20], *(replace(one, east=900.0) for one in at[20:])]
    for segments in ([at], [broken], [at[:40], at[50:]], [at[:40], tracks.drive(30, start=200)]):
        track = read_track(tracks.gpx(*segments))
        made = told(*track.fixes)
        assert len(made.fixes) == len(track.fixes)
        assert [one.begins for one in made.fixes][1:] == [one.begins for one in track.fixes][1:]


def test_one_false_future_fix_blinds_for_nothing() -> None:
    made = told(fix(0), fix(1), Fix(T + YEAR_MS, 1.0, 1.0, None, 3.0), *(fix(k) for k in range(2, 9)))
    assert seconds(made) == list(range(9))
    assert (made.set_aside, made.doubted) == (1, [])
    assert pose_at(made, T + 5500) is not None


def test_a_false_fix_before_all_others_does_not_set_the_clock() -> None:
    made = told(Fix(1000, 1.0, 1.0, None, 3.0), *(fix(k) for k in range(5)))
    assert (made.first_fix_ms, seconds(made)) == (T, [0, 1, 2, 3, 4])


@pytest.mark.parametrize("lasts", [1, 6, 14])
@pytest.mark.parametrize("north", [60.0, 5000.0])
def test_a_jump_and_back_is_not_believed_and_where_it_was_meanwhile_is_not_known(lasts: int, north: float) -> None:
    jump = [fix(k, 15.0 * k + north) for k in range(10, 10 + lasts)]
    made = told(*(fix(k) for k in range(10)), *jump, *(fix(k) for k in range(10 + lasts, 40)))
    assert seconds(made) == [*range(10), *range(10 + lasts, 40)]
    assert made.set_aside == lasts
    assert (pose_at(made, T + 10_000) is None) == (lasts > 1)
    assert [(one.utc_ms - T) // 1000 for one in made.fixes if one.begins] == [0] + [10 + lasts] * (lasts > 1)


def test_a_place_that_holds_out_longer_than_reflections_do_is_a_new_beginning() -> None:
    moved = [fix(k, 15.0 * k + 5000.0) for k in range(10, 40)]
    first = BELIEVED_MS // 1000
    before = told(*(fix(k) for k in range(10)), *moved[:first])
    assert seconds(before) == list(range(10))
    made = told(*(fix(k) for k in range(10)), *moved)
    assert seconds(made) == list(range(40))
    assert [(one.utc_ms - T) // 1000 for one in made.fixes if one.begins] == [0, 10]
    assert pose_at(made, T + 9500) is None


def test_after_a_pause_two_fixes_that_agree_begin_anew() -> None:
    made = told(fix(0), fix(1), fix(100, 0.0), fix(101, 15.0))
    assert seconds(made) == [0, 1, 100, 101]
    assert made.fixes[2].begins


def test_a_segment_that_begins_is_taken_with_its_second_fix_if_a_vehicle_can_have_come_there() -> None:
    assert seconds(told(fix(0), fix(1), fix(5, 100.0, begins=True))) == [0, 1]
    assert seconds(told(fix(0), fix(1), fix(5, 100.0, begins=True), fix(6, 115.0))) == [0, 1, 5, 6]
    assert seconds(told(fix(0), fix(1), fix(5, 9000.0, begins=True), fix(6, 9015.0))) == [0, 1]


def test_a_source_that_calls_every_fix_a_beginning_is_not_believed() -> None:
    assert seconds(told(*(fix(k, begins=True) for k in range(50)))) == []


def test_what_was_told_before_changes_nothing() -> None:
    """A source that was started again tells its whole file again."""
    drive = [fix(k) for k in range(60)]
    made = told(*drive)
    forget(made, T + 40_000)
    for one in drive:
        take_fix(made, one)
    take_fix(made, fix(60))
    assert seconds(made) == list(range(28, 61))
    assert (made.set_aside, made.doubted) == (0, [])


def test_a_source_that_was_false_is_overruled_by_its_successor() -> None:
    """A fallen source filled all that can be held with the far future; what comes after it is heard."""
    made = told(*(Fix(T + YEAR_MS + 1000 * k, degrees(15.0 * k), 0.0, 0.0, 3.0) for k in range(MAX_FIXES + 9)))
    assert (len(made.fixes), wants_fixes(made)) == (MAX_FIXES, True)
    for k in range(40):
        take_fix(made, fix(k))
    assert seconds(made) == list(range(40))
    assert made.set_aside == MAX_FIXES
    assert pose_at(made, T + 20_500) is not None


def test_one_that_contradicts_the_past_must_hold_out_too() -> None:
    made = told(*(fix(k) for k in range(60)))
    for k in range(30, 40):
        take_fix(made, fix(k, 15.0 * k + 5000.0))
    assert seconds(made) == list(range(60))


@pytest.mark.parametrize(("ahead_ms", "wanted"), [(FAR_AHEAD_MS, False), (FAR_AHEAD_MS + 1, True)])
def test_while_no_more_can_be_held_none_is_read_unless_all_are_far_ahead(ahead_ms: int, wanted: bool) -> None:
    made = told(*(Fix(T + ahead_ms + 100 * k, 0.0, 0.0, None, 3.0) for k in range(MAX_FIXES)))
    assert wants_fixes(made) is wanted
    take_fix(made, Fix(T + ahead_ms + 100 * MAX_FIXES, 0.0, 0.0, None, 3.0))
    assert (len(made.fixes), made.ignored) == (MAX_FIXES, 1)


def test_what_is_doubted_is_bounded() -> None:
    made = told(*(fix(k) for k in range(5)))
    for k in range(3 * MAX_DOUBTED):
        take_fix(made, fix(5 + 0.01 * k, 9000.0 + 0.15 * k))
        assert len(made.doubted) <= MAX_DOUBTED
    assert len(made.fixes) == 5


@pytest.mark.parametrize(
    ("made", "known"),
    [
        (state(fixes_ended=True), False),
        (state(), True),
        (state(fixes_ended=True, first_fix_ms=1), True),
        (state(fixes_ended=True, set_aside=1), True),
    ],
)
def test_a_source_whose_fixes_were_not_believed_is_still_a_source(made: State, known: bool) -> None:
    assert has_source(made) is known
    take_fix(made, fix(0))
    assert has_source(made)
