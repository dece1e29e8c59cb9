"""Where the vehicle was: between fixes that are near enough, a little beyond the last, and nowhere else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from device.verdict.intake.route import NOBODY_KNOWS_MS, forget, pose_at, repeated_ms
from device.verdict.state import State
from tests.support.verdict_samples import degrees, pose, state, timed
from wire.geodesy import Pose, TimedPose


def fixed(*fixes: TimedPose, **changes: object) -> State:
    return state(fixes=list(fixes), **changes)


def sure(found: Pose | None) -> Pose | None:
    """The pose, as if its heading had no error."""
    return None if found is None else replace(found, heading_error=0.0)


def north(found: Pose | None) -> float | None:
    return None if found is None else pytest.approx(found.lat / degrees(1.0), abs=1e-6)


# --- between ------------------------------------------------------------------------------------------------------


def test_at_a_fix_the_pose_is_that_fix() -> None:
    held = fixed(timed(1000, 10.0), timed(2000, 30.0, 90.0, 7.0), timed(9000, 50.0))
    assert sure(pose_at(held, 2000)) == pose(30.0, heading=90.0, accuracy_m=7.0)
    assert sure(pose_at(held, 1000)) == pose(10.0)
    assert sure(pose_at(held, 9000)) == pose(50.0)


def test_between_two_fixes_the_pose_is_in_proportion() -> None:
    found = pose_at(fixed(timed(1000, 10.0, 20.0, 3.0), timed(3000, 30.0, 40.0, 7.0), timed(4000, 90.0)), 1500)
    assert found is not None
    assert (found.lat, found.heading) == (pytest.approx(degrees(15.0)), pytest.approx(25.0))


@pytest.mark.parametrize(("gap_ms", "known"), [(15_000, True), (15_001, False)])
def test_two_fixes_bracket_a_moment_if_they_are_fifteen_seconds_apart_at_most(gap_ms: int, known: bool) -> None:
    held = fixed(timed(1000), timed(1000 + gap_ms, 10.0))
    assert (pose_at(held, 1001) is not None) is known
    assert (pose_at(held, 999 + gap_ms) is not None) is known


def test_before_the_first_fix_and_without_any_nothing_is_known() -> None:
    assert pose_at(fixed(timed(1000)), 999) is None
    assert pose_at(fixed(timed(1000), timed(2000)), 0) is None
    assert pose_at(fixed(), 1000) is None


# --- beyond -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("beyond_ms", "known"), [(2000, True), (2001, False)])
def test_the_last_fix_is_carried_on_for_two_seconds(beyond_ms: int, known: bool) -> None:
    assert (pose_at(fixed(timed(1000)), 1000 + beyond_ms) is not None) is known


@pytest.mark.parametrize(
    ("heading", "north_m", "east_m"), [(0.0, 7.5, 0.0), (90.0, 0.0, 7.5), (180.0, -7.5, 0.0), (270.0, 0.0, -7.5)]
)
def test_beyond_the_last_fix_the_vehicle_goes_on_along_its_heading(
    heading: float, north_m: float, east_m: float
) -> None:
    """15 m in a second, half a second on."""
    found = pose_at(fixed(timed(0, 999.0), timed(1000, 0.0, 0.0), timed(2000, 15.0, heading)), 2500)
    assert found is not None
    assert found.lat == pytest.approx(degrees(15.0 + north_m), abs=1e-9)
    assert found.lon == pytest.approx(degrees(east_m), abs=1e-9)
    assert (found.heading, found.accuracy_m) == (heading, pytest.approx(3.0 + 5.0 * 0.5))


def test_the_speed_is_that_between_the_last_two_fixes_however_long_they_took() -> None:
    assert north(pose_at(fixed(timed(1000, 0.0), timed(3000, 20.0)), 3500)) == 25.0


@pytest.mark.parametrize(("gap_ms", "metres"), [(4000, 44.0), (15_001, 40.0)])
def test_two_fixes_far_apart_tell_no_speed(gap_ms: int, metres: float) -> None:
    held = fixed(timed(1000, 0.0), timed(1000 + gap_ms, 40.0))
    found = pose_at(held, 1000 + gap_ms + 400)
    assert found is not None
    assert found.lat == pytest.approx(degrees(metres))


def test_a_single_fix_or_one_without_a_heading_stays_where_it_is() -> None:
    assert north(pose_at(fixed(timed(2000, 15.0)), 2500)) == 15.0
    standing = pose_at(fixed(timed(1000, 0.0, None), timed(2000, 15.0, None)), 2500)
    assert north(standing) == 15.0
    assert standing is not None
    assert standing.heading is None


def test_a_degree_of_longitude_is_narrower_away_from_the_equator() -> None:
    last = TimedPose(2000, Pose(60.0, 11.0, 90.0, 3.0))
    before = TimedPose(1000, Pose(60.0, 11.0 - degrees(20.0) / 0.5, 90.0, 3.0))
    found = pose_at(fixed(before, last), 3000)
    assert found is not None
    assert found.lon - 11.0 == pytest.approx(degrees(20.0) / 0.5, rel=1e-4)


def test_the_vehicle_crosses_the_date_line_and_stops_at_the_poles() -> None:
    east = fixed(TimedPose(1000, Pose(0.0, 179.9999, 90.0, 3.0)), TimedPose(2000, Pose(0.0, 180.0, 90.0, 3.0)))
    found = pose_at(east, 3000)
    assert found is not None
    assert found.lon == pytest.approx(-179.9999)
    for sign, heading in ((1, 0.0), (-1, 180.0)):
        there = [
            TimedPose(1000, Pose(sign * 89.9999, 0.0, heading, 3.0)),
            TimedPose(2000, Pose(sign * 90.0, 0.0, heading, 3.0)),
        ]
        found = pose_at(fixed(*there), 3000)
        assert found is not None
        assert found.lat == sign * 90.0


def test_at_a_pole_the_longitude_stays_within_its_bounds() -> None:
    there = [TimedPose(1000, Pose(89.9999, 0.0, 90.0, 3.0)), TimedPose(2000, Pose(90.0, 0.0, 90.0, 3.0))]
    found = pose_at(fixed(*there), 3000)
    assert found is not None
    assert -180.0 <= found.lon <= 180.0


def test_the_accuracy_is_bounded() -> None:
    found = pose_at(fixed(timed(1000, accuracy_m=9_999.0)), 2000)
    assert found is not None
    assert found.accuracy_m == 10_000.0


# --- heading ------------------------------------------------------------------------------------------------------


def test_a_heading_is_kept_until_there_is_a_new_one() -> None:
    held = fixed(timed(1000, 0.0, 30.0), timed(2000, 5.0, None), timed(3000, 5.0, 50.0), last_heading=10.0)
    assert sure(pose_at(held, 2000)) == pose(5.0, heading=10.0)
    assert sure(pose_at(held, 1000)) == pose(0.0, heading=30.0)
    assert sure(pose_at(held, 2000)) == pose(5.0, heading=30.0)
    assert pose_at(held, 9000) is None
    assert held.last_heading == 30.0


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "error"),
    [
        (30.0, 3.0, 8.1),  # two fixes good to 3 m, 60 m apart: the sine is 2 sqrt(2) 3 / 60
        (30.0, 8.0, 22.2),
        (2.0, 3.0, 180.0),  # nearer together than they are good to
        (0.0, 3.0, 180.0),
    ],
)
def test_a_heading_is_as_sure_as_the_way_that_led_here(metres: float, accuracy_m: float, error: float) -> None:
    way = fixed(*(timed(1000 * k, metres * k, 0.0, accuracy_m) for k in range(3)))
    found = pose_at(way, 2000)
    assert found is not None
    assert found.heading_error == pytest.approx(error, abs=0.1)


def test_a_heading_that_is_not_that_of_the_way_is_off_by_as_much() -> None:
    found = pose_at(fixed(*(timed(1000 * k, 300.0 * k, 0.0 if k < 2 else 90.0) for k in range(3))), 2000)
    assert found is not None
    assert found.heading_error == pytest.approx(90.8, abs=0.1)


def test_the_way_across_a_break_tells_nothing_of_the_heading() -> None:
    found = pose_at(fixed(timed(0, 0.0), timed(1000, 30.0), TimedPose(2000, pose(60.0), True)), 2000)
    assert found is not None
    assert found.heading_error == 180.0


def test_a_heading_of_north_is_a_heading() -> None:
    held = fixed(timed(1000, 0.0, 0.0), timed(2000, 5.0, None), last_heading=10.0)
    assert sure(pose_at(held, 1000)) == pose(0.0, heading=0.0)
    assert sure(pose_at(held, 2000)) == pose(5.0, heading=0.0)


# --- forgetting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc_ms", "first"), [(13_000, 1000), (13_001, 2000), (14_000, 2000), (12_000, 1000), (0, 1000)]
)
def test_of_the_fixes_before_the_last_ten_seconds_two_are_kept(utc_ms: int, first: int) -> None:
    """At 13.001 s the fixes at 1, 2 and 3 s are older than ten seconds."""
    held = fixed(*(timed(second * 1000, second) for second in range(1, 9)))
    forget(held, utc_ms)
    assert [fix.utc_ms for fix in held.fixes] == [*range(first, 9000, 1000)]


def test_since_when_a_place_is_repeated_is_not_forgotten() -> None:
    held = fixed(*(timed(1000 * s, min(s, 5)) for s in range(61)), first_fix_ms=1)
    for utc_ms in (30_000, 40_000, 50_000):
        forget(held, utc_ms)
    assert [fix.utc_ms for fix in held.fixes][:3] == [5000, 38_000, 39_000]
    assert repeated_ms(held, 50_500, 50_500) == 45_500


@pytest.mark.parametrize(("same", "told"), [(3, None), (4, 3500)])
def test_a_place_that_is_repeated_for_three_seconds_is_none(same: int, told: int | None) -> None:
    """From the first on: which place it is does not depend on how long it has been told already."""
    held = fixed(*(timed(1000 * s, s if s < 5 else 5) for s in range(5 + same)), first_fix_ms=1)
    assert repeated_ms(held, 8500, 8500) == told
    assert repeated_ms(held, 4500, 4500) is None


def test_where_the_track_tells_no_other_place_nobody_knows_how_long_it_has_been_told() -> None:
    held = fixed(*(timed(1000 * s) for s in range(9)), first_fix_ms=0)
    assert repeated_ms(held, 5000, 5000) == NOBODY_KNOWS_MS
    anew = fixed(timed(0, 40.0), *(replace(timed(1000 * s), begins=s == 1) for s in range(1, 9)), first_fix_ms=0)
    assert repeated_ms(anew, 5000, 5000) == NOBODY_KNOWS_MS
    assert repeated_ms(fixed(), 5000, 5000) is None


# --- how far off it may be ----------------------------------------------------------------------------------------


def even(every_s: float, count: int = 8, speed: float = 15.0, accuracy_m: float = 5.0) -> State:
    """An even drive north with a fix each `every_s` seconds."""
    times = [round(1000 * every_s * k) for k in range(count)]
    return fixed(*(timed(t, speed * t / 1000, 0.0, accuracy_m) for t in times))


@pytest.mark.parametrize(("every_s", "usable"), [(1, True), (2, True), (5, True), (10, True), (15, False)])
def test_on_a_steady_drive_a_point_each_ten_seconds_still_gives_a_usable_place(every_s: int, usable: bool) -> None:
    held = even(every_s)
    middle = pose_at(held, round(3500 * every_s))
    assert middle is not None
    assert middle.heading == 0.0
    assert (middle.accuracy_m <= 10.0) is usable
    assert middle.accuracy_m == pytest.approx(5.0 + 0.3 * every_s**2 / 8, abs=1e-4)


def test_the_error_is_that_of_the_fixes_at_them_and_grows_towards_the_middle() -> None:
    errors = [found.accuracy_m for t in range(20_000, 30_001, 1000) if (found := pose_at(even(10), t))]
    assert errors[0] == errors[-1] == 5.0
    assert errors[:6] == sorted(errors[:6])
    assert errors == pytest.approx(errors[::-1])


@pytest.mark.parametrize("every_ms", [1000, 2000, 5000])
@pytest.mark.parametrize("brakes", [1.0, 3.0, 6.0])
def test_the_place_covers_a_drive_that_brakes(every_ms: int, brakes: float) -> None:
    """Metres after t seconds: 30 t, from 20 s on with even braking to a stop."""

    def at(t: float) -> float:
        late = min(max(t - 20.0, 0.0), 30.0 / brakes)
        return 30.0 * min(t, 20.0 + late) - brakes * late * late / 2

    held = fixed(*(timed(t, at(t / 1000), 0.0, 0.5) for t in range(0, 60_001, every_ms)))
    for t in range(1000, 50_000, 137):
        found = pose_at(held, t)
        assert found is not None
        assert abs(found.lat / degrees(1.0) - at(t / 1000)) <= found.accuracy_m


def test_a_turn_between_two_fixes_costs_accuracy_and_if_they_are_far_apart_the_heading() -> None:
    def corner(every_ms: int) -> State:
        def place(t: int) -> TimedPose:
            east, north = max(0, t - 30_000) / 100, min(t, 30_000) / 100
            return TimedPose(t, Pose(degrees(north), degrees(east), 90.0 if t > 30_000 else 0.0, 3.0))

        return fixed(*(place(t) for t in range(0, 60_001, every_ms)))

    near, far = pose_at(corner(1000), 30_500), pose_at(corner(4000), 30_500)
    assert near is not None and far is not None
    assert (near.heading, far.heading) == (45.0, None)
    assert far.accuracy_m > near.accuracy_m > 3.0


def test_with_two_fixes_alone_the_vehicle_may_have_braked_as_hard_as_roads_are_laid_out_for() -> None:
    found = pose_at(fixed(timed(0, 0.0, accuracy_m=5.0), timed(4000, 60.0, accuracy_m=5.0)), 2000)
    assert found is not None
    assert found.accuracy_m == pytest.approx(5.0 + 3.4 * 16 / 8)


# --- while the time is not sure -----------------------------------------------------------------------------------


@pytest.mark.parametrize("error_ms", [100, 1000, 3000, 12_345])
def test_the_place_covers_all_the_time_that_the_moment_may_be_at(error_ms: int) -> None:
    held = even(1, count=60)
    found = pose_at(held, 30_250, error_ms)
    assert found is not None
    assert found.accuracy_m == pytest.approx(5.0 + 15.0 * error_ms / 1000, abs=0.1)
    for t in range(30_250 - error_ms, 30_250 + error_ms + 1, 50):
        there = pose_at(held, t)
        assert there is not None
        assert abs(there.lat - found.lat) / degrees(1.0) + there.accuracy_m <= found.accuracy_m + 1e-6


def test_without_an_error_in_time_nothing_is_added() -> None:
    assert pose_at(even(1), 2500, 0) == pose_at(even(1), 2500)


def test_a_heading_that_changes_over_that_time_is_none() -> None:
    turning = fixed(*(timed(1000 * k, 15.0 * k, 20.0 * k) for k in range(9)))
    for error_ms, known in ((0, True), (1000, True), (1200, False), (3000, False)):
        found = pose_at(turning, 4000, error_ms)
        assert found is not None
        assert (found.heading is not None) is known


def test_a_standing_vehicle_is_where_it_is_however_unsure_the_time() -> None:
    parked = fixed(*(timed(1000 * k, 0.0, None) for k in range(600)), last_heading=70.0)
    found = pose_at(parked, 300_000, 250_000)
    assert found is not None
    assert (found.heading, found.accuracy_m) == (70.0, pytest.approx(3.0, abs=0.5))


@pytest.mark.parametrize(
    ("at_ms", "error_ms", "known"), [(2500, 4500, True), (2500, 4501, False), (5000, 4000, True), (5000, 4001, False)]
)
def test_over_two_seconds_outside_the_track_nothing_is_covered(at_ms: int, error_ms: int, known: bool) -> None:
    assert (pose_at(even(1), at_ms, error_ms) is not None) is known


# --- breaks -------------------------------------------------------------------------------------------------------


def broken() -> State:
    """North to 4 s, then from 6 s on again from the beginning: across the break the way would be south."""
    second = [TimedPose(fix.utc_ms + 6000, fix.pose, fix.utc_ms == 0) for fix in even(1, count=5).fixes]
    return fixed(*even(1, count=5).fixes, *second)


def test_across_a_break_there_is_no_place_and_no_heading() -> None:
    held = broken()
    assert pose_at(held, 4000) is not None
    assert [pose_at(held, t) for t in (4001, 5000, 5999)] == [None] * 3
    assert pose_at(held, 6000) is not None
    assert pose_at(held, 3500, 600) is None
    assert pose_at(held, 6500, 600) is None
    assert pose_at(held, 6500, 500) is not None


def test_a_heading_is_not_kept_across_a_break() -> None:
    held = fixed(timed(0, 0.0, 30.0), timed(1000, 15.0, 30.0))
    held.fixes += [TimedPose(t, Pose(0.0, 0.0, None, 3.0), t == 4000) for t in (4000, 5000, 6000)]
    before, after = pose_at(held, 1000), pose_at(held, 5500)
    assert before is not None and after is not None
    assert (before.heading, after.heading) == (30.0, None)


def test_nor_when_the_fix_that_began_anew_is_forgotten() -> None:
    held = fixed(timed(0, 0.0, 30.0), *(timed(1000 * k, 0.0, None) for k in range(4, 60)))
    held.fixes[1] = TimedPose(4000, held.fixes[1].pose, begins=True)
    pose_at(held, 0)
    forget(held, 50_000)
    found = pose_at(held, 50_500)
    assert found is not None
    assert found.heading is None


def test_what_an_unsure_time_may_need_is_not_forgotten() -> None:
    held = even(1, count=90)
    forget(held, 60_000, 20_000)
    assert held.fixes[0].utc_ms == 28_000
    assert pose_at(held, 60_000, 20_000) is not None


def test_within_a_span_of_time_the_longest_repeat_counts() -> None:
    fixes = [timed(1000 * s, 10.0 * s) for s in range(1, 61)]
    for first, last in ((10, 20), (30, 34), (40, 42)):
        fixes[first - 1 : last] = [timed(1000 * s, 10.0 * first) for s in range(first, last + 1)]
    held = state(fixes=fixes, first_fix_ms=1000)
    for since, until, told in (
        (35_000, 60_000, None),
        (25_000, 60_000, 5000),
        (15_000, 60_000, 11_000),  # until the track tells another place
        (5000, 18_000, 8000),
        (32_000, 33_500, 3500),
    ):
        assert repeated_ms(held, since, until) == told
