"""Joins what perception, the code reader and the position source say into one ordered sequence of moments.

The three speak over three channels and in any interleaving; the judgement must not depend on it. A moment is therefore
released only when both readers have spoken of its frame (or of a later one: then they dropped it) and the vehicle's
position at its time is settled. Patience is bounded: by stream time, and always by the number of moments held back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from device.channel.messages import Box, Fix, Reading, Readings, Sightings
from device.position.geodesy import Pose, Timed
from device.verdict import route
from device.verdict.state import MAX_FIXES, MAX_PENDING, Moment, State

PEER_PATIENCE_MS: Final = 1000
"""How far one reader may fall behind the other before the frame is judged without it."""
MAX_LEAP_FRAMES: Final = 3600
MAX_LEAP_MS: Final = 120_000
"""A message further ahead of everything seen so far than this is not believed."""


def take_sightings(state: State, message: Sightings) -> None:
    """Files what perception saw in one frame. Duplicates and messages out of order are counted and ignored."""
    if message.frame <= state.sightings_mark or not _believable(state, message.frame, message.t_ms):
        state.ignored += 1
        return
    if message.utc_ms:
        state.clock_offset_ms = max(message.utc_ms - message.t_ms, 0)
    state.sightings_mark = message.frame
    moment = _moment(state, message.frame, message.t_ms)
    moment.boxes, moment.t_ms, moment.utc_ms = list(message.boxes), message.t_ms, message.utc_ms


def take_readings(state: State, message: Readings) -> None:
    """Files what the code reader read in one frame. Duplicates and messages out of order are counted and ignored."""
    if message.frame <= state.readings_mark or not _believable(state, message.frame, message.t_ms):
        state.ignored += 1
        return
    state.readings_mark = message.frame
    _moment(state, message.frame, message.t_ms).readings = list(message.readings)


def take_fix(state: State, fix: Fix) -> None:
    """Files one position. Fixes that go back in time, and fixes beyond the buffer, are counted and ignored."""
    if (state.fixes and fix.utc_ms <= state.fixes[-1].utc_ms) or len(state.fixes) >= MAX_FIXES or fix.utc_ms == 0:
        state.ignored += 1
        return
    state.first_fix_ms = state.first_fix_ms or fix.utc_ms
    state.fixes.append(Timed(fix.utc_ms, Pose(fix.lat, fix.lon, fix.heading, fix.accuracy_m)))


def released(state: State, *, lockstep: bool, finishing: bool = False) -> Iterator[tuple[Moment, Pose | None]]:
    """Takes the moments that are ready out of the state, in order, each with the vehicle's pose at its time."""
    while state.pending:
        moment = state.pending[0]
        utc_ms = _utc(state, moment)
        route.forget(state, utc_ms)
        forced = finishing or len(state.pending) > MAX_PENDING
        if not forced and not (_spoken(state, moment, lockstep) and _placed(state, moment, utc_ms, lockstep)):
            return
        state.pending.pop(0)
        state.released_mark = moment.frame
        moment.utc_ms = utc_ms
        yield moment, route.pose_at(state, utc_ms) if utc_ms else None


def _believable(state: State, frame: int, t_ms: int) -> bool:
    if frame <= state.released_mark:
        return False
    mark = max(state.sightings_mark, state.readings_mark)
    return mark < 0 or (frame <= mark + MAX_LEAP_FRAMES and t_ms <= state.newest_ms + MAX_LEAP_MS)


def _moment(state: State, frame: int, t_ms: int) -> Moment:
    """The moment of `frame`, made and filed in order if it is new."""
    state.newest_ms = max(state.newest_ms, t_ms)
    index = bisect_left(state.pending, frame, key=lambda moment: moment.frame)
    if index == len(state.pending) or state.pending[index].frame != frame:
        boxes: list[Box] | None = None
        readings: list[Reading] | None = None
        state.pending.insert(index, Moment(frame, t_ms, 0, boxes, readings))
    return state.pending[index]


def _utc(state: State, moment: Moment) -> int:
    """Unix milliseconds of a moment: by the stream's clock, else by the first fix, as if that were at the start."""
    if moment.utc_ms:
        return moment.utc_ms
    start = state.clock_offset_ms or state.first_fix_ms
    return start + moment.t_ms if start else 0


def _spoken(state: State, moment: Moment, lockstep: bool) -> bool:
    if moment.frame <= min(state.sightings_mark, state.readings_mark):
        return True
    return not lockstep and state.newest_ms - moment.t_ms >= PEER_PATIENCE_MS


def _placed(state: State, moment: Moment, utc_ms: int, lockstep: bool) -> bool:
    if state.fixes_ended or (state.fixes and utc_ms and state.fixes[-1].utc_ms >= utc_ms):
        return True
    return not lockstep and state.newest_ms - moment.t_ms >= route.MAX_GAP_MS
