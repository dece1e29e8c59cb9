"""What a road vehicle can do, and what it cannot."""

from __future__ import annotations

import math

import pytest

from tests.support.verdict_samples import degrees
from wire.geodesy import Pose, TimedPose
from wire.motion import (
    MAX_ACCELERATION,
    MAX_SPEED_M_S,
    UNKNOWN,
    acceleration,
    effort,
    headings,
    held,
    stray_m,
    velocity,
)


def at(second: float, north: float, east: float = 0.0, accuracy_m: float = 0.0, *, begins: bool = False) -> TimedPose:
    place = Pose(degrees(north), degrees(east), None, accuracy_m)
    return TimedPose(round(1000 * second), place, begins)


def test_a_velocity_is_the_way_over_the_time() -> None:
    assert velocity(at(1, 10.0), at(3, 30.0, -8.0)) == (pytest.approx(-4.0), pytest.approx(10.0))


def test_a_steady_drive_is_no_effort_and_time_never_goes_back() -> None:
    assert effort(at(2, 30.0), at(3, 45.0), (0.0, 15.0), 1000) == pytest.approx(0.0, abs=1e-6)
    assert effort(at(2, 30.0), at(2, 30.0)) == math.inf
    assert effort(at(2, 30.0), at(1, 15.0)) == math.inf


@pytest.mark.parametrize(("metres", "possible"), [(MAX_SPEED_M_S - 0.1, True), (MAX_SPEED_M_S + 0.1, False)])
def test_nothing_is_faster_than_a_road_vehicle(metres: float, possible: bool) -> None:
    assert (effort(at(0, 0.0), at(1, metres)) <= 1.0) is possible
    assert (effort(at(0, 0.0, accuracy_m=3.0), at(1, metres + 10.0, accuracy_m=4.0)) <= 1.0) is possible


@pytest.mark.parametrize("aside", [-1.0, 1.0])
@pytest.mark.parametrize(("share", "possible"), [(0.99, True), (1.01, False)])
def test_nothing_turns_or_brakes_harder_than_tyres_hold(aside: float, share: float, possible: bool) -> None:
    """15 m/s over two seconds, then one second: 8 * 1 * (2 + 1) / 2 = 12 m off the straight at most."""
    assert MAX_ACCELERATION == 8.0
    off = aside * share * 12.0
    assert (effort(at(2, 30.0), at(3, 45.0, off), (0.0, 15.0), 2000) <= 1.0) is possible
    assert (effort(at(2, 30.0), at(3, 45.0 + off), (0.0, 15.0), 2000) <= 1.0) is possible


def test_over_a_long_pause_nothing_is_known_of_the_way() -> None:
    assert effort(at(0, 0.0), at(16, 100.0, 100.0), (0.0, 15.0), 1000) == UNKNOWN
    assert effort(at(0, 0.0), at(1, 10.0), (0.0, 70.0), 15_001) == UNKNOWN
    assert effort(at(0, 0.0), at(1, 10.0)) == UNKNOWN


def test_the_velocity_at_the_end_is_taken_over_a_second_and_not_across_a_break() -> None:
    track = [at(0.2 * k, 3.0 * k) for k in range(20)]
    assert held(track) == ((pytest.approx(0.0), pytest.approx(15.0)), 1000)
    assert held(track[:1]) == (None, 0)
    assert held([at(0, 0.0), at(7, 70.0)])[1] == 7000
    assert held([*track, at(5, 900.0, begins=True)]) == (None, 0)
    assert held([*track, at(5, 900.0, begins=True), at(5.2, 902.0)]) == ((0.0, pytest.approx(10.0)), 200)


def test_an_even_acceleration_is_measured() -> None:
    assert acceleration(at(0, 0.0), at(2, 4.0), at(5, 25.0)) == pytest.approx(2.0)
    assert acceleration(at(0, 0.0), at(1, 15.0), at(2, 30.0)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("gap_ms", [1000, 5000, 10_000])
def test_no_vehicle_leaves_the_chord_further_than_is_said(gap_ms: int) -> None:
    """All the worst: full acceleration one way throughout; its distance from even progress is a t (g - t) / 2."""
    gap = gap_ms / 1000
    for share in (0.0, 0.1, 0.5, 0.8, 1.0):
        t = share * gap
        driven, even = 0.5 * 3.0 * t * t, 0.5 * 3.0 * gap * gap * share
        assert abs(even - driven) == pytest.approx(stray_m(3.0, round(1000 * t), gap_ms - round(1000 * t)))
    assert stray_m(3.0, gap_ms // 2, gap_ms // 2) == pytest.approx(3.0 * gap * gap / 8)


def test_a_heading_is_that_of_the_neighbours_chord() -> None:
    corner = [at(0, 0.0), at(1, 10.0), at(2, 20.0), at(3, 20.0, 10.0), at(4, 20.0, 20.0)]
    assert headings(corner) == [pytest.approx(angle, abs=1e-3) for angle in (0.0, 0.0, 45.0, 90.0, 90.0)]


def test_a_slow_vehicle_is_watched_for_longer_and_a_standing_one_has_no_heading() -> None:
    assert headings([at(k, 0.0, 1.0 * k) for k in range(7)]) == [pytest.approx(90.0, abs=1e-3)] * 7
    assert headings([at(k, 0.0, 0.1 * k) for k in range(60)]) == [None] * 60
    assert headings([at(0, 0.0)]) == [None]
    assert headings([]) == []


def test_fixes_that_are_far_apart_give_no_heading() -> None:
    assert headings([at(0, 0.0), at(15, 150.0), at(31, 300.0)]) == [pytest.approx(0.0), pytest.approx(0.0), None]
