"""A way that comes near no registered sign is told, with how its places may have been meant."""

from __future__ import annotations

import pytest

from device.verdict.decision.remoteness import Remote, held, note, remote
from device.verdict.decision.table import Where
from device.verdict.state import MAX_VISITED, State
from device.verdict.tracking.expected_signs import AROUND_M, Surroundings
from tests.support.verdict_samples import claimed, degrees, listed, state, unrounded
from wire.geodesy import Pose
from wire.register import Register

HERE = (52.2712, 10.5268)


def went(register: Register | None, *places: tuple[float, float]) -> State:
    made, around = state(), Surroundings(register)
    for lat, lon in places:
        note(made, around, Pose(lat, lon, None, 5.0))
    return made


def told(register: Register | None, *places: tuple[float, float]) -> Remote | None:
    return remote(went(register, *places), register)


def standing(lat: float, lon: float) -> Register:
    return unrounded(listed(lat=lat, lon=lon))


@pytest.mark.parametrize(("metres", "is_told"), [(AROUND_M - 1, False), (AROUND_M + 1, True)])
def test_a_way_that_comes_near_a_sign_once_is_not_told(metres: float, is_told: bool) -> None:
    near = (HERE[0] + degrees(metres), HERE[1])
    found = told(standing(*HERE), (HERE[0] + 0.1, HERE[1]), near, (HERE[0] - 0.1, HERE[1]))
    assert found == (Remote(round(metres), None) if is_told else None)


def test_where_nothing_is_registered_or_no_place_is_known_nothing_is_told() -> None:
    assert told(None, HERE) is None
    assert told(unrounded(), HERE) is None
    assert told(standing(*HERE)) is None
    made = state()
    note(made, Surroundings(standing(*HERE)), None)
    assert made.visited == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ((HERE[1], HERE[0]), "swapped"),
        ((HERE[0], -HERE[1]), "east_for_west"),
        ((-HERE[0], HERE[1]), "north_for_south"),
        ((52.16272, 10.31608), "minutes_for_decimals"),
        ((52.9, 10.31608), None),  # has more minutes than there are
        ((40.0, -3.0), None),
        ((HERE[1] + 0.5, HERE[0]), None),
    ],
)
def test_how_the_places_may_have_been_meant_is_found(written: tuple[float, float], meant: str | None) -> None:
    found = told(standing(*HERE), written)
    assert found is not None
    assert found.nearest_m > 10_000
    assert found.miswritten == meant


def test_a_drive_near_its_signs_is_not_taken_for_another() -> None:
    """A register of both banks of a river: a few kilometres off, nothing is guessed."""
    both = unrounded(listed(lat=10.0, lon=10.001), listed(lat=10.001, lon=10.0, sign_id=b"2" * 8))
    found = told(both, (10.05, 10.06))
    assert found is not None
    assert found.miswritten is None


def test_a_long_way_is_remembered_in_a_bounded_number_of_places() -> None:
    made = went(standing(*HERE), *((10.0 + 0.001 * k, 10.0) for k in range(5000)))
    assert len(made.visited) <= MAX_VISITED
    assert made.visited[0] == (10.0, 10.0)
    assert made.visited[-1][0] > 14.0


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ((HERE[1], HERE[0]), Where.UNKNOWN),
        ((HERE[0], -HERE[1]), Where.UNKNOWN),
        ((-HERE[0], HERE[1]), Where.UNKNOWN),
        ((52.16272, 10.31608), Where.UNKNOWN),
        ((HERE[0] + 0.05, HERE[1]), Where.ELSEWHERE),
        ((-HERE[0], -HERE[1]), Where.ELSEWHERE),
        ((40.0, -3.0), Where.ELSEWHERE),
    ],
)
def test_a_track_that_is_written_otherwise_accuses_no_code(told: tuple[float, float], where: Where) -> None:
    claims = claimed(lat=HERE[0], lon=HERE[1])
    pose = Pose(*told, 0.0, 5.0)
    near_a_sign = state(came_near=True)
    assert held(near_a_sign, Where.ELSEWHERE, claims, pose) is where
    assert held(near_a_sign, Where.WRONG_HEADING, claims, pose) is Where.WRONG_HEADING
    assert held(near_a_sign, Where.ELSEWHERE, None, pose) is Where.ELSEWHERE
    assert held(near_a_sign, Where.ELSEWHERE, claims, None) is Where.ELSEWHERE


def test_near_the_equator_a_copy_a_street_away_is_not_excused() -> None:
    """Where latitude and longitude are nearly the same, a swap moves a place by little."""
    claims, pose = claimed(lat=0.0, lon=0.003), Pose(0.003, 0.0, 0.0, 5.0)
    assert held(state(came_near=True), Where.ELSEWHERE, claims, pose) is Where.ELSEWHERE


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ((51.477, -0.05), (51.477, 0.05)),
        ((-0.04, -78.5), (0.04, -78.5)),
        ((51.05, 7.1), (51.03, 7.06)),
        ((45.02, 45.05), (45.05, 45.02)),
    ],
)
def test_however_near_a_miswritten_way_that_is_near_no_sign_accuses_no_code(
    told: tuple[float, float], written: tuple[float, float]
) -> None:
    claims, pose = claimed(lat=told[0], lon=told[1]), Pose(*written, 0.0, 5.0)
    assert held(state(), Where.ELSEWHERE, claims, pose) is Where.UNKNOWN
    assert held(state(came_near=True), Where.ELSEWHERE, claims, pose) is Where.ELSEWHERE
