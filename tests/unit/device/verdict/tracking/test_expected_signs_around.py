"""Which registered signs are around the vehicle: each limit of time, heading and place, and its mirror image."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from device.verdict.tracking.expected_signs import Surroundings
from tests.support.verdict_drive import UTC_S
from tests.support.verdict_samples import ID, OTHER_ID, UTC_MS, exactly_ahead, exactly_away, listed, pose, unrounded
from wire.geodesy import Pose
from wire.register import Register, RegisterEntry


def around(*entries: RegisterEntry) -> Surroundings:
    return Surroundings(unrounded(*entries))


def ids(found: list[RegisterEntry]) -> list[bytes]:
    return [entry.sign_id for entry in found]


# --- facing: time, heading, distance ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc_ms", "faces"),
    [
        (1000 * (UTC_S - 3600), True),
        (1000 * (UTC_S - 3600) - 1, False),
        (1000 * (UTC_S + 60) - 1, True),
        (1000 * (UTC_S + 60), False),
    ],
)
def test_an_entry_is_in_force_from_its_first_to_before_its_last_second(utc_ms: int, faces: bool) -> None:
    assert bool(around(listed(10)).facing(pose(), utc_ms)) is faces


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("degrees", "faces"), [(45.0, True), (45.1, False), (180.0, False)])
def test_an_entry_speaks_to_traffic_of_its_heading(sign: int, degrees: float, faces: bool) -> None:
    assert bool(around(listed(10)).facing(pose(heading=sign * degrees % 360.0), UTC_MS)) is faces


@pytest.mark.parametrize("mirror", [1, -1])
def test_an_entry_is_watched_within_forty_five_metres(mirror: int) -> None:
    edge = exactly_away(45.0)
    assert ids(around(listed(lat=mirror * edge)).facing(pose(), UTC_MS)) == [ID]
    assert around(listed(lat=mirror * edge * 1.001)).facing(pose(), UTC_MS) == []


def test_a_revoked_entry_faces_nobody() -> None:
    assert around(listed(10, revoked=True)).facing(pose(), UTC_MS) == []


def test_nothing_faces_a_vehicle_without_a_register_a_heading_or_a_time() -> None:
    assert Surroundings(None).facing(pose(), UTC_MS) == []
    assert around(listed(10)).facing(pose(heading=None), UTC_MS) == []
    assert around(listed(10)).facing(pose(), 0) == []
    assert ids(around(listed(10, valid_from=0)).facing(pose(), 1)) == [ID]


class Counting:
    """A register that counts how often it is asked, and where."""

    def __init__(self, register: Register) -> None:
        self.entries = register.entries
        self.asked: list[tuple[float, float, float]] = []
        self._register = register

    def near(self, lat: float, lon: float, radius_m: float) -> list[RegisterEntry]:
        self.asked.append((lat, lon, radius_m))
        return self._register.near(lat, lon, radius_m)


def test_the_register_is_asked_anew_only_after_two_hundred_metres() -> None:
    counting = Counting(unrounded(listed(10), listed(395, sign_id=OTHER_ID)))
    surroundings = Surroundings(counting)  # type: ignore[arg-type]
    edge = Pose(exactly_away(200.0), 0.0, 0.0, 3.0)
    for place in (pose(), pose(100), edge):
        surroundings.facing(place, UTC_MS)
    assert counting.asked == [(0.0, 0.0, 400.0)]
    surroundings.facing(pose(201), UTC_MS)
    assert counting.asked[1:] == [(pose(201).lat, 0.0, 400.0)]
    assert ids(surroundings.facing(pose(380), UTC_MS)) == [OTHER_ID]
    assert ids(surroundings.facing(pose(), UTC_MS)) == [ID]
    assert len(counting.asked) == 3


def test_the_area_reaches_as_far_as_the_vehicle_drives_before_it_is_asked_anew() -> None:
    surroundings = around(listed(239))
    surroundings.facing(pose(), UTC_MS)
    assert ids(surroundings.facing(pose(199), UTC_MS)) == [ID]


# --- here and ahead -----------------------------------------------------------------------------------------------


Ask = Callable[[Surroundings, Pose], RegisterEntry | None]


def here(surroundings: Surroundings, place: Pose) -> RegisterEntry | None:
    return surroundings.here(place, UTC_MS, set(), face=True)


def ahead(surroundings: Surroundings, place: Pose) -> RegisterEntry | None:
    return surroundings.ahead(place, UTC_MS)


@pytest.mark.parametrize(
    ("ask", "metres", "found"),
    [
        (here, 30.0, True),
        (here, 30.01, False),
        (here, 0.0, True),
        (here, -10.0, True),
        (here, -10.01, False),
        (ahead, 30.0, True),
        (ahead, 30.01, False),
        (ahead, 0.0, True),
        (ahead, -0.01, False),
    ],
)
def test_how_far_ahead_or_behind_an_entry_is_looked_for(ask: Ask, metres: float, found: bool) -> None:
    lat = exactly_ahead(metres) if metres in (30.0, -10.0) else listed(metres).lat
    assert (ask(around(listed(lat=lat)), pose()) is not None) is found


@pytest.mark.parametrize("heading", [90.0, 270.0])
@pytest.mark.parametrize("ask", [here, ahead])
def test_an_entry_is_looked_for_on_either_side(ask: Ask, heading: float) -> None:
    edge = exactly_ahead(25.0)  # north of a vehicle that drives east or west
    for lat, found in ((edge, True), (edge * 1.001, False), (-edge, True), (-edge * 1.001, False)):
        entry = listed(lat=lat, east=5.0 if heading == 90.0 else -5.0, heading=heading)
        assert (ask(around(entry), pose(heading=heading)) is not None) is found


def test_ahead_and_aside_both_count() -> None:
    """The nearer of two is not the one that lies less far ahead."""
    near, far = listed(20.0, 1.0), listed(10.0, 20.0, sign_id=OTHER_ID)
    assert here(around(far, near), pose()) == near
    assert ahead(around(far, near), pose()) == near


def test_of_entries_at_one_place_the_lower_id_is_taken() -> None:
    assert here(around(listed(10, sign_id=OTHER_ID, class_id=1), listed(10)), pose()) == listed(10)


def test_without_a_pose_or_a_heading_there_is_no_entry() -> None:
    surroundings = around(listed(10))
    assert surroundings.here(None, UTC_MS, set(), face=True) is None
    assert surroundings.ahead(None, UTC_MS) is None
    assert here(surroundings, pose(heading=None)) is None
    assert surroundings.here(pose(), 0, set(), face=True) is None
    assert surroundings.ahead(pose(), 0) is None


def test_an_entry_whose_code_hangs_elsewhere_is_taken_for_a_face_only_and_last() -> None:
    both = around(listed(10), listed(15, sign_id=OTHER_ID))
    assert both.here(pose(), UTC_MS, {ID}, face=True) == listed(15, sign_id=OTHER_ID)
    assert both.here(pose(), UTC_MS, {ID}, face=False) == listed(15, sign_id=OTHER_ID)
    assert both.here(pose(), UTC_MS, {ID, OTHER_ID}, face=True) == listed(10)
    assert both.here(pose(), UTC_MS, {ID, OTHER_ID}, face=False) is None
    assert both.here(pose(), UTC_MS, set(), face=False) == listed(10)


# --- whether it can be told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "utc_ms", "tells"),
    [
        (pose(), UTC_MS, True),
        (pose(), 1, True),
        (pose(), 0, False),
        (None, UTC_MS, False),
        (pose(heading=None), UTC_MS, False),
        (pose(accuracy_m=10.0), UTC_MS, True),
        (pose(accuracy_m=10.1), UTC_MS, False),
    ],
)
def test_that_no_sign_is_registered_here_takes_a_place_and_a_time(place: Pose | None, utc_ms: int, tells: bool) -> None:
    assert around(listed(10)).can_tell(place, utc_ms) is tells


def test_without_entries_no_sign_is_registered_anywhere() -> None:
    assert Surroundings(None).can_tell(None, 0) is True
    assert around().can_tell(None, 0) is True
