"""Which fixes count. `position` may be mistaken or fallen, so that no fix is believed alone.

A fix counts if a vehicle at the last one can have driven to it. One that does not go on is doubted until the next:
where that goes on from the last good fix, the doubted one was a slip; where it goes on from the doubted one, the two
may be a new beginning. A beginning that the last fix does not contradict (the first of all, or after a pause) needs two
fixes that agree. One that contradicts it, because no vehicle can have driven there or because time goes back, must hold
out for `BELIEVED_MS`: longer than most reflections last, and short enough that a source that was false is overruled by
its successor.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Final

from device.channel.messages import Fix, PlaceRepeated
from device.verdict.intake.route import KEPT_MS
from device.verdict.state import MAX_DOUBTED, MAX_FIXES, MAX_REPEATED, State
from wire.geodesy import Pose, TimedPose, distance_m
from wire.motion import effort, held

BELIEVED_MS: Final = 15_000
"""For so long fixes that contradict the last good one must agree among themselves."""
MAX_PAUSE_MS: Final = 60_000
"""After a longer pause a fix does not go on from the one before."""
FAR_AHEAD_MS: Final = 3_600_000
"""While all fixes held are later than this, an earlier one is still listened to, even if no more can be held."""
_SAME_PLACE_M: Final = 1.0


def take_fix(state: State, fix: Fix) -> None:
    """Files one fix, or doubts it. What is known already, without a time, or over the cap is counted and ignored."""
    told = TimedPose(fix.utc_ms, Pose(fix.lat, fix.lon, fix.heading, fix.accuracy_m), fix.begins)
    if fix.utc_ms == 0 or _is_known(state, told) or (_is_full(state) and told.utc_ms > state.fixes[-1].utc_ms):
        state.ignored += 1
        return
    good, doubted = _effort(state.fixes, told), _effort(state.doubted, told)
    begun = bool(state.doubted) and state.doubted[0].begins and doubted <= 1.0
    if good <= min(doubted, 1.0) and not begun:
        jumped = sum(state.fixes[-1].utc_ms < fix.utc_ms < told.utc_ms for fix in state.doubted) > 1
        _set_aside(state, len(state.doubted))
        _believe(state, TimedPose(told.utc_ms, told.pose, begins=jumped))  # where it was meanwhile is not known
        return
    if doubted > 1.0:
        _set_aside(state, len(state.doubted))
    elif len(state.doubted) >= MAX_DOUBTED:
        del state.doubted[1::2]  # their length in time is what counts
    state.doubted.append(told)
    if _is_beginning(state):
        _begin_anew(state)


def take_repeated(state: State, repeated: PlaceRepeated) -> None:
    """Remembers when the receiver only repeated a place; a source that was started again tells it again."""
    span = (repeated.from_utc_ms, repeated.until_utc_ms)
    if span in state.repeated:
        return
    if len(state.repeated) >= MAX_REPEATED:
        state.ignored += 1
        return
    state.repeated.append(span)


def has_source(state: State) -> bool:
    """Whether a position source spoke, or may yet: also one whose fixes were not believed."""
    return state.first_fix_ms > 0 or state.set_aside > 0 or bool(state.doubted) or not state.fixes_ended


def wants_fixes(state: State) -> bool:
    """False while no more can be held: then none is read until moments have gone on."""
    now = state.placed_ms or state.start_utc_ms or state.first_fix_ms
    return not _is_full(state) or state.fixes[0].utc_ms > now + FAR_AHEAD_MS


def _is_full(state: State) -> bool:
    return len(state.fixes) >= MAX_FIXES


def _is_known(state: State, fix: TimedPose) -> bool:
    """Whether the fix is too old to be of use, or was told before: a source that was started again tells all again."""
    if not state.fixes or fix.utc_ms > state.fixes[-1].utc_ms:
        return False
    index = bisect_left(state.fixes, fix.utc_ms, key=lambda one: one.utc_ms)
    known = state.fixes[index]
    if known.utc_ms == fix.utc_ms and _apart_m(known, fix) <= _SAME_PLACE_M:
        _set_aside(state, len(state.doubted))  # the source agrees with what is held
        return True
    return index == 0 and fix.utc_ms < state.placed_ms - KEPT_MS


def _effort(track: list[TimedPose], fix: TimedPose) -> float:
    """How hard it is to go on with `fix`; more than 1: it does not."""
    if not track or fix.begins or not 0 < fix.utc_ms - track[-1].utc_ms <= MAX_PAUSE_MS:
        return math.inf
    return effort(track[-1], fix, *held(track))


def _is_beginning(state: State) -> bool:
    """Whether the doubted fixes are enough to begin anew with."""
    first, last = state.doubted[0], state.doubted[-1]
    if len(state.doubted) < 2:
        return False
    if not state.fixes:
        return True
    contradicted = effort(state.fixes[-1], first) > 1.0 or (
        not first.begins and first.utc_ms - state.fixes[-1].utc_ms <= MAX_PAUSE_MS
    )
    return not contradicted or last.utc_ms - first.utc_ms >= BELIEVED_MS


def _begin_anew(state: State) -> None:
    """The doubted fixes count from now on, and what contradicts them no more: all that is later than their first."""
    first, *others = state.doubted
    kept = bisect_left(state.fixes, first.utc_ms, key=lambda fix: fix.utc_ms)
    state.set_aside += len(state.fixes) - kept
    del state.fixes[kept:]
    for fix in (TimedPose(first.utc_ms, first.pose, begins=True), *others):
        _believe(state, fix)
    state.doubted.clear()


def _believe(state: State, fix: TimedPose) -> None:
    state.first_fix_ms = state.first_fix_ms or fix.utc_ms
    state.fixes.append(fix)


def _set_aside(state: State, count: int) -> None:
    state.set_aside += count
    state.doubted.clear()


def _apart_m(one: TimedPose, other: TimedPose) -> float:
    return distance_m(one.pose.lat, one.pose.lon, other.pose.lat, other.pose.lon)
