"""Whatever the drive and the reception, an honest code is never out of place; a copy is, in good reception."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import pytest

from tests.support.road_drive import Plane, RoadDrive, Stand, exact, independent, straight, wandering

ROW = [Stand(60.0 + 50.0 * k) for k in range(6)]
ERRORS = (lambda: exact, lambda: independent(2.0, 7), lambda: wandering(4.0, 7))
AROUND = [-3.0 + k for k in range(48)]


def states(drive: RoadDrive, *, is_registered: bool = True) -> Counter[str]:
    return Counter(verdict.state for verdict in drive.run(is_registered=is_registered))


def row(error: Plane = exact, **changes: object) -> RoadDrive:
    fields: dict[str, object] = {"stands": ROW, "fixes_at": AROUND, "error": error}
    return RoadDrive(straight(), 25.0, **(fields | changes))  # type: ignore[arg-type]


def seconds(first: float, last: float, every: float = 1.0) -> list[float]:
    return [first + every * k for k in range(int((last - first) / every) + 1)]


@pytest.mark.parametrize("every", [0.1, 0.2, 1.0, 2.0, 5.0, 10.0])
def test_a_steady_drive_is_verified_however_often_its_receiver_tells_where_it_is(every: float) -> None:
    assert states(row(fixes_at=seconds(-10, 40, every))) == {"VERIFIED": 6}


@pytest.mark.parametrize("sigma", [3.0, 8.0, 15.0, 30.0])
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("model", [independent, wandering])
def test_no_honest_code_is_out_of_place_between_houses(model: object, sigma: float, seed: int) -> None:
    for drive in (row(model(sigma, seed)), row(model(sigma, seed), hdop=sigma / 3)):  # type: ignore[operator]
        found = states(drive, is_registered=False)
        assert set(found) <= {"VERIFIED", "UNVERIFIED"}
        assert found["VERIFIED"] > 0 or sigma > 3.0
    assert "MISPLACED" not in states(row(model(sigma, seed)))  # type: ignore[operator]


@pytest.mark.parametrize("off", [(30.0, 0.0), (-30.0, 0.0), (0.0, 30.0), (20.0, -20.0)])
def test_a_receiver_that_is_off_by_thirty_metres_all_the_time_accuses_nobody(off: tuple[float, float]) -> None:
    assert "MISPLACED" not in states(row(lambda second: off))


@pytest.mark.parametrize("make", ERRORS)
@pytest.mark.parametrize("is_registered", [True, False])
def test_a_copy_three_hundred_metres_away_is_misplaced_where_the_reception_is_good(
    make: Callable[[], Plane], is_registered: bool
) -> None:
    copies = [Stand(stand.north, moved=(180.0, 240.0)) for stand in ROW]
    found = states(row(make(), stands=copies), is_registered=is_registered)
    assert found == {"MISPLACED": 6}


@pytest.mark.parametrize("speed", [1.0, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_slow_receiver_that_wanders_turns_no_heading_against_a_code(speed: float, seed: int) -> None:
    stands = [Stand(20.0), Stand(60.0)]
    for error in (wandering(4.0, seed, 5.0), independent(2.0, seed)):
        drive = RoadDrive(straight(speed), 80 / speed, stands, seconds(-3, 80 / speed + 3), error)
        assert "MISPLACED" not in states(drive)


@pytest.mark.parametrize("turned", [130.0, 180.0, -150.0])
def test_a_code_for_another_direction_is_misplaced(turned: float) -> None:
    verdicts = row(stands=[Stand(stand.north, turned=turned) for stand in ROW]).run(is_registered=False)
    assert Counter(verdict.reasons[0] for verdict in verdicts) == {"code_wrong_heading": 6}


@pytest.mark.parametrize("turned", [20.0, 60.0, 90.0, -110.0])
def test_a_sign_of_a_side_road_whose_code_is_read_from_this_one_is_not_accused(turned: float) -> None:
    verdicts = row(stands=[Stand(stand.north, turned=turned) for stand in ROW]).run(is_registered=True)
    expected = {"VERIFIED"} if abs(turned) <= 45 else {"UNVERIFIED"}
    assert {verdict.state for verdict in verdicts} == expected


@pytest.mark.parametrize("told", ["nothing", "the last place", "straight on"])
def test_in_a_tunnel_nothing_is_known_and_behind_it_all_is(told: str) -> None:
    stands = [Stand(150), Stand(450), Stand(700), Stand(1100)]

    def error(second: float) -> tuple[float, float]:
        return (-15.0 * (second - 20), 0.0) if told == "the last place" and 20 < second < 60 else (0.0, 0.0)

    fixes = [second for second in seconds(-3, 85) if told != "nothing" or not 20 < second < 60]
    found = states(RoadDrive(straight(), 80.0, stands, fixes, error))
    assert found["MISPLACED"] == 0
    assert found["VERIFIED"] == (4 if told == "straight on" else 2)


def parked(second: float) -> tuple[float, float]:
    return (0.0 if second < 40 else 5.0 * (second - 40), 0.0)


def ferried(second: float) -> tuple[float, float]:
    return (15.0 * second, 0.0) if second < 20 else (300.0 + 15.0 * (second - 20), 20_000.0)


def reversing(second: float) -> tuple[float, float]:
    return (15 * second if second < 15 else 225 - 3 * (second - 15) if second < 35 else 165 + 10 * (second - 35), 0.0)


def backing(second: float) -> tuple[float, float]:
    """Past the sign at 150 m, back before it in sight of it, and on."""
    return (12 * second if second < 14 else 168 - 3 * (second - 14) if second < 30 else 120 + 10 * (second - 30), 0.0)


def lap(second: float) -> tuple[float, float]:
    return 100.0 * math.sin(0.15 * second), 100.0 * (1 - math.cos(0.15 * second))


ON_THE_LAP = Stand(100.0 * math.sin(1.0), 100.0 * (1 - math.cos(1.0)), math.degrees(1.0))


@pytest.mark.parametrize(
    ("way", "lasts", "stands"),
    [
        (parked, 90, [Stand(10), Stand(100), Stand(200)]),
        (ferried, 50, [Stand(150), Stand(500, 20_003)]),
        (reversing, 60, [Stand(150), Stand(240), Stand(330)]),
        (backing, 60, [Stand(150), Stand(250), Stand(330)]),
        (lap, 110, [ON_THE_LAP]),
    ],
)
@pytest.mark.parametrize("make", ERRORS)
def test_parking_ferries_reversing_and_laps_accuse_nobody(
    way: Plane, lasts: float, stands: list[Stand], make: Callable[[], Plane]
) -> None:
    found = states(RoadDrive(way, lasts, stands, seconds(-3, lasts + 3), make()))
    assert set(found) <= {"VERIFIED", "UNVERIFIED"}
    assert found["VERIFIED"] >= 2


@pytest.mark.parametrize("speed", [5.0, 20.0, 40.0, 69.4])
def test_no_speed_of_a_car_puts_a_code_out_of_place(speed: float) -> None:
    lasts = 500 / speed
    stands = [Stand(200), Stand(400)]
    found = states(RoadDrive(straight(speed), lasts, stands, seconds(-3, lasts + 3)))
    assert found["MISPLACED"] == found["FORGED"] == 0


@pytest.mark.parametrize(("lat", "lon"), [(0.0, 179.9985), (48.0, 179.998), (-17.0, -179.9999), (84.0, 12.0)])
def test_the_180th_meridian_and_the_far_north_are_driven_through(lat: float, lon: float) -> None:
    east = [Stand(-3.0, stand.north, 90.0) for stand in ROW]
    drive = RoadDrive(lambda second: (0.0, 15.0 * second), 25.0, east, AROUND, lat=lat, lon=lon)
    assert states(drive, is_registered=False) == {"VERIFIED": 6}
    assert states(row(lat=lat, lon=lon), is_registered=False) == {"VERIFIED": 6}
