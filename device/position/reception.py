"""How good the reception was, as the track itself shows it: a receiver between houses says that it is sure, and is not.

Where its points leave the even way by more than a vehicle does, or where many of them had to be left out, no place
there is as good as it says.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from wire.geodesy import TimedPose, distance_m, offset_m
from wire.motion import MAX_ACCELERATION, MAX_GAP_MS, stray_m

WINDOW_MS: Final = 10_000
"""Reception is taken to be the same for this long before and after: about as long as it takes to pass a house."""
DRIVEN_ACCELERATION: Final = 4.0
"""What a drive itself explains, metres a second squared: more than a driver asks of a car, half of what tyres hold."""
OFF_PER_UNEVEN: Final = 1.5
"""How far a place is taken to be off, times how uneven its neighbours are. Independent errors of one size in each of
three points put the middle one off the chord by about as much as each is off; errors that last show less."""
MAX_UNEVEN_GAP_MS: Final = 5000
"""Between points further apart a drive explains everything."""
MIN_UNEVEN: Final = 3
MAX_LEFT_OUT: Final = 0.25
"""Where more than this share of the points was left out, those that stay were chosen by chance."""
CHANCE_M: Final = 100.0
"""What such a point counts as, metres: as far as reflections from houses put a receiver off."""
_STANDS_M: Final = 0.5
HELD_MS: Final = 3000
"""A place that is repeated to its last digit for longer is held: a receiver that measures wanders, at a stop too."""
_STOP_MS: Final = 1000
"""Over so long before a stop it is asked how far the vehicle still came; fixes may be closer in time."""
_BRAKES_WITHIN_M: Final = 4.0
"""By how much a receiver may make a stop shorter: it holds a place as soon as the vehicle is slow."""


def accuracies_m(points: Sequence[TimedPose], left_out: Sequence[int]) -> list[float]:
    """What each point of an unbroken track is taken to be off by: as the file says, or more.

    Args:
        points: in order of time.
        left_out: when points were left out that no vehicle can have driven through, unix milliseconds, ascending.
    """
    times = [point.utc_ms for point in points]
    uneven = [_uneven_m(points, index) for index in range(len(points))]
    squares = list(accumulate((value * value for value in uneven if value is not None), initial=0.0))
    counts = list(accumulate((value is not None for value in uneven), initial=0))
    found: list[float] = []
    for point in points:
        since, until = point.utc_ms - WINDOW_MS, point.utc_ms + WINDOW_MS
        first, last = bisect_left(times, since), bisect_right(times, until)
        known, begin = counts[last] - counts[first], counts[first]
        off = 0.0
        if known >= MIN_UNEVEN:
            off = OFF_PER_UNEVEN * math.sqrt((squares[begin + known] - squares[begin]) / known)
        missing = bisect_right(left_out, until) - bisect_left(left_out, since)
        if missing > MAX_LEFT_OUT * (missing + last - first):
            off = max(off, CHANCE_M)
        found.append(max(point.pose.accuracy_m, off))
    return found


def still_from(points: Sequence[TimedPose]) -> int:
    """From which point on the receiver only repeated the last place; their number where it did not.

    A receiver without reception may go on to tell where it was: what comes before a leap and did not move is that.
    """
    last, index = points[-1].pose, len(points) - 1
    while index > 0 and _apart_m(points[index - 1], last.lat, last.lon) <= _STANDS_M:
        index -= 1
    return index + 1


def held_spans(points: Sequence[TimedPose]) -> list[tuple[int, int]]:
    """Where a receiver went on to tell its last place though the vehicle cannot have stood there: the first index that
    is no fix, and the first that is one again.

    A logger that holds the place of a standing vehicle does it as well; then the vehicle braked before. One that brakes
    as hard as tyres hold comes a t squared / 2 in the last t seconds.
    """
    found: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(points) + 1):
        if index < len(points) and _place(points[index]) == _place(points[first]):
            continue
        if points[index - 1].utc_ms - points[first].utc_ms >= HELD_MS and _stops_too_hard(points, first):
            found.append((first + 1, index))
        first = index
    return found


def _stops_too_hard(points: Sequence[TimedPose], at: int) -> bool:
    since = at - 1
    while since > 0 and points[at].utc_ms - points[since].utc_ms < _STOP_MS:
        since -= 1
    if since < 0 or not 0 < (gap_ms := points[at].utc_ms - points[since].utc_ms) <= MAX_GAP_MS:
        return False
    here = points[at].pose
    braking_m = MAX_ACCELERATION * (gap_ms / 1000) ** 2 / 2
    return _apart_m(points[since], here.lat, here.lon) > braking_m + _BRAKES_WITHIN_M


def _place(point: TimedPose) -> tuple[float, float]:
    return point.pose.lat, point.pose.lon


def _uneven_m(points: Sequence[TimedPose], index: int) -> float | None:
    """How far a point lies off the even way from the one before to the one after, beyond what a drive explains."""
    if not 0 < index < len(points) - 1:
        return None
    before, here, after = points[index - 1 : index + 2]
    since, until = here.utc_ms - before.utc_ms, after.utc_ms - here.utc_ms
    if max(since, until) > MAX_UNEVEN_GAP_MS:
        return None
    share = since / (since + until)
    back, on = (offset_m(here.pose.lat, here.pose.lon, one.pose.lat, one.pose.lon) for one in (before, after))
    off = math.hypot(*((1 - share) * start + share * end for start, end in zip(back, on, strict=True)))
    return max(0.0, off - stray_m(DRIVEN_ACCELERATION, since, until))


def _apart_m(point: TimedPose, lat: float, lon: float) -> float:
    return distance_m(point.pose.lat, point.pose.lon, lat, lon)
