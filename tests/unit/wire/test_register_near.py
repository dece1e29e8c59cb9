"""The place index: which signs are near, in which order, the same in each quarter of the earth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import AUTHORITY, TRUSTED
from wire import register
from wire.register import Register, RegisterEntry

METRES_PER_DEGREE = 111_320.0  # of latitude, as the register has it
BERLIN = (52.52, 13.405)


def entry(number: int, lat: float, lon: float) -> RegisterEntry:
    """A sign at a place, as it is after the way through a register."""
    return RegisterEntry(
        number.to_bytes(8, "big"),
        14,
        round(lat * 1e7) / 1e7,
        round(lon * 1e7) / 1e7,
        90.0,
        1_700_000_000,
        1_800_000_000,
    )


def register_of(*entries: RegisterEntry) -> Register:
    return register.verify(register.issue(entries, AUTHORITY), TRUSTED)


def moved(place: tuple[float, float], north_m: float, east_m: float) -> tuple[float, float]:
    """The place so many metres further."""
    lat, lon = place
    return lat + north_m / METRES_PER_DEGREE, lon + east_m / (METRES_PER_DEGREE * math.cos(math.radians(lat)))


QUARTERS = [
    (sign_lat * lat, sign_lon * lon)
    for lat, lon in (BERLIN, (0.3, 0.3))
    for sign_lat in (1, -1)
    for sign_lon in (1, -1)
]
DIRECTIONS = [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (0.6, 0.8), (-0.6, 0.8), (0.6, -0.8), (-0.6, -0.8)]


@pytest.mark.parametrize("place", QUARTERS, ids=str)
@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
@pytest.mark.parametrize("radius", [10.0, 300.0, 1000.0])
def test_a_sign_within_the_radius_is_near_and_a_sign_beyond_is_not(
    place: tuple[float, float], direction: tuple[float, float], radius: float
) -> None:
    north, east = direction
    within = entry(1, *moved(place, north * (radius - 0.1), east * (radius - 0.1)))
    beyond = entry(2, *moved(place, north * (radius + 0.1), east * (radius + 0.1)))
    assert register_of(within, beyond).near(*place, radius) == [within]


def test_a_sign_exactly_at_the_radius_is_near() -> None:
    here = entry(1, 0.0, 0.0)
    assert register_of(here).near(0.0, 0.0, 0.0) == [here]
    north = entry(2, 0.0078125, 0.0)  # a distance without any rounding
    distance = 0.0078125 * METRES_PER_DEGREE
    assert register_of(north).near(0.0, 0.0, distance) == [north]
    assert register_of(north).near(0.0, 0.0, math.nextafter(distance, 0.0)) == []


def test_signs_come_nearest_first_whatever_their_ids_and_cells() -> None:
    signs = [
        entry(number, *moved(BERLIN, north, east))
        for number, north, east in ((9, 5, 0), (3, -40, 0), (7, 0, 120), (1, 0, -350), (8, 700, 0), (2, -640, 640))
    ]
    assert register_of(*signs).near(*BERLIN, 1000.0) == signs


def test_signs_at_one_distance_come_in_the_order_of_their_ids() -> None:
    """Two faces on one post, and two places to the left and right of the road in other cells."""
    post = [entry(number, *BERLIN) for number in (5, 2, 9)]
    assert register_of(*post).near(*BERLIN, 10.0) == sorted(post, key=lambda sign: sign.sign_id)
    west, east = entry(2, 0.0, -0.005), entry(1, 0.0, 0.005)
    assert register_of(west, east).near(0.0, 0.0, 1000.0) == [east, west]
    west, east = entry(1, 0.0, -0.005), entry(2, 0.0, 0.005)
    assert register_of(west, east).near(0.0, 0.0, 1000.0) == [west, east]


def test_a_degree_of_longitude_is_shorter_in_the_north() -> None:
    north, south = entry(1, 60.0, 10.01), entry(2, 0.0, 10.01)
    read = register_of(north, south)
    assert read.near(60.0, 10.0, 560.0) == [north]
    assert read.near(60.0, 10.0, 550.0) == []
    assert read.near(0.0, 10.0, 1000.0) == []


@pytest.mark.parametrize("lat", [0.0, 45.0, -59.9, 75.0, -80.0, 86.0])
def test_the_index_reaches_a_kilometre_to_each_side_at_any_latitude_with_roads(lat: float) -> None:
    for lon in (10.0, 10.0001, 10.00999):  # at both edges of a cell
        signs = [entry(number, *moved((lat, lon), n * 999.0, e * 999.0)) for number, (n, e) in enumerate(DIRECTIONS)]
        assert len(register_of(*signs).near(lat, lon, 1000.0)) == len(DIRECTIONS)


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_at_a_pole_the_search_ends(pole: float) -> None:
    here = entry(1, pole, 0.0)
    assert register_of(here).near(pole, 0.0, 1000.0) == [here]


def test_no_sign_is_near_across_the_180th_meridian() -> None:
    assert register_of(entry(1, 0.0, 179.9999)).near(0.0, -179.9999, 1000.0) == []


def test_of_two_signs_in_one_cell_none_hides_the_other() -> None:
    one, two = entry(1, 52.5201, 13.4051), entry(2, 52.5202, 13.4052)
    read = register_of(one, two)
    assert read.near(52.52, 13.405, 1000.0) == [one, two]
    assert (read.lookup(one.sign_id), read.lookup(two.sign_id)) == (one, two)


@given(
    st.tuples(st.floats(-85, 85), st.floats(-179, 179)),
    st.lists(st.tuples(st.floats(-1500, 1500), st.floats(-1500, 1500)), max_size=8),
    st.floats(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_the_index_finds_what_a_look_at_every_sign_finds(
    place: tuple[float, float], offsets: list[tuple[float, float]], radius: float
) -> None:
    signs = [entry(number, *moved(place, *offset)) for number, offset in enumerate(offsets)]

    def metres(sign: RegisterEntry) -> float:
        north = (sign.lat - place[0]) * METRES_PER_DEGREE
        return math.hypot(north, (sign.lon - place[1]) * METRES_PER_DEGREE * math.cos(math.radians(place[0])))

    expected = sorted((metres(sign), sign.sign_id) for sign in signs if metres(sign) <= radius)
    found = register_of(*signs).near(*place, radius)
    assert [sign.sign_id for sign in found] == [sign_id for _, sign_id in expected]
