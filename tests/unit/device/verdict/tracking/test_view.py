"""What of the way was in view: it begins again behind leaps and behind pictures that showed nothing on the way."""

from __future__ import annotations

import pytest

from device.verdict.state import CodedSign, State
from device.verdict.tracking import view
from tests.support.verdict_samples import ID, moment, pose, state


def drive(held: State, first_ms: int, last_ms: int, speed: float = 10.0, *, blank: bool = False) -> None:
    """Ten pictures a second."""
    for t_ms in range(first_ms, last_ms, 100):
        at = moment(t_ms // 100, t_ms)
        at.blank = blank
        view.note(held, at, pose(t_ms / 1000 * speed))


def test_the_view_goes_on_from_where_it_began() -> None:
    held = state()
    drive(held, 0, 5100)
    assert held.view is not None
    assert (held.view.since_ms, held.view.far_m) == (0, pytest.approx(50.0))


def test_behind_a_leap_it_begins_again() -> None:
    held = state()
    drive(held, 0, 5000)
    drive(held, 13_000, 14_100)
    assert held.view is not None
    assert (held.view.since_ms, held.view.far_m) == (13_000, pytest.approx(10.0))


@pytest.mark.parametrize(("lasts_ms", "speed", "lost"), [(900, 30.0, False), (3000, 10.0, True), (60_000, 0.0, False)])
def test_a_picture_that_shows_nothing_matters_after_a_second_and_only_while_the_vehicle_drives(
    lasts_ms: int, speed: float, lost: bool
) -> None:
    held = state(coded=[CodedSign(ID, 500, 0.0, 0.0, 0.0, True)])
    drive(held, 0, 1000, speed)
    drive(held, 1000, 1000 + lasts_ms, speed, blank=True)
    drive(held, 1000 + lasts_ms, 3000 + lasts_ms, speed)
    assert held.view is not None
    assert (held.view.since_ms > 0) is lost
    assert (held.blank_ms > 0) is lost
    assert view.has_met_the_track(held) is not lost


def test_time_in_which_nothing_was_shown_is_counted_once() -> None:
    held = state()
    for first_ms in (1000, 10_000):
        drive(held, first_ms, first_ms + 3000, blank=True)
        drive(held, first_ms + 3000, first_ms + 5000)
    assert held.blank_ms == 5800
