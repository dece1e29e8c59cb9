"""One continuous time line: it never goes back, and where stamps break off it goes on frame by frame."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.timeline import MAX_GAP_MS, MAX_GAP_OF_MPEG_MS, MAX_LAG_MS, TimeLine

STEP = 40.0
STAMPS = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-1e5, 1e5),
    st.integers(-(2**63), 2**63 - 1).map(float),
)


def times(stamps: list[float | None], line: TimeLine | None = None) -> list[int]:
    line = line or TimeLine(STEP, MAX_GAP_OF_MPEG_MS)
    return [line.at(stamp) for stamp in stamps]


@given(st.lists(STAMPS, max_size=60), st.lists(st.one_of(st.none(), st.floats()), max_size=60), st.floats())
def test_time_never_goes_back_and_never_leaps_further_than_a_pause(
    stamps: list[float | None], durations: list[float | None], step: float
) -> None:
    line = TimeLine(step, MAX_GAP_OF_MPEG_MS)
    shown = [line.at(stamp, durations[n] if n < len(durations) else None) for n, stamp in enumerate(stamps)]
    assert shown[:1] in ([], [0])
    assert all(0 <= after - before <= MAX_GAP_OF_MPEG_MS + 1 for before, after in itertools.pairwise(shown))


@given(st.lists(st.floats(1.0, 9_000.0), max_size=50), st.floats(-1e12, 1e12))
def test_good_stamps_are_kept_from_any_zero(steps: list[float], first: float) -> None:
    stamps, line = [first], TimeLine(STEP, MAX_GAP_OF_MPEG_MS)
    for step in steps:
        stamps.append(stamps[-1] + step)
    assert times(list(stamps), line) == [round(stamp - stamps[0]) for stamp in stamps]
    assert line.breaks == line.guessed == 0


@given(st.integers(2, 100), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_joined_clips_go_on_by_one_frame(frames: int, one: float, other: float) -> None:
    clip = [STEP * n for n in range(frames)]
    shown = times([one + t for t in clip] + [other + t for t in clip])
    if not -MAX_LAG_MS <= other - (one + clip[-1]) <= MAX_GAP_OF_MPEG_MS:
        assert shown == pytest.approx([STEP * n for n in range(2 * frames)], abs=1.01)


def test_stamps_that_stand_still_do_not_stop_time() -> None:
    line = TimeLine(STEP)
    assert times([5000.0] * 100, line) == [40 * n for n in range(100)]
    assert (line.breaks, line.guessed) == (0, 99)


def test_stamps_that_stood_still_for_a_moment_are_believed_again() -> None:
    assert times([0, 40, 80, 80, 80, 200, 240]) == [0, 40, 80, 120, 160, 200, 240]


def test_a_frame_out_of_order_costs_no_time_for_good() -> None:
    shown = times([0, 40, 80, 60, 120, 160, 200, 240])
    assert shown == sorted(shown) and shown[-1] == 240


def test_frames_without_stamps_take_the_time_of_a_frame() -> None:
    line = TimeLine(STEP)
    assert times([None, None, None], line) == [0, 40, 80]
    assert line.guessed == 3
    assert times([None, 1000.0, 1040.0, None, 1120.0]) == [0, 40, 80, 120, 160]


def test_a_counter_of_33_bits_may_wrap() -> None:
    top = 2**33 / 90
    line = TimeLine(STEP, MAX_GAP_OF_MPEG_MS)
    assert times([top - 80, top - 40, 0.0, 40.0], line) == [0, 40, 80, 120]
    assert line.breaks == 1


def test_one_wild_stamp_changes_nothing_after_it() -> None:
    assert times([0, 40, 1e9, 120, 160]) == [0, 40, 80, 120, 160]


def test_a_pause_is_a_pause_and_not_a_break() -> None:
    line = TimeLine(STEP, MAX_GAP_MS)
    assert times([0, 40, 60_040], line)[-1] == 60_040
    assert line.breaks == 0
    assert times([0, 40, 60_040])[-1] == 80  # MPEG streams are joined without a mark


def test_a_frame_is_as_long_as_it_says_where_it_can_be() -> None:
    line = TimeLine(STEP)
    assert [line.at(None), line.at(None, 100.0), line.at(None, 1e9), line.at(None, -1.0)] == [0, 100, 140, 180]


def test_a_hole_in_the_stamps_is_counted_where_frames_come_faster() -> None:
    line = TimeLine(200.0)
    for stamp in (0.0, 200.0, 400.0, 3400.0, 3600.0, 5300.0):
        line.at(stamp)
    assert (line.holes, line.longest_hole_ms) == (2, 3000)
    lapse = TimeLine(2000.0)
    for stamp in (0.0, 2000.0, 4000.0, 6000.0):
        lapse.at(stamp)
    assert lapse.holes == 0
