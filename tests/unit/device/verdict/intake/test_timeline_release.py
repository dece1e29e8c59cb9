"""When a moment is released: each limit of the patience with the other reader, with the fixes, and of what is held."""

from __future__ import annotations

import pytest

from device.channel.messages import Box, Fix, Readings, Sightings
from device.verdict.intake import timeline
from device.verdict.state import MAX_FIXES, MAX_PENDING, Moment, State
from tests.support.verdict_samples import UTC_MS, moment, pose, state, timed


def held(*frames: int, perception: int = -1, codes: int = -1, **changes: object) -> State:
    """These frames wait; the fixes have ended."""
    fields: dict[str, object] = {"fixes_ended": True, "newest_ms": max(frames, default=0) * 40}
    fields |= {"marks": {"perception": perception, "codes": codes}}
    return state(pending=[moment(frame) for frame in frames], **(fields | changes))


def released(before: State, **options: object) -> list[int]:
    found = timeline.released(before, **({"lockstep": True} | options))  # type: ignore[arg-type]
    return [one.frame for one, _ in found]


# --- what is taken in ---------------------------------------------------------------------------------------------


def test_what_the_two_say_of_a_frame_is_filed_each_at_its_own_place() -> None:
    before = state()
    box = Box(1.0, 2.0, 3.0, 4.0, 0.5, 6, 0.7)
    assert timeline.take_sightings(before, Sightings(3, 120, 1536, 864, [box]), lockstep=True) == set()
    assert before.pending == [Moment(3, 120, 0, [box], None, size=(1536, 864))]
    assert timeline.take_readings(before, Readings(3, 120, 1536, 864, []), lockstep=True) == set()
    assert before.pending == [Moment(3, 120, 0, [box], [], size=(1536, 864))]


def test_what_is_not_believed_is_not_filed() -> None:
    before = state(began_ms=0)
    late = Sightings(3, 5000, 1536, 864, [])
    assert timeline.take_sightings(before, late, lockstep=False, now_ms=100) == {"perception"}
    assert timeline.take_readings(before, Readings(3, 5000, 1536, 864, []), lockstep=False, now_ms=100) == {"codes"}
    assert before.pending == []


def test_lockstep_and_clock_are_passed_on_for_either_reader() -> None:
    """Realtime lets a reader run as far ahead as our clock has come, lockstep for so many frames of its own."""
    for take, message in (
        (timeline.take_sightings, Sightings(90, 3600, 1536, 864, [])),
        (timeline.take_readings, Readings(90, 3600, 1536, 864, [])),
    ):
        alone = held(*range(2, 66), perception=1, codes=1)
        assert take(alone, message, lockstep=True, now_ms=3600)  # type: ignore[operator]
        assert not take(held(began_ms=0), message, lockstep=False, now_ms=3600)  # type: ignore[operator]
        assert take(held(began_ms=0), message, lockstep=False, now_ms=3349)  # type: ignore[operator]


def test_a_fix_is_kept_with_all_that_it_says_and_a_time_of_zero_is_none() -> None:
    before = state()
    timeline.take_fix(before, Fix(0, 1.0, 2.0, 3.0, 4.0))
    assert (before.fixes, before.ignored, before.first_fix_ms) == ([], 1, 0)
    timeline.take_fix(before, Fix(1, 1.0, 2.0, 3.0, 4.0))
    timeline.take_fix(before, Fix(2, 1.0, 2.0, 3.0, 4.0))
    one = before.fixes[0]
    assert (one.utc_ms, one.pose.lat, one.pose.lon, one.pose.heading, one.pose.accuracy_m) == (1, 1.0, 2.0, 3.0, 4.0)
    assert before.first_fix_ms == 1


def test_at_the_cap_later_fixes_are_ignored() -> None:
    assert MAX_FIXES == 2048
    before = state()
    for number in range(1, MAX_FIXES + 2):
        timeline.take_fix(before, Fix(number, 1.0, 2.0, 3.0, 4.0))
    assert (len(before.fixes), before.fixes[-1].utc_ms, before.ignored) == (MAX_FIXES, MAX_FIXES, 1)


# --- the two readers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("perception", "codes"), [(5, 6), (6, 5), (5, 5)])
def test_a_frame_is_released_when_both_have_come_as_far(perception: int, codes: int) -> None:
    before = held(4, 5, 6, perception=perception, codes=codes)
    assert released(before) == [4, 5]
    assert [one.frame for one in before.pending] == [6]
    assert before.released_mark == 5


@pytest.mark.parametrize(("newest_ms", "frames"), [(1000, [0]), (999, []), (1039, [0]), (1040, [0, 1])])
def test_outside_lockstep_a_reader_is_waited_for_a_second(newest_ms: int, frames: list[int]) -> None:
    assert released(held(0, 1, codes=1, newest_ms=newest_ms), lockstep=False) == frames
    assert released(held(0, 1, codes=1, newest_ms=newest_ms)) == []


@pytest.mark.parametrize(
    ("now_ms", "newest_ms", "frames"),
    [(6000, 5000, [0]), (5999, 5000, []), (9000, 999, []), (9000, 1000, [0]), (None, 1000, [0])],
)
def test_the_wait_is_measured_by_the_readers_but_never_beyond_our_own_clock(
    now_ms: int | None, newest_ms: int, frames: list[int]
) -> None:
    before = held(0, codes=0, newest_ms=newest_ms, began_ms=5000)
    assert released(before, lockstep=False, now_ms=now_ms) == frames


def test_without_a_begin_our_clock_says_nothing() -> None:
    assert released(held(0, codes=0, newest_ms=1000), lockstep=False, now_ms=0) == [0]


def test_at_the_cap_the_oldest_moment_is_released_unheard() -> None:
    assert MAX_PENDING == 128
    before = held(*range(MAX_PENDING), codes=MAX_PENDING - 1)
    assert released(before) == []
    before.pending.append(moment(MAX_PENDING))
    assert released(before) == [0]
    assert len(before.pending) == MAX_PENDING


def test_at_the_end_all_is_released() -> None:
    before = held(0, 1, 2, codes=2, fixes_ended=False)
    assert released(before) == []
    assert released(before, finishing=True) == [0, 1, 2]
    assert before.pending == []


# --- time and place -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start_ms", "first_fix_ms", "expected"), [(UTC_MS, 7, UTC_MS + 40), (0, 7, 47), (0, 0, 0), (2**48, 0, 2**48)]
)
def test_the_time_of_a_moment_counts_from_the_start_else_from_the_first_fix(
    start_ms: int, first_fix_ms: int, expected: int
) -> None:
    before = held(1, perception=1, codes=1, start_utc_ms=start_ms, first_fix_ms=first_fix_ms)
    ((one, _),) = timeline.released(before, lockstep=True)
    assert one.utc_ms == expected


@pytest.mark.parametrize(("last_fix_ms", "frames"), [(UTC_MS + 80, [0, 1, 2]), (UTC_MS + 79, [0, 1]), (UTC_MS - 1, [])])
def test_a_moment_waits_for_a_fix_at_its_time_or_later(last_fix_ms: int, frames: list[int]) -> None:
    """In lockstep for the one after it as well: that one shows how the vehicle drove on."""
    fixes = [timed(UTC_MS - 5000), timed(last_fix_ms), timed(UTC_MS + 90_000)]
    waiting = {"perception": 2, "codes": 2, "fixes_ended": False, "start_utc_ms": UTC_MS}
    assert released(held(0, 1, 2, fixes=fixes, **waiting)) == frames  # type: ignore[arg-type]
    assert released(held(0, 1, 2, fixes=fixes[:2], **waiting), lockstep=False) == frames  # type: ignore[arg-type]


def test_no_fix_or_no_time_places_a_moment() -> None:
    assert released(held(0, perception=0, codes=0, fixes_ended=False, start_utc_ms=UTC_MS)) == []
    assert released(held(0, perception=0, codes=0, fixes_ended=False, fixes=[timed(UTC_MS)])) == []
    assert released(held(0, perception=0, codes=0)) == [0]


@pytest.mark.parametrize(("newest_ms", "frames"), [(4000, [0]), (3999, [])])
def test_outside_lockstep_the_fixes_are_waited_for_four_seconds(newest_ms: int, frames: list[int]) -> None:
    before = held(0, perception=9, codes=9, fixes_ended=False, newest_ms=newest_ms)
    assert released(before, lockstep=False) == frames


def test_a_moment_goes_out_with_the_pose_at_its_time() -> None:
    fixes = [timed(UTC_MS, 0.0), timed(UTC_MS + 80, 8.0)]
    before = held(1, 9_999, perception=9_999, codes=9_999, start_utc_ms=UTC_MS, fixes=fixes)
    (_, at), (_, nowhere) = timeline.released(before, lockstep=True)
    assert at is not None
    assert at.lat == pytest.approx(pose(4.0).lat)
    assert nowhere is None


def test_without_a_time_there_is_no_pose() -> None:
    before = held(1, perception=1, codes=1, fixes=[timed(0, 5.0)])
    assert [at for _, at in timeline.released(before, lockstep=True)] == [None]


def test_what_is_released_is_what_comes_next_is_measured_by() -> None:
    before = held(3, perception=3, codes=3)
    released(before)
    assert (before.released_mark, before.released_ms, before.agreed_frame, before.agreed_ms) == (3, 120, 3, 120)


# --- fixes that are of no use any more ----------------------------------------------------------------------------


def fixes_after(before: State, **options: object) -> int:
    released(before, **options)
    return len(before.fixes)


def far_on(**changes: object) -> State:
    """A moment at 40 s of the stream, with a fix for each second until then."""
    fixes = [timed(UTC_MS + 1000 * second, second) for second in range(40)]
    return held(1000, start_utc_ms=UTC_MS, fixes=fixes, fixes_ended=False, **changes)


def test_fixes_are_forgotten_once_both_have_spoken_of_the_time_or_it_is_forced() -> None:
    assert fixes_after(far_on(perception=1000)) == 40
    assert fixes_after(far_on(perception=1000, codes=1000)) == 12
    assert fixes_after(far_on(perception=1000), finishing=True) == 12
