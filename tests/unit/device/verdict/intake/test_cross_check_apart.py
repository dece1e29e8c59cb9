"""In realtime each reader takes the newest frame when it is free: they may never see the same frame, at any rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from device.channel.messages import Readings, Sightings, Verdict
from device.verdict.judge import Judge
from device.verdict.state import MAX_PENDING
from tests.support.verdict_drive import ANCHORS, SPEED, UTC_S, Journey, Sign, code, entry, registered

LATE_MS = 90
STEADY: Callable[[float], float] = lambda seconds: 1.0  # noqa: E731


def times(fps: float, seconds: float, pace: Callable[[float], float]) -> list[int]:
    """When each frame was taken, milliseconds; `pace` says how much faster than `fps` the camera is at a time."""
    taken, now = [0], 0.0
    while now < seconds:
        now += 1.0 / (fps * pace(now))
        taken.append(round(now * 1000))
    return taken


def takes(taken: list[int], seconds_each: float, parity: int | None, both: int) -> Iterator[tuple[int, int]]:
    """(frame, when it is done, ms) of a reader that takes the newest frame whenever it is free; both take `both`."""
    free = 0.0
    for frame, t_ms in enumerate(taken):
        following = taken[frame + 1] if frame + 1 < len(taken) else t_ms + 1000
        mine = parity is None or frame % 2 == parity or frame == both
        if mine and free < following:
            free = max(free, float(t_ms)) + seconds_each * 1000
            yield frame, round(free)


def judged(
    fps: float,
    perception_fps: float,
    codes_fps: float,
    *,
    apart: bool,
    pace: Callable[[float], float] = STEADY,
    both: int = 1,
) -> tuple[list[Verdict], int]:
    """The verdicts on a drive past one coded sign, and the most moments held back. No reader may be accused."""
    drive = Journey([Sign(90.0, data=code(90.0), code_from_m=20.0)], register=registered(entry(90.0)))
    taken = times(fps, drive.length_m / SPEED, pace)
    judge = Judge(ANCHORS, drive.register, stream="test")
    judge.start(UTC_S * 1000, 0)
    verdicts = [verdict for fix in drive.fixes() for verdict in judge.on_fix(fix)] + judge.on_fixes_end()
    sides = ((0, perception_fps, 0), (1, codes_fps, 1))
    done = sorted(
        (at, side, frame)
        for side, rate, parity in sides
        for frame, at in takes(taken, 1.0 / rate, parity if apart else None, both)
    )
    held = 0
    for at, side, frame in done:
        along, now = taken[frame] / 1000 * SPEED, at + LATE_MS
        if side == 0:
            boxes = [box for sign in drive.signs if (box := sign.box(sign.at_m - along)) is not None]
            verdicts += judge.on_sightings(Sightings(frame, taken[frame], 1536, 864, boxes), now)
        else:
            readings = [reading for sign in drive.signs for reading in sign.readings(frame, sign.at_m - along)]
            verdicts += judge.on_readings(Readings(frame, taken[frame], 1536, 864, readings), now)
        assert judge.accused() == frozenset(), (at, side, frame)
        held = max(held, len(judge._state.pending))
    return verdicts + judge.finish(), held


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("fps", [15, 30, 60])
@pytest.mark.parametrize(("perception_fps", "codes_fps"), [(4, 60), (7, 11), (60, 5), (25, 25)])
def test_honest_readers_of_any_rate_are_believed(fps: int, perception_fps: int, codes_fps: int, apart: bool) -> None:
    verdicts, held = judged(fps, perception_fps, codes_fps, apart=apart)
    assert [verdict.state for verdict in verdicts] == ["VERIFIED"]
    assert held <= MAX_PENDING


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("fps", [3, 5, 8])
def test_at_few_frames_a_second_neither_is_accused_and_nothing_false_is_said(fps: int, apart: bool) -> None:
    verdicts, _ = judged(fps, fps, fps, apart=apart)
    assert {verdict.state for verdict in verdicts} <= {"VERIFIED", "CODE_ONLY", "UNVERIFIED"}


@pytest.mark.parametrize("apart", [True, False])
def test_a_camera_that_starts_slowly_accuses_nobody(apart: bool) -> None:
    verdicts, _ = judged(60, 9, 13, apart=apart, pace=lambda seconds: 0.08 if seconds < 0.5 else 1.0)
    assert [verdict.state for verdict in verdicts] == ["VERIFIED"]


@pytest.mark.parametrize("apart", [True, False])
def test_a_camera_that_gets_four_times_as_fast_in_the_light_accuses_nobody(apart: bool) -> None:
    verdicts, _ = judged(60, 9, 13, apart=apart, pace=lambda seconds: 0.25 if seconds < 4.0 else 1.0, both=55)
    assert [verdict.state for verdict in verdicts] == ["VERIFIED"]


def test_a_reader_that_counts_frames_faster_than_they_come_does_not_silence_the_other() -> None:
    """Perception says each frame's true time and a number that is 60 too high: within the bound on leaps."""
    judge = Judge(ANCHORS, None, stream="test")
    judge.start(UTC_S * 1000, 0)
    judge.on_fixes_end()
    accused = set()
    for frame in range(200):
        now = frame * 40 + LATE_MS
        judge.on_sightings(Sightings(frame + (60 if frame > 20 else 0), frame * 40, 1536, 864, []), now)
        accused |= judge.accused()
        judge.on_readings(Readings(frame, frame * 40, 1536, 864, []), now)
        accused |= judge.accused()
    assert "perception" in accused
