"""The offset between video and track that the codes speak for."""

from __future__ import annotations

import pytest

from device.verdict.decision.offset import Offset, estimate
from device.verdict.intake import outline
from device.verdict.state import CodedSign, State
from tests.support.verdict_samples import UTC_MS, degrees, pose, state
from wire.geodesy import TimedPose

SPEED = 15.0


def drive(*metres: float, read_before_m: float = 5.0, shift_ms: int = 0, seconds: int = 60, **changes: object) -> State:
    """A drive north past codes at these places; the stream's start is taken to be `shift_ms` later than it was."""
    fixes = [TimedPose(UTC_MS + 200 * n, pose(SPEED * n / 5)) for n in range(5 * seconds)]
    coded = [
        CodedSign(bytes([number] * 8), round((at - read_before_m) / SPEED * 1000), degrees(at), 0.0, 0.0, False)
        for number, at in enumerate(metres, 1)
    ]
    made = state(fixes=fixes, coded=coded, start_utc_ms=UTC_MS + shift_ms, **changes)
    outline.note(made, 2**48)
    return made


@pytest.mark.parametrize("shift_ms", [7_200_000, -7_200_000, 20_700_000, 6300, -12_000])
@pytest.mark.parametrize("metres", [(300.0,), (100.0, 300.0), (100.0, 250.0, 420.0)])
def test_the_offset_puts_every_code_into_its_place(shift_ms: int, metres: tuple[float, ...]) -> None:
    found = estimate(drive(*metres, shift_ms=shift_ms))
    assert found is not None and (found.fitting, found.codes) == (len(metres), len(metres))
    assert abs(found.offset_ms + shift_ms) <= 700
    if shift_ms % 900_000 == 0:
        assert found.offset_ms == -shift_ms


@pytest.mark.parametrize("zone_ms", [0, 7_200_000, -20_700_000])
def test_a_time_that_meant_the_end_in_whatever_zone_gives_the_length(zone_ms: int) -> None:
    assert estimate(drive(300.0, shift_ms=42_533 + zone_ms, newest_ms=42_533)) == Offset(-42_533 - zone_ms, 1, 1)


def test_where_the_vehicle_came_by_twice_nothing_is_proposed() -> None:
    made = drive(300.0, shift_ms=7_200_000)
    made.fixes = [TimedPose(UTC_MS + 100_000 + 200 * n, pose(SPEED * n / 5)) for n in range(300)]
    outline.note(made, 2**48)
    assert estimate(made) is None


def test_a_drive_the_other_way_does_not_count() -> None:
    made = drive(300.0, shift_ms=7_200_000)
    made.coded[0].heading = 180.0
    assert estimate(made) is None


@pytest.mark.parametrize(("wrong", "fitting"), [(1, 2), (2, None)])
def test_most_of_three_codes_are_enough(wrong: int, fitting: int | None) -> None:
    made = drive(100.0, 250.0, 420.0, shift_ms=7_200_000)
    for coded in made.coded[:wrong]:
        coded.lat += degrees(9000.0)
    found = estimate(made)
    assert (found.fitting if found else None) == fitting


def test_nothing_is_proposed_without_codes_or_a_way_or_where_all_fits_as_it_is() -> None:
    assert estimate(drive()) is None
    assert estimate(State("test", coded=drive(300.0).coded)) is None
    fitting = drive(100.0, 300.0)
    for coded in fitting.coded:
        coded.fits = True
    assert estimate(fitting) is None


def test_an_offset_that_helps_no_more_codes_than_the_given_start_is_not_proposed() -> None:
    made = drive(100.0, 250.0, 420.0)
    for coded in made.coded[1:]:
        coded.fits = True
    made.coded[0].lat += degrees(9000.0)
    assert estimate(made) is None
