"""The way, in a bounded outline: whether the vehicle can have been at a place, whatever the stream's start is.

The fixes around the moment that is judged are in `route`. When it is not sure when the stream began, a claim of place
has to hold for every start that is possible, and those may lie hours apart: for that, the way so far is kept as a line
whose waypoints are a step apart. The step doubles as the line fills. Beyond the fixes that are known the vehicle is as
far as it can have driven; while they repeat one place too, since nobody can tell a stop from a receiver that is blind.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Final

from msgspec.structs import replace

from device.verdict.intake import route
from device.verdict.state import MAX_OUTLINE, State, Waypoint
from wire.geodesy import TimedPose, distance_m, offset_m

TOP_SPEED_M_PER_MS: Final = 0.07
"""250 km/h: no vehicle that reads signs is faster."""
SURE_GAP_MS: Final = 4000
"""Fixes nearer to each other than this in time lie on the way between."""


def note(state: State, until_ms: int) -> None:
    """Adds the fixes up to a moment to the outline, each once."""
    newest = state.outline[-1].until_ms if state.outline else -1
    first = bisect_right(state.fixes, newest, key=lambda fix: fix.utc_ms)
    last = bisect_right(state.fixes, until_ms, key=lambda fix: fix.utc_ms)
    told_first: int | None = None
    for index in range(first, last):
        fix = state.fixes[index]
        if told_first is None or not route.is_same(state.fixes[index - 1], fix):
            told_first = route.first_of_same(state.fixes, index)
        held = fix.utc_ms - state.fixes[told_first].utc_ms >= route.REPEATED_MS
        _add(state, fix, route.told_first_ms(state, told_first) if held else None)


def nearest_m(state: State, lat: float, lon: float, from_ms: int, to_ms: int) -> float | None:
    """How near the vehicle can have come to a place between two moments at the least, metres; None: no way is known.

    Args:
        from_ms, to_ms: by the track's clock.
    """
    line, step_m = known(state)
    if not line:
        return None
    found = [math.inf]
    if from_ms < line[0].utc_ms:
        found.append(_away_m(line[0], lat, lon) - TOP_SPEED_M_PER_MS * (line[0].utc_ms - from_ms))
    if to_ms > line[-1].until_ms:
        beyond_m = TOP_SPEED_M_PER_MS * (to_ms - line[-1].until_ms) + _drove_m(line[-1], to_ms)
        found.append(_away_m(line[-1], lat, lon) - beyond_m)
    for before, here in zip([None, *line], line, strict=False):
        left_ms = here.utc_ms if before is None else before.until_ms
        if left_ms <= to_ms and here.until_ms >= from_ms:
            ends = [offset_m(lat, lon, point.lat, point.lon) for point in (before or here, here)]
            off_m = max(here.slack_m, _drove_m(here, to_ms), _leaps_m(before, here))
            found.append(_from_line_m(*ends) - step_m - off_m)
    return max(0.0, min(found))


def _drove_m(point: Waypoint, to_ms: int) -> float:
    """How far the vehicle may have driven away, up to a moment, while the track only repeated a place."""
    if point.held_from_ms is None:
        return 0.0
    if point.held_from_ms == 0:
        return math.inf
    return TOP_SPEED_M_PER_MS * max(0, min(point.until_ms, to_ms) - point.held_from_ms)


def _leaps_m(before: Waypoint | None, here: Waypoint) -> float:
    """How far off the line the vehicle may have been just before the track told another place than the repeated one."""
    if before is None or before.held_from_ms is None:
        return 0.0
    return TOP_SPEED_M_PER_MS * (here.utc_ms - before.until_ms)


def known(state: State) -> tuple[list[Waypoint], float]:
    """The way so far with the fixes that are known ahead of it, and its step in metres."""
    last = [replace(point) for point in state.outline[-1:]]
    ahead = State(state.stream, outline=last, outline_step_m=state.outline_step_m, fixes=state.fixes)
    ahead.first_fix_ms = state.first_fix_ms
    if state.fixes:
        note(ahead, state.fixes[-1].utc_ms)
    return state.outline[:-1] + ahead.outline, ahead.outline_step_m


def _from_line_m(start: tuple[float, float], end: tuple[float, float]) -> float:
    """The distance of the origin from the line between two points of the plane."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    length = dx * dx + dy * dy
    share = 0.0 if length == 0.0 else max(0.0, min(1.0, -(x * dx + y * dy) / length))
    return math.hypot(x + share * dx, y + share * dy)


def _away_m(point: Waypoint, lat: float, lon: float) -> float:
    return distance_m(point.lat, point.lon, lat, lon) - point.slack_m


def _add(state: State, fix: TimedPose, held_from_ms: int | None) -> None:
    """The next fix. `held_from_ms`: as of the waypoint."""
    lat, lon = fix.pose.lat, fix.pose.lon
    if not state.outline:
        state.outline.append(Waypoint(fix.utc_ms, fix.utc_ms, lat, lon, held_from_ms=held_from_ms))
        return
    last = state.outline[-1]
    slack = _slack_m(fix.utc_ms - last.until_ms, broken=fix.begins)
    goes_on = last.held_from_ms in (None, held_from_ms)  # else the vehicle has moved again
    if slack == 0.0 and goes_on and distance_m(last.lat, last.lon, lat, lon) < state.outline_step_m:
        last.until_ms, last.held_from_ms = fix.utc_ms, held_from_ms
        return
    state.outline.append(Waypoint(fix.utc_ms, fix.utc_ms, lat, lon, slack, held_from_ms))
    while len(state.outline) > MAX_OUTLINE:
        _coarsen(state)


def _slack_m(gap_ms: int, *, broken: bool) -> float:
    """How far a vehicle may go off and come back between two fixes; nothing where they are near in time and of one
    segment."""
    return 0.0 if gap_ms <= SURE_GAP_MS and not broken else TOP_SPEED_M_PER_MS * gap_ms / 2


def _coarsen(state: State) -> None:
    """A line of at most as many waypoints with twice the step. What is merged keeps its slack."""
    state.outline_step_m *= 2
    kept = [state.outline[0]]
    for point in state.outline[1:]:
        last = kept[-1]
        if distance_m(last.lat, last.lon, point.lat, point.lon) < state.outline_step_m:
            last.until_ms, last.slack_m = point.until_ms, max(last.slack_m, point.slack_m)
            last.held_from_ms = point.held_from_ms if last.held_from_ms is None else last.held_from_ms
        else:
            kept.append(point)
    state.outline = kept
