"""Between two fixes: the short way round, and a heading that only one of them has."""

from __future__ import annotations

import pytest

from wire.geodesy import Pose, TimedPose, between


def fix(utc_ms: int, heading: float | None, lon: float = 13.0, accuracy_m: float = 1.0) -> TimedPose:
    return TimedPose(utc_ms, Pose(52.0, lon, heading, accuracy_m))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (10.0, 20.0, 15.0),
        (350.0, 10.0, 0.0),
        (10.0, 350.0, 0.0),
        (None, 20.0, 20.0),
        (10.0, None, 10.0),
        (None, None, None),
    ],
)
def test_headings_turn_the_short_way_and_one_is_enough(
    first: float | None, second: float | None, expected: float | None
) -> None:
    assert between(fix(0, first), fix(1000, second), 500).heading == expected


def test_the_way_over_the_date_line_is_the_short_one() -> None:
    pose = between(fix(0, None, lon=179.0), fix(1000, None, lon=-179.0), 750)
    assert pose.lon == pytest.approx(-179.5)


def test_the_accuracy_is_the_worse_of_the_two() -> None:
    assert between(fix(0, None, accuracy_m=2.0), fix(1000, None, accuracy_m=7.0), 1).accuracy_m == 7.0
