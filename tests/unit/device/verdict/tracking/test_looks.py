"""What a look stands for: the time since the one before, bounded both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.verdict.state import Watch
from device.verdict.tracking import looks


def watching(*times: int) -> Watch:
    watch = Watch()
    for t_ms in times:
        looks.look(watch, t_ms)
    return watch


@pytest.mark.parametrize(
    ("times", "look_ms", "watched_ms"),
    [
        ((0,), 33, 33),  # the first of all: as at thirty a second
        ((0, 16), 16, 49),
        ((0, 100), 100, 133),
        ((0, 200), 200, 233),
        ((0, 201), 200, 233),  # a pause
        ((0, 90_000), 200, 233),
        ((0, 0), 0, 33),  # at once
        ((100, 40), 0, 33),  # time never goes back
        ((100, 40, 110), 10, 43),
    ],
)
def test_a_look_stands_for_the_time_since_the_one_before(times: tuple[int, ...], look_ms: int, watched_ms: int) -> None:
    watch = watching(*times)
    assert (watch.look_ms, watch.watched_ms, watch.t_ms) == (look_ms, watched_ms, max(times))


def test_the_first_look_at_a_thing_stands_for_a_thirtieth_of_a_second_at_most() -> None:
    assert looks.stands_for_ms(watching(0, 200), first=True) == looks.LOOK_MS == 33
    assert looks.stands_for_ms(watching(0, 200), first=False) == looks.MAX_LOOK_MS == 200
    assert looks.stands_for_ms(watching(0, 5), first=True) == 5


@pytest.mark.parametrize(
    ("ms", "units", "repeats"), [(0, 0.0, 0.0), (33, 1.0, 1.0), (66, 2.0, 1.0), (11, 1 / 3, 1 / 3)]
)
def test_a_unit_is_a_look_at_thirty_a_second(ms: int, units: float, repeats: float) -> None:
    assert (looks.units(ms), looks.repeats(ms)) == (units, repeats)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_no_looks_add_up_to_more_than_the_time_that_went_by(times: list[int]) -> None:
    assert watching(*times).watched_ms <= looks.LOOK_MS + max(times) - times[0]
