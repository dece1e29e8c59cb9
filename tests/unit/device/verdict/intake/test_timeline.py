"""The timeline: moments are released in order, with bounded patience, and the position is never guessed far."""

from __future__ import annotations

import pytest

from device.channel.messages import Fix, Readings, Sightings
from device.verdict.intake import route, timeline
from device.verdict.judge import Judge
from device.verdict.state import State
from tests.support.verdict_drive import ANCHORS, LON, UTC_S, Journey, Sign, code, feed, north
from wire.geodesy import Pose, TimedPose


def sightings(frame: int, t_ms: int | None = None) -> Sightings:
    return Sightings(frame, frame * 40 if t_ms is None else t_ms, 1536, 864, [])


def perception(state: State, frame: int, t_ms: int | None = None, now_ms: int | None = None) -> set[str]:
    return set(timeline.take_sightings(state, sightings(frame, t_ms), lockstep=now_ms is None, now_ms=now_ms))


def codes(state: State, frame: int, t_ms: int | None = None, now_ms: int | None = None) -> set[str]:
    message = Readings(frame, frame * 40 if t_ms is None else t_ms, 1536, 864, [])
    return set(timeline.take_readings(state, message, lockstep=now_ms is None, now_ms=now_ms))


def released(state: State, *, lockstep: bool = False) -> list[int]:
    return [moment.frame for moment, _ in timeline.released(state, lockstep=lockstep)]


def without_positions() -> State:
    return State("test", fixes_ended=True)


def test_a_frame_waits_for_both_readers() -> None:
    state = without_positions()
    perception(state, 0)
    assert released(state) == []
    codes(state, 0)
    assert released(state) == [0]


def test_a_frame_that_one_reader_dropped_is_released_by_its_next_word() -> None:
    state = without_positions()
    for frame in range(3):
        perception(state, frame)
    codes(state, 2)
    assert released(state, lockstep=True) == [0, 1, 2]


def test_a_silent_reader_is_waited_for_only_so_long() -> None:
    state = without_positions()
    for frame in range(40):
        perception(state, frame)
    assert released(state, lockstep=True) == []
    assert released(state) == list(range(15))


def test_in_lockstep_the_fixes_are_waited_for() -> None:
    state = State("test", start_utc_ms=UTC_S * 1000)
    for frame in range(128):
        perception(state, frame)
        codes(state, frame)
    assert released(state, lockstep=True) == []
    for second in (0, 1, 2):
        timeline.take_fix(state, Fix((UTC_S + second) * 1000, 48.0, 11.0, 0.0, 3.0))
    assert released(state, lockstep=True) == list(range(26))  # to the last fix but one
    assert released(state) == list(range(26, 51))  # outside lockstep the next fix is enough


def test_a_judge_goes_on_while_the_code_reader_is_away() -> None:
    drive = Journey([Sign(90.0, data=code(90.0))])
    judge = Judge(ANCHORS, None, stream="test")
    verdicts = []
    for message in [*drive.fixes(), *(drive.sightings(frame) for frame in range(drive.frames))]:
        verdicts += feed(judge, message)
    assert [verdict.state for verdict in verdicts] == ["UNVERIFIED"]


# --- the route ------------------------------------------------------------------------------------------------------


def state_with(*seconds: float, heading: float | None = 0.0) -> State:
    fixes = [TimedPose(round(s * 1000), Pose(north(15 * s), LON, heading, 3.0)) for s in seconds]
    return State("test", fixes=fixes)


def metres(pose: Pose | None) -> float | None:
    return None if pose is None else (pose.lat - north(0)) / (north(1) - north(0))


@pytest.mark.parametrize(
    ("at_s", "expected"), [(1.0, 15.0), (1.5, 22.5), (3.0, 45.0), (4.0, 60.0), (5.0, 75.0), (5.5, None), (0.5, None)]
)
def test_the_vehicle_is_between_two_fixes_or_shortly_after_the_last(at_s: float, expected: float | None) -> None:
    found = metres(route.pose_at(state_with(1.0, 2.0, 3.0), round(at_s * 1000)))
    assert found == (None if expected is None else pytest.approx(expected, abs=0.01))


def test_fixes_far_apart_do_not_bracket_a_moment() -> None:
    assert route.pose_at(state_with(1.0, 17.0), 3000) is None


def test_a_guess_beyond_the_last_fix_is_less_accurate() -> None:
    pose = route.pose_at(state_with(1.0, 2.0), 3000)
    assert pose is not None
    assert pose.accuracy_m == pytest.approx(8.0)


def test_a_standing_vehicle_keeps_its_heading() -> None:
    state = state_with(1.0, 2.0, heading=30.0)
    route.pose_at(state, 1500)
    state.fixes += [TimedPose(3000, Pose(48.0, 11.0, None, 3.0)), TimedPose(4000, Pose(48.0, 11.0, None, 3.0))]
    pose = route.pose_at(state, 3500)
    assert pose is not None
    assert pose.heading == 30.0


def test_old_fixes_are_forgotten() -> None:
    state = state_with(*range(1, 100))
    route.forget(state, 90_000)
    assert state.fixes[0].utc_ms == 78_000
