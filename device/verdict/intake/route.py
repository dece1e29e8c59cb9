"""Where the vehicle was at a moment: interpolated between fixes, never guessed far beyond them.

The place has an error, and it covers every place where the vehicle may have been: the fixes' own error; how far a
vehicle that accelerates may leave the even way between two fixes (`wire.motion.stray_m`), which grows with the square
of the gap; and how far it came while the moment itself is uncertain.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

from device.verdict.state import MAX_FIXES, State
from wire.geodesy import EARTH_RADIUS_M, Pose, TimedPose, bearing, between, distance_m, heading_difference
from wire.motion import CRUISE_ACCELERATION, MAX_ACCELERATION, MAX_GAP_MS, NOISE, acceleration, stray_m

MAX_BEYOND_MS: Final = 2000
"""For how long after the last fix the vehicle is assumed to go on as before."""
KEPT_MS: Final = 10_000
"""Fixes older than this, beside the moment that is judged, are of no more use."""
UNSEEN_ACCELERATION: Final = 3.4
"""Where no third fix shows how steadily the vehicle drove, metres a second squared: less than tyres hold (8), and more
than drivers ask for in traffic. It adds 0.4 m at a fix a second, and 10 m, all that a place may be off by, at 4.9 s."""
SAME_HEADING_DEGREES: Final = 45.0
"""Headings that differ by more, over the time that a moment may be at, are no heading."""
CAME_MS: Final = 10_000
"""For so long back the way that the vehicle came is asked how sure its heading is."""
MAX_TURN_MS: Final = 2000
"""Fixes further apart than this do not tell when, between them, the vehicle turned."""
REPEATED_MS: Final = 3000
"""A place that is told for longer, the same to its last digit, is none: a receiver wanders, at a stop too."""
NOBODY_KNOWS_MS: Final = 2**47
MAX_ACCURACY_M: Final = 10_000.0
_DRIFT_M_PER_S: Final = 5.0
"""By how much a position gets less accurate with each second beyond the last fix."""


def pose_at(state: State, utc_ms: int, error_ms: int = 0) -> Pose | None:
    """The vehicle's pose at `utc_ms`, None where the fixes do not tell.

    `accuracy_m` covers every place of `utc_ms` +- `error_ms`. `heading` is None where it is not the same, within
    `SAME_HEADING_DEGREES`, over that time; a standing vehicle keeps its last one. Nothing is known across a break,
    across more than `wire.motion.MAX_GAP_MS`, and before the first fix. `heading_error` is by the way so far.
    """
    pose = _place(state.fixes, utc_ms)
    if pose is None:
        return None
    heading = _kept_heading(state, utc_ms) if pose.heading is None else pose.heading
    if pose.heading is not None:
        state.last_heading, state.last_heading_ms = pose.heading, utc_ms
    accuracy_m = _reach_m(state.fixes, pose, utc_ms, error_ms) if error_ms > 0 else pose.accuracy_m
    if accuracy_m > MAX_ACCURACY_M:
        return None
    if heading is not None and not _is_steady(heading, _headings(state.fixes, utc_ms, error_ms)):
        heading = None
    return Pose(pose.lat, pose.lon, heading, accuracy_m, _heading_error(state.fixes, utc_ms, heading))


def forget(state: State, utc_ms: int, error_ms: int = 0) -> None:
    """Drops the fixes that no moment from `utc_ms` - `error_ms` on can need."""
    state.placed_ms = max(state.placed_ms, utc_ms)
    useless = bisect_left(state.fixes, utc_ms - error_ms - KEPT_MS, key=_time) - 2
    if useless > 0:
        first = first_of_same(state.fixes, useless)
        if any(fix.begins and fix.utc_ms > state.last_heading_ms for fix in state.fixes[:useless]):
            state.last_heading = None
        state.fixes[:useless] = state.fixes[first : min(first + 1, useless)]  # since when a place is repeated


def repeated_ms(state: State, since_ms: int, until_ms: int) -> int | None:
    """For how long, at one of these moments, the track had told no place but the same, in milliseconds, at the most;
    None where it had not for `REPEATED_MS`. Where it tells no other before, that is for all the time that a message
    holds: nobody knows.

    A receiver that has lost its satellites may go on so, and a logger may hold the place while the vehicle stands.
    """
    longest: int | None = None
    at, end_ms = bisect_right(state.fixes, until_ms, key=_time) - 1, until_ms
    while at >= 0:
        first = first_of_same(state.fixes, at)
        last = at
        while last + 1 < len(state.fixes) and is_same(state.fixes[last], state.fixes[last + 1]):
            last += 1
        if state.fixes[last].utc_ms - state.fixes[first].utc_ms >= REPEATED_MS:
            since = told_first_ms(state, first)
            longest = max(longest or 0, NOBODY_KNOWS_MS if since == 0 else end_ms - since)
        if state.fixes[first].utc_ms <= since_ms:
            break
        at, end_ms = first - 1, state.fixes[first].utc_ms
    return longest


def told_first_ms(state: State, index: int) -> int:
    """When the place of a fix was told first, unix milliseconds; 0 where the track tells no other before it."""
    first = state.fixes[first_of_same(state.fixes, index)]
    return 0 if first.begins or first.utc_ms <= state.first_fix_ms else first.utc_ms


def first_of_same(fixes: list[TimedPose], index: int) -> int:
    """The first of the fixes in a row, up to this one, that tell the same place."""
    while index > 0 and is_same(fixes[index - 1], fixes[index]):
        index -= 1
    return index


def is_same(before: TimedPose, after: TimedPose) -> bool:
    same = (before.pose.lat, before.pose.lon) == (after.pose.lat, after.pose.lon)
    return same and not after.begins


def _time(fix: TimedPose) -> int:
    return fix.utc_ms


def is_settled(state: State, utc_ms: int, error_ms: int = 0, *, lockstep: bool) -> bool:
    """Whether no fix that is still to come can change the pose at `utc_ms`. In realtime the next fix is enough, and the
    one after it, which shows how the vehicle drove on, is not waited for."""
    needed = 2 if lockstep else 1
    if state.fixes_ended or len(state.fixes) >= MAX_FIXES:
        return True
    return len(state.fixes) >= needed and utc_ms > 0 and state.fixes[-needed].utc_ms >= utc_ms + error_ms


def note(state: State, pose: Pose | None, accuracy_m: float) -> None:
    """Counts a moment by how well its pose is known; `accuracy_m`: what is needed to put a code in its place."""
    state.moments += 1
    state.unplaced += pose is None
    state.vague += pose is not None and (pose.accuracy_m > accuracy_m or pose.heading is None)


# --- the place ----------------------------------------------------------------------------------------------------


def _place(fixes: list[TimedPose], utc_ms: int) -> Pose | None:
    """The pose at one moment; its heading is None where the vehicle stood."""
    index = bisect_left(fixes, utc_ms, key=_time)
    if index < len(fixes) and fixes[index].utc_ms == utc_ms:
        return fixes[index].pose
    if 0 < index < len(fixes):
        return _between(fixes, index, utc_ms) if _is_joined(fixes, index) else None
    if index == len(fixes) and fixes and utc_ms - fixes[-1].utc_ms <= MAX_BEYOND_MS:
        return _beyond(fixes, utc_ms)
    return None


def _is_joined(fixes: list[TimedPose], index: int) -> bool:
    """Whether the way from the fix before to this one is known."""
    before, after = fixes[index - 1], fixes[index]
    return not after.begins and after.utc_ms - before.utc_ms <= MAX_GAP_MS


def _between(fixes: list[TimedPose], index: int, utc_ms: int) -> Pose:
    before, after = fixes[index - 1], fixes[index]
    pose = between(before, after, utc_ms)
    stray = stray_m(_hidden_acceleration(fixes, index), utc_ms - before.utc_ms, after.utc_ms - utc_ms)
    return Pose(pose.lat, pose.lon, pose.heading, min(pose.accuracy_m + stray, MAX_ACCURACY_M))


def _hidden_acceleration(fixes: list[TimedPose], index: int) -> float:
    """What the vehicle may have accelerated by between the fixes `index` - 1 and `index`, metres a second squared: what
    a steady drive hides, and twice what the fixes on either side show, which is the mean over two gaps: all of it may
    have been in one."""
    seen = [
        acceleration(*fixes[middle - 1 : middle + 2])
        for middle in (index - 1, index)
        if 0 < middle < len(fixes) - 1 and _is_joined(fixes, middle) and _is_joined(fixes, middle + 1)
    ]
    return min(CRUISE_ACCELERATION + 2 * max(seen), MAX_ACCELERATION) if seen else UNSEEN_ACCELERATION


def _beyond(fixes: list[TimedPose], utc_ms: int) -> Pose:
    """The last fix carried on at the speed between the last two."""
    last = fixes[-1]
    seconds = (utc_ms - last.utc_ms) / 1000
    pose = last.pose
    metres = _speed(fixes, len(fixes) - 1) * seconds if pose.heading is not None else 0.0
    angle = math.radians(pose.heading or 0.0)
    north, east = metres * math.cos(angle), metres * math.sin(angle)
    width = max(math.cos(math.radians(pose.lat)), 1e-6)
    return Pose(
        lat=max(-90.0, min(90.0, pose.lat + math.degrees(north / EARTH_RADIUS_M))),
        lon=(pose.lon + math.degrees(east / EARTH_RADIUS_M / width) + 180.0) % 360.0 - 180.0,
        heading=pose.heading,
        accuracy_m=min(pose.accuracy_m + _DRIFT_M_PER_S * seconds, MAX_ACCURACY_M),
    )


def _speed(fixes: list[TimedPose], index: int) -> float:
    """Metres a second from the fix before to this one; 0 where the way between them is not known."""
    if not 0 < index < len(fixes) or not _is_joined(fixes, index):
        return 0.0
    before, after = fixes[index - 1], fixes[index]
    return _apart_m(before.pose, after.pose) * 1000 / (after.utc_ms - before.utc_ms)


# --- over the time that the moment may be at ------------------------------------------------------------------------


def _reach_m(fixes: list[TimedPose], pose: Pose, utc_ms: int, error_ms: int) -> float:
    """How far from `pose` the vehicle may have been within `utc_ms` +- `error_ms`; infinite where that is not known."""
    since, until = utc_ms - error_ms, utc_ms + error_ms
    first, last = bisect_right(fixes, since, key=_time), bisect_left(fixes, until, key=_time)
    reach = pose.accuracy_m
    for index in range(first, last + 1):  # each piece of the way between two fixes, or beyond the ends
        start = fixes[index - 1].utc_ms if index > first else since
        end = fixes[index].utc_ms if index < last else until
        if 0 < index < len(fixes):
            if not _is_joined(fixes, index):
                return math.inf
            middle = (fixes[index - 1].utc_ms + fixes[index].utc_ms) // 2
            widest = _between(fixes, index, min(max(middle, start), end)).accuracy_m
            ends = (between(fixes[index - 1], fixes[index], at) for at in (start, end))
            reach = max(reach, max(_apart_m(pose, one) for one in ends) + widest)
        else:
            reach = max(reach, _outside_m(fixes, index, pose, end - start))
    return reach


def _outside_m(fixes: list[TimedPose], index: int, pose: Pose, span_ms: int) -> float:
    """The same for the time before the first fix (`index` 0) or after the last, of which little can be said."""
    if not fixes or span_ms > MAX_BEYOND_MS:
        return math.inf
    end = fixes[0] if index == 0 else fixes[-1]
    speed = _speed(fixes, 1 if index == 0 else len(fixes) - 1)
    return _apart_m(pose, end.pose) + end.pose.accuracy_m + (speed + _DRIFT_M_PER_S) * span_ms / 1000


def _apart_m(one: Pose, other: Pose) -> float:
    return distance_m(one.lat, one.lon, other.lat, other.lon)


# --- the heading ----------------------------------------------------------------------------------------------------


def _kept_heading(state: State, utc_ms: int) -> float | None:
    """The last heading of a vehicle that stands, if the track was not broken since."""
    broken = any(fix.begins and state.last_heading_ms < fix.utc_ms <= utc_ms for fix in state.fixes)
    if broken:
        state.last_heading = None
    return state.last_heading


def _heading_error(fixes: list[TimedPose], utc_ms: int, heading: float | None) -> float:
    """By how much a heading may be off, degrees: it differs from the way that the vehicle came by this, and this way is
    as sure as its ends are. Of all ways that end here the one that says most counts; 180 where none says anything."""
    if heading is None:
        return 0.0
    end = bisect_left(fixes, utc_ms, key=_time)
    if end == len(fixes) or (fixes[end].utc_ms > utc_ms and not _is_joined(fixes, end)):
        end -= 1
    least, start = 180.0, end
    while start > 0 and _is_joined(fixes, start) and utc_ms - fixes[start - 1].utc_ms <= CAME_MS:
        start -= 1
        here, there = fixes[start].pose, fixes[end].pose
        off = NOISE * math.hypot(here.accuracy_m, there.accuracy_m)
        came = _apart_m(here, there)
        if came > off:
            turned = heading_difference(heading, bearing(here.lat, here.lon, there.lat, there.lon))
            least = min(least, turned + math.degrees(math.asin(off / came)))
    return least


def _headings(fixes: list[TimedPose], utc_ms: int, error_ms: int) -> Iterable[float]:
    """All headings over the time that the moment may be at, and of both ends of a gap that it lies in."""
    since, until = utc_ms - error_ms, utc_ms + error_ms
    first, last = bisect_left(fixes, since, key=_time), bisect_right(fixes, until, key=_time)
    if first < len(fixes) and fixes[first].utc_ms > since and _hides_a_turn(fixes, first):
        first -= 1
    if last > 0 and fixes[last - 1].utc_ms < until and _hides_a_turn(fixes, last):
        last += 1
    poses = [fix.pose for fix in fixes[first:last]]
    poses += [pose for at in (since, until) if (pose := _place(fixes, at)) is not None]
    return [pose.heading for pose in poses if pose.heading is not None]


def _hides_a_turn(fixes: list[TimedPose], index: int) -> bool:
    return 0 < index < len(fixes) and fixes[index].utc_ms - fixes[index - 1].utc_ms > MAX_TURN_MS


def _is_steady(heading: float, others: Iterable[float]) -> bool:
    """Whether no two of these headings differ by more than `SAME_HEADING_DEGREES`."""
    turns = [0.0, *((other - heading + 180.0) % 360.0 - 180.0 for other in others)]
    return max(turns) - min(turns) <= SAME_HEADING_DEGREES
