"""How sure a place is shows in its neighbours, and what is only repeated is no place."""

from __future__ import annotations

import random

import pytest

from device.position.reception import CHANCE_M, accuracies_m, still_from
from tests.support.verdict_samples import degrees
from wire.geodesy import Pose, TimedPose


def way(metres: list[float], every_ms: int = 1000, accuracy_m: float = 5.0) -> list[TimedPose]:
    return [TimedPose(every_ms * k, Pose(degrees(m), 0.0, None, accuracy_m)) for k, m in enumerate(metres)]


EVEN = [15.0 * k for k in range(60)]


@pytest.mark.parametrize("accuracy_m", [1.0, 5.0, 40.0])
def test_an_even_drive_is_as_sure_as_it_says(accuracy_m: float) -> None:
    assert accuracies_m(way(EVEN, accuracy_m=accuracy_m), []) == [accuracy_m] * 60


def test_a_drive_that_brakes_and_starts_hard_is_no_bad_reception() -> None:
    braking = [30.0 * t - 2.0 * t * t for t in range(8)]
    starting = [braking[-1] + 1.5 * t * t for t in range(1, 9)]
    assert set(accuracies_m(way([*EVEN[:20], *(EVEN[19] + m for m in braking + starting)]), [])) == {5.0}


@pytest.mark.parametrize(("sigma", "least"), [(8.0, 8.0), (15.0, 15.0), (30.0, 30.0)])
def test_independent_errors_are_seen_for_what_they_are(sigma: float, least: float) -> None:
    source = random.Random(4)
    found = accuracies_m(way([m + source.gauss(0, sigma) for m in EVEN]), [])
    assert least / 2 < min(found)
    assert max(found) < 6 * sigma


def test_bad_reception_ends_ten_seconds_after_it() -> None:
    slip = list(EVEN)
    slip[30] += 60.0
    found = accuracies_m(way(slip), [])
    assert [index for index, metres in enumerate(found) if metres > 5.0] == list(range(19, 42))


def test_points_far_apart_in_time_say_nothing_of_the_reception() -> None:
    assert set(accuracies_m(way([100.0 * (k % 2) for k in range(9)], every_ms=5001), [])) == {5.0}


@pytest.mark.parametrize(("gone", "unsure"), [(6, False), (8, True)])
def test_where_a_quarter_was_left_out_what_stays_is_chance(gone: int, unsure: bool) -> None:
    found = accuracies_m(way(EVEN), [30_000 + 100 * k for k in range(gone)])
    assert (found[30] == CHANCE_M) is unsure
    assert found[5] == 5.0


@pytest.mark.parametrize(("still", "first"), [(0, 60), (1, 60), (30, 60)])
def test_what_was_repeated_at_the_end_is_found(still: int, first: int) -> None:
    held = way([*EVEN, *[EVEN[-1]] * still])
    assert still_from(held) == first
    assert still_from(way([7.0])) == 1
