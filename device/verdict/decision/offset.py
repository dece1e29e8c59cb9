"""The offset between video and track that puts the codes in their places: estimated, proposed, never applied.

Each authentic code says where it hangs and for which direction. The way tells when the vehicle came up to that place:
each time is an offset that would put the code there. An offset that many codes share is where the stream lies.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from device.verdict.decision.code_evidence import MAX_DISTANCE_M, MAX_HEADING_DEGREES
from device.verdict.intake import outline
from device.verdict.state import CodedSign, State, Waypoint
from wire.geodesy import bearing, heading_difference, offset_m

QUARTER_MS: Final = 900_000
FEW_CODES: Final = 3
"""From this many on, two thirds of them are enough: one may be misplaced indeed."""
STANDING_MS: Final = 10_000
"""A vehicle that stays within a step for longer than this stands."""
_STEPS: Final = (1000, 100)

Interval = tuple[int, int]


@dataclass(frozen=True)
class Offset:
    """Add `offset_ms` to the given start: `fitting` of `codes` different codes are in their places then."""

    offset_ms: int
    fitting: int
    codes: int


def estimate(state: State) -> Offset | None:
    """The one offset that puts all codes in their places, or most of three and more. None: there is none, or several.

    Nothing is proposed where the given start does as well.
    """
    by_sign: dict[bytes, list[Interval]] = defaultdict(list)
    for coded in state.coded:
        by_sign[coded.sign_id] += _approaches(state, coded, state.outline, state.outline_step_m)
    codes = len(by_sign)
    if not codes or all(coded.fits for coded in state.coded):
        return None
    best, where = _deepest([_merged(found) for found in by_sign.values()])
    enough = best == codes or (codes >= FEW_CODES and 3 * best >= 2 * codes)
    if not enough or len(where) != 1 or best <= len({coded.sign_id for coded in state.coded if coded.fits}):
        return None
    if where[0][0] <= 0 <= where[0][1]:
        return None
    return Offset(_round(where[0], state.newest_ms), best, codes)


def comes_by(state: State, coded: CodedSign, earliest_ms: int, latest_ms: int) -> bool:
    """Whether one of these offsets puts a code in its place, by the way that is known so far."""
    line, step_m = outline.known(state)
    return any(earliest_ms <= last and first <= latest_ms for first, last in _approaches(state, coded, line, step_m))


def comes_by_again(state: State, coded: CodedSign, left_ms: int, latest_ms: int) -> bool:
    """Whether the vehicle comes up to a code's place once until `left_ms`, and a second time at a later offset."""
    line, step_m = outline.known(state)
    begins = [first for first, _ in _merged(_approaches(state, coded, line, step_m))]
    return any(first <= left_ms for first in begins) and any(left_ms < first <= latest_ms for first in begins)


def _approaches(state: State, coded: CodedSign, line: Sequence[Waypoint], step_m: float) -> list[Interval]:
    """The offsets for which the vehicle was coming up to the code's place when the code was read."""
    read_ms = state.start_utc_ms + coded.t_ms
    found: list[Interval] = []
    for before, after in pairwise(line):
        if after.slack_m > 0.0:
            continue
        left_ms = before.until_ms if before.until_ms - before.utc_ms > STANDING_MS else before.utc_ms
        share = _approach(before, after, coded, MAX_DISTANCE_M + step_m)
        if share is not None:
            first, last = (left_ms + round(part * (after.utc_ms - left_ms)) - read_ms for part in share)
            found.append((first, last))
    return found


def _approach(before: Waypoint, after: Waypoint, coded: CodedSign, reach_m: float) -> tuple[float, float] | None:
    """The part of the way from one waypoint to the next on which the place is ahead and in reach, as shares of it."""
    heading = bearing(before.lat, before.lon, after.lat, after.lon)
    if heading_difference(heading, coded.heading) > MAX_HEADING_DEGREES:
        return None
    x, y = offset_m(coded.lat, coded.lon, before.lat, before.lon)
    dx, dy = offset_m(before.lat, before.lon, after.lat, after.lon)
    length = dx * dx + dy * dy
    if length == 0.0:
        return None
    closest = -(x * dx + y * dy) / length
    aside = x * x + y * y - closest * closest * length
    if aside > reach_m * reach_m:
        return None
    half = math.sqrt(max(0.0, reach_m * reach_m - aside) / length)
    first, last = max(0.0, closest - half), min(1.0, closest)
    return (first, last) if first <= last else None


def _merged(found: list[Interval]) -> list[Interval]:
    """Intervals in order, without overlaps; neighbours that touch, or nearly, are one."""
    merged: list[Interval] = []
    for first, last in sorted(found):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _deepest(intervals: list[list[Interval]]) -> tuple[int, list[Interval]]:
    """How many of the lists cover one point at the most, and all the intervals in which that many do."""
    ends = sorted(
        (at, -step) for found in intervals for first, last in found for at, step in ((first, 1), (last + 1, -1))
    )
    best, depth = 0, 0
    where: list[Interval] = []
    for (at, step), (following, _) in pairwise(ends):
        depth -= step
        until = following - 1
        if depth > best:
            best, where = depth, []
        if depth == best and best > 0 and until >= at:
            where.append((at, until))
    return best, _merged(where)


def _round(interval: Interval, length_ms: int) -> int:
    """The likeliest offset within: a zone's, else that of a time which meant the end, else the roundest.

    A code is read until shortly before it: of the way up to its place the last part is meant.
    """
    first, last = interval
    likely = first + 3 * (last - first) // 4
    for meant in (0, -length_ms):
        zone = meant + QUARTER_MS * round((likely - meant) / QUARTER_MS)
        if first <= zone <= last:
            return zone
    rounded = [step * round(likely / step) for step in _STEPS]
    return next((offset for offset in rounded if first <= offset <= last), likely)
