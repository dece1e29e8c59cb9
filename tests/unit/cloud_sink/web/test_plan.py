"""The map of a verdict: its scales, its directions, and distances in words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cloud_sink.simulator import DEFAULT_CODE
from cloud_sink.web.plan import EARTH_RADIUS_M, REACH_UNITS, SCALE_UNITS, SCALES_M, PlanView, metres, plan
from wire.events import PlaceEvent


def at(north_m: float, east_m: float) -> PlanView:
    """The map of a code so many metres north and east of a vehicle on the equator."""
    degrees = 180.0 / 3.141592653589793 / EARTH_RADIUS_M
    return plan(replace(DEFAULT_CODE, lat=north_m * degrees, lon=east_m * degrees), PlaceEvent(0.0, 0.0, None, 1.0))


def test_the_maps_scale_is_the_smallest_of_1_2_5_that_reaches() -> None:
    assert (EARTH_RADIUS_M, SCALE_UNITS, REACH_UNITS) == (6_371_000.0, 25.0, 80.0)
    assert SCALES_M[:5] == (10, 20, 50, 100, 200)
    assert SCALES_M[-1] == 50_000_000
    assert [at(0, metres_).scale_m for metres_ in (0, 31.9, 32.1, 63.9, 64.1, 159, 161)] == [
        10,
        10,
        20,
        20,
        50,
        50,
        100,
    ]


@pytest.mark.parametrize(
    ("north_m", "east_m", "bearing", "x", "y"),
    [
        (20, 0, "north", 100.0, 50.0),
        (20, 20, "north-east", 150.0, 50.0),
        (0, 20, "east", 150.0, 100.0),
        (-20, 20, "south-east", 150.0, 150.0),
        (-20, 0, "south", 100.0, 150.0),
        (-20, -20, "south-west", 50.0, 150.0),
        (0, -20, "west", 50.0, 100.0),
        (20, -20, "north-west", 50.0, 50.0),
    ],
)
def test_the_map_has_eight_directions_north_up(north_m: float, east_m: float, bearing: str, x: float, y: float) -> None:
    view = at(north_m, east_m)
    assert (view.bearing, view.scale, view.scale_m) == (bearing, 25.0, 10)
    assert (view.x, view.y) == (pytest.approx(x, abs=0.11), pytest.approx(y, abs=0.11))
    assert view.distance_m == pytest.approx((north_m**2 + east_m**2) ** 0.5, abs=0.01)


def test_a_degree_of_longitude_is_shorter_away_from_the_equator() -> None:
    view = plan(replace(DEFAULT_CODE, lat=60.0, lon=0.001), PlaceEvent(60.0, 0.0, None, 1.0))
    assert view.distance_m == pytest.approx(55.6, abs=0.1)


def test_the_map_is_drawn_to_a_tenth_of_a_unit() -> None:
    view = at(3.3333, 7.7777)
    assert (view.x, view.y) == (round(view.x, 1), round(view.y, 1)) == (119.4, 91.7)


def test_a_distance_is_in_metres_below_a_kilometre() -> None:
    said = [metres(distance) for distance in (0.4, 999.4, 1000.0, 1234.5, 15_360_000.0)]
    assert said == ["0 m", "999 m", "1 km", "1.234 km", "1.536e+04 km"]
