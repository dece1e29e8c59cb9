"""Where the vehicle was: between fixes that are near enough, a little beyond the last, and nowhere else."""

from __future__ import annotations

import pytest

from device.verdict.intake.route import forget, pose_at
from device.verdict.state import State
from tests.support.verdict_samples import degrees, pose, state, timed
from wire.geodesy import Pose, TimedPose


def fixed(*fixes: TimedPose, **changes: object) -> State:
    return state(fixes=list(fixes), **changes)


def north(found: Pose | None) -> float | None:
    return None if found is None else pytest.approx(found.lat / degrees(1.0), abs=1e-6)


# --- between ------------------------------------------------------------------------------------------------------


def test_at_a_fix_the_pose_is_that_fix() -> None:
    held = fixed(timed(1000, 10.0), timed(2000, 30.0, 90.0, 7.0), timed(9000, 50.0))
    assert pose_at(held, 2000) == pose(30.0, heading=90.0, accuracy_m=7.0)
    assert pose_at(held, 1000) == pose(10.0)
    assert pose_at(held, 9000) == pose(50.0)


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
    assert pose_at(held, 2000) == pose(5.0, heading=10.0)
    assert pose_at(held, 1000) == pose(0.0, heading=30.0)
    assert pose_at(held, 2000) == pose(5.0, heading=30.0)
    assert pose_at(held, 9000) is None
    assert held.last_heading == 30.0


def test_a_heading_of_north_is_a_heading() -> None:
    held = fixed(timed(1000, 0.0, 0.0), timed(2000, 5.0, None), last_heading=10.0)
    assert pose_at(held, 1000) == pose(0.0, heading=0.0)
    assert pose_at(held, 2000) == pose(5.0, heading=0.0)


# --- forgetting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc_ms", "first"), [(13_000, 1000), (13_001, 2000), (14_000, 2000), (12_000, 1000), (0, 1000)]
)
def test_of_the_fixes_before_the_last_ten_seconds_two_are_kept(utc_ms: int, first: int) -> None:
    """At 13.001 s the fixes at 1, 2 and 3 s are older than ten seconds."""
    held = fixed(*(timed(second * 1000) for second in range(1, 9)))
    forget(held, utc_ms)
    assert [fix.utc_ms for fix in held.fixes] == [*range(first, 9000, 1000)]
