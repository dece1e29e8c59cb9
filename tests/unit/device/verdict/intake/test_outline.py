"""The outline of the way: bounded, known up to the judged moment only, and never surer than the fixes were."""

from __future__ import annotations

import pytest

from device.verdict.intake import outline
from device.verdict.intake.outline import SURE_GAP_MS, nearest_m, note
from device.verdict.state import MAX_OUTLINE, State
from tests.support.verdict_samples import degrees, state, timed

SPEED = 10.0  # metres a second


def way(seconds: int = 60, step_ms: int = 1000, up_to_ms: int | None = None) -> State:
    """A drive north at `SPEED` from time 1000 on."""
    made = state(fixes=[timed(1000 + ms, SPEED * ms / 1000) for ms in range(0, seconds * 1000 + 1, step_ms)])
    note(made, 2**48 if up_to_ms is None else up_to_ms)
    return made


def near(made: State, north: float, from_ms: int, to_ms: int, east: float = 0.0) -> float | None:
    return nearest_m(made, degrees(north), degrees(east), from_ms, to_ms)


def test_without_a_way_nothing_is_known() -> None:
    assert near(state(), 0.0, 0, 10**9) is None


@pytest.mark.parametrize(
    ("north", "east", "from_ms", "to_ms", "metres"),
    [
        (300.0, 0.0, 1000, 61_000, 0.0),
        (300.0, 50.0, 1000, 61_000, 45.0),  # a step less than it is
        (300.0, 50.0, 31_000, 31_000, 45.0),
        (300.0, 0.0, 1000, 21_000, 85.0),  # not that far yet; one section more than need be counts
        (300.0, 0.0, 51_000, 61_000, 185.0),
    ],
)
def test_the_distance_is_that_of_the_way_between_two_moments(
    north: float, east: float, from_ms: int, to_ms: int, metres: float
) -> None:
    found = near(way(), north, from_ms, to_ms, east)
    assert found is not None and found == pytest.approx(metres, abs=1.0)


def test_beyond_its_ends_the_vehicle_is_as_far_as_it_can_have_driven() -> None:
    made = way()
    before, after = near(made, -1000.0, -9000, 1000), near(made, 1600.0, 61_000, 71_000)
    assert before is not None and before == pytest.approx(1000.0 - 700.0, abs=6.0)
    assert after is not None and after == pytest.approx(1000.0 - 700.0, abs=6.0)


def test_a_gap_may_have_been_driven_out_and_back() -> None:
    for step_ms, sure in ((SURE_GAP_MS, True), (SURE_GAP_MS + 1000, False)):
        found = near(way(step_ms=step_ms), 300.0, 31_000, 31_000, east=100.0)
        assert found is not None and (found > 90.0) is sure


def test_fixes_ahead_of_the_judged_moment_count_and_are_not_noted_for_good() -> None:
    made = way(up_to_ms=11_000)
    assert near(made, 300.0, 1000, 61_000) == 0.0
    assert made.outline == way(up_to_ms=11_000).outline


def test_only_fixes_up_to_the_moment_count_and_each_once() -> None:
    made = way(up_to_ms=11_000)
    assert made.outline[-1].until_ms == 11_000
    note(made, 11_000)
    note(made, 21_500)
    assert [point.utc_ms for point in made.outline] == list(range(1000, 22_000, 1000))


def test_a_standing_vehicle_takes_one_waypoint() -> None:
    made = state(fixes=[timed(1000 + 1000 * n, 0.0) for n in range(1000)])
    note(made, 2**48)
    assert [(point.utc_ms, point.until_ms) for point in made.outline] == [(1000, 1_000_000)]


def test_a_long_way_stays_bounded_and_no_place_on_it_is_lost() -> None:
    made = state()
    for begin in range(0, 10 * MAX_OUTLINE, 1000):
        made.fixes = [timed(1000 * (begin + n), SPEED * (begin + n)) for n in range(1000)]
        note(made, 2**48)
    assert len(made.outline) <= MAX_OUTLINE and made.outline_step_m >= 20.0
    end_ms = made.outline[-1].until_ms
    for north in range(0, int(SPEED * 10 * MAX_OUTLINE) - 20_000, 9973):
        assert near(made, north, 0, end_ms) == 0.0
        off = near(made, north, 0, end_ms, east=1000.0)
        assert off is not None and 1000.0 - 2 * made.outline_step_m <= off <= 1000.0


def test_points_far_apart_stay_bounded_too() -> None:
    made = state(fixes=[timed(10_000 * n, 5000.0 * (n % 2)) for n in range(1, 3 * MAX_OUTLINE)])
    note(made, 2**48)
    assert len(made.outline) <= MAX_OUTLINE
    assert outline.nearest_m(made, degrees(2500.0), 0.0, 0, made.outline[-1].until_ms) == 0.0


# --- a place that is only repeated -----------------------------------------------------------------------------------


def held(first: int, until: int, end: int) -> State:
    """A drive north whose track tells the place of second `first` until that second, and goes on from there."""
    made = state(first_fix_ms=1000, outline_step_m=5.0)
    made.fixes = [timed(1000 + 1000 * s, SPEED * (first if first < s <= until else s)) for s in range(end + 1)]
    return made


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize(("until_s", "to_s", "metres"), [(50, 40, 800.0 - 700.0), (50, 35, 800.0 - 350.0)])
def test_while_a_place_is_repeated_the_vehicle_may_have_driven_on(
    until_s: int, to_s: int, metres: float, ahead: bool
) -> None:
    made = held(30, until_s, 50)
    if not ahead:
        note(made, 2**48)
    found = near(made, 300.0, 1000, 1000 + 1000 * to_s, east=800.0)
    assert found is not None and found == pytest.approx(metres, abs=6.0)
    assert near(made, 300.0, 1000, 1000 + 1000 * 29, east=800.0) == pytest.approx(795.0, abs=1.0)


def test_a_vehicle_that_stands_at_the_beginning_is_there() -> None:
    made = state(fixes=[timed(1000 + 1000 * s, SPEED * max(0, s - 20) + s % 2) for s in range(61)])
    assert near(made, 0.0, 2000, 11_000, east=100.0) == pytest.approx(95.0, abs=1.0)


def test_so_it_may_have_beyond_the_end_of_a_track() -> None:
    made = held(30, 50, 50)
    found = near(made, 300.0, 1000 + 55_000, 1000 + 60_000, east=9000.0)
    assert found is not None and found == pytest.approx(9000.0 - 30 * 70.0, abs=6.0)


def test_and_just_before_the_track_goes_on() -> None:
    made = held(30, 50, 60)
    found = near(made, 560.0, 1000 + 50_500, 1000 + 50_600, east=800.0)
    assert found is not None and found <= 800.0 - 70.0


def test_a_place_that_is_all_that_a_track_told_is_none() -> None:
    assert near(held(0, 20, 60), 300.0, 1000, 11_000, east=9000.0) == 0.0
    later = near(held(0, 20, 60), 300.0, 1000 + 40_000, 1000 + 50_000, east=9000.0)
    assert later is not None and later > 8990.0


def test_a_stop_shorter_than_a_receiver_wanders_is_a_place() -> None:
    found = near(held(30, 32, 60), 300.0, 1000, 61_000, east=800.0)
    assert found is not None and found > 790.0


def test_what_is_merged_stays_a_place_that_may_have_been_left() -> None:
    made = held(30, 50, 60)
    note(made, 2**48)
    while len(made.outline) > 4:
        outline._coarsen(made)
    found = near(made, 300.0, 1000 + 39_000, 1000 + 40_000, east=800.0)
    assert found is not None and found <= 800.0 - 700.0
