"""Boxes are carried by constant velocity and growth, and matched within limits that widen with the gap."""

from __future__ import annotations

import math

import pytest

from device.channel.messages import Box
from device.verdict.state import Motion
from device.verdict.tracking.motion import cost, match, moved, overlap, predicted, size, start
from tests.support.verdict_samples import box, motion


def test_a_box_starts_at_its_centre_with_its_own_sides() -> None:
    assert start(Box(10.0, 20.0, 30.0, 50.0, 0.9, 1, 0.9), 7) == Motion(25.0, 45.0, 30.0, 50.0, 7)


def test_a_box_without_extent_counts_as_one_pixel() -> None:
    flat = start(Box(10.0, 20.0, 0.0, 0.0, 0.9, 1, 0.9), 7)
    assert (flat.x, flat.y, flat.w, flat.h) == (10.0, 20.0, 1.0, 1.0)


def test_the_size_is_the_side_of_the_square_of_the_area() -> None:
    assert size(motion(w=4.0, h=9.0)) == 6.0


def test_a_prediction_carries_place_size_and_time_forward() -> None:
    found = predicted(Motion(100.0, 200.0, 10.0, 20.0, 1000, 0.5, -0.25, 0.002), 1100)
    scale = math.exp(0.2)
    assert (found.x, found.y) == pytest.approx((150.0, 175.0))
    assert (found.w, found.h) == pytest.approx((10.0 * scale, 20.0 * scale))
    assert (found.t_ms, found.vx, found.vy, found.growth) == (1100, 0.5, -0.25, 0.002)


@pytest.mark.parametrize(("growth", "expected"), [(0.003, math.e), (-0.003, 1 / math.e)])
def test_a_predicted_size_changes_at_most_e_fold(growth: float, expected: float) -> None:
    found = predicted(Motion(0.0, 0.0, 10.0, 20.0, 0, 0.0, 0.0, growth), 1000)
    assert (found.w, found.h) == pytest.approx((10.0 * expected, 20.0 * expected))


def test_velocity_and_growth_are_half_what_they_were_and_half_what_is_new_after_forty_milliseconds() -> None:
    before = Motion(100.0, 200.0, 40.0, 40.0, 0, 0.2, 0.4, 0.001)
    after = moved(before, box(116.0, 192.0, 40.0 * math.exp(0.08)), 40)
    assert (after.x, after.y, after.t_ms) == (pytest.approx(116.0), pytest.approx(192.0), 40)
    assert after.vx == pytest.approx(0.5 * 0.2 + 0.5 * 0.4)
    assert after.vy == pytest.approx(0.5 * 0.4 - 0.5 * 0.2)
    assert after.growth == pytest.approx(0.5 * 0.001 + 0.5 * 0.002)


@pytest.mark.parametrize("step_ms", [5, 10, 20, 40, 80])
def test_a_new_velocity_takes_the_same_time_however_many_boxes_come_in_it(step_ms: int) -> None:
    after = motion()
    for t_ms in range(step_ms, 81, step_ms):
        after = moved(after, box(500.0 + t_ms * 0.3), t_ms)
    assert after.vx == pytest.approx(0.75 * 0.3)


@pytest.mark.parametrize(("sides", "expected"), [(400.0, 0.003), (4.0, -0.003)])
def test_growth_is_bounded_both_ways(sides: float, expected: float) -> None:
    assert moved(motion(), box(size=sides), 40).growth == expected


@pytest.mark.parametrize("t_ms", [1000, 999])
def test_a_box_that_is_no_later_starts_anew(t_ms: int) -> None:
    before = Motion(100.0, 200.0, 40.0, 40.0, 1000, 0.2, 0.4, 0.001)
    assert moved(before, box(140.0, 180.0), t_ms) == start(box(140.0, 180.0), t_ms)


def test_a_box_one_millisecond_later_goes_on() -> None:
    before = Motion(100.0, 200.0, 40.0, 40.0, 1000, 0.2, 0.4, 0.001)
    after = moved(before, box(100.0, 200.0), 1001)
    assert (after.vx, after.vy, after.growth) == tuple(
        pytest.approx(known * 0.5 ** (1 / 40)) for known in (0.2, 0.4, 0.001)
    )


# --- what fits ----------------------------------------------------------------------------------------------------


def test_a_box_right_where_it_was_expected_fits_perfectly() -> None:
    assert cost(motion(), box(), 40) == 0.0


def test_the_cost_is_the_distance_in_sizes_and_the_logarithm_of_the_ratio() -> None:
    expected = 10.0 / 50.0 + math.log(50.0 / 40.0)
    assert cost(motion(), box(506.0, 308.0, 50.0), 40) == pytest.approx(expected)
    assert cost(motion(w=50.0, h=50.0), box(506.0, 308.0, 40.0), 40) == pytest.approx(expected)


@pytest.mark.parametrize(("sides", "fits"), [(72.0, True), (72.1, False), (22.3, True), (22.1, False)])
def test_a_box_may_be_at_most_1_8_times_as_large_or_as_small(sides: float, fits: bool) -> None:
    assert (cost(motion(), box(size=sides), 0) is not None) is fits


@pytest.mark.parametrize(
    ("aside", "t_ms", "fits"),
    [(36.0, 0, True), (36.1, 0, False), (-36.0, 0, True), (-36.1, 0, False), (65.99, 500, True), (66.01, 500, False)],
)
def test_a_box_may_be_0_9_sizes_away_and_1_5_more_for_each_second(aside: float, t_ms: int, fits: bool) -> None:
    moving = Motion(500.0, 300.0, 40.0, 40.0, 0, growth=1e-12)
    assert (cost(moving, box(500.0 + aside), t_ms) is not None) is fits
    assert (cost(moving, box(500.0, 300.0 + aside), t_ms) is not None) is fits


@pytest.mark.parametrize(
    ("aside", "t_ms", "fits"),
    [
        (36.0, 0, True),
        (36.1, 0, False),
        (75.99, 200, True),
        (76.01, 200, False),
        (95.99, 900, True),
        (96.01, 900, False),
    ],
)
def test_a_box_after_the_first_may_be_5_sizes_more_for_each_second_and_2_4_in_all(
    aside: float, t_ms: int, fits: bool
) -> None:
    assert (cost(motion(), box(500.0 + aside), t_ms) is not None) is fits


def test_what_goes_by_close_is_followed_at_five_looks_a_second() -> None:
    """A panel of 73 cm, 3.5 m aside, at 15 m/s: it moves by nine of its sizes a second."""
    first, second = (box(1300 * 3.5 / far, 1300 * 1.0 / far, 1300 * 0.73 / far) for far in (11.0, 8.0))
    assert match([start(first, 0)], [second], 200) == {0: 0}


@pytest.mark.parametrize(("aside", "fits"), [(10.7, True), (10.9, False)])
def test_a_tiny_box_may_be_as_far_away_as_one_of_twelve_pixels(aside: float, fits: bool) -> None:
    assert (cost(motion(w=4.0, h=4.0), box(500.0 + aside, size=4.0), 0) is not None) is fits


# --- how much two cover each other --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "w", "h", "expected"),
    [
        (0.0, 0.0, 10.0, 20.0, 1.0),
        (5.0, 0.0, 10.0, 20.0, 100 / 300),
        (0.0, 5.0, 10.0, 20.0, 150 / 250),
        (-5.0, -5.0, 10.0, 20.0, 75 / 325),
        (2.0, 4.0, 5.0, 10.0, 50 / 200),
        (-10.0, -10.0, 40.0, 60.0, 200 / 2400),
        (10.0, 0.0, 10.0, 20.0, 0.0),
        (0.0, 20.0, 10.0, 20.0, 0.0),
        (0.0, 30.0, 10.0, 20.0, 0.0),
        (9.5, 0.0, 10.0, 20.0, 10 / 390),
        (0.0, 19.5, 10.0, 20.0, 5 / 395),
        (10.5, 0.0, 10.0, 20.0, 0.0),
        (0.0, 20.5, 10.0, 20.0, 0.0),
        (30.0, 30.0, 10.0, 20.0, 0.0),  # apart both ways: two negative sides make no area
    ],
)
def test_overlap_is_intersection_over_union(x: float, y: float, w: float, h: float, expected: float) -> None:
    first, second = Box(0.0, 0.0, 10.0, 20.0, 1.0, 0, 1.0), Box(x, y, w, h, 1.0, 0, 1.0)
    assert overlap(first, second) == overlap(second, first) == pytest.approx(expected)


@pytest.mark.parametrize(("w", "h"), [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)])
def test_boxes_without_an_area_do_not_overlap(w: float, h: float) -> None:
    flat = Box(5.0, 5.0, w, h, 1.0, 0, 1.0)
    assert overlap(flat, flat) == 0.0


# --- pairs --------------------------------------------------------------------------------------------------------


def test_the_best_fit_is_paired_first_and_the_rest_goes_without() -> None:
    motions = [motion(100.0), motion(120.0)]
    assert match(motions, [box(118.0)], 40) == {0: 1}
    assert match([motion(100.0)], [box(120.0), box(102.0)], 40) == {1: 0}


def test_a_box_out_of_reach_is_not_paired() -> None:
    assert match([motion(100.0)], [box(900.0), box(101.0)], 40) == {1: 0}
