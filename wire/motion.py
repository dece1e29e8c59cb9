"""What a road vehicle can do: which fixes may follow each other, which way it drives, how far it may be from a chord.

Pure arithmetic on the local plane. Nothing here knows who says where the vehicle was: `position` checks a whole track
with it, and `verdict` checks `position`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from wire.geodesy import TimedPose, bearing, distance_m, offset_m

MAX_SPEED_M_S: Final = 80.0
"""No road vehicle is taken to be faster, metres a second (288 km/h; most cars are limited to 250)."""
MAX_ACCELERATION: Final = 8.0
"""Nor to brake, speed up or turn harder, metres a second squared: what tyres hold on a dry road (about 0.8 g)."""
CRUISE_ACCELERATION: Final = 0.3
"""What a steady drive may still hide between two fixes, metres a second squared: letting go of the throttle in gear
brakes harder, and such a change shows in the next fixes. It adds 0.04 m at a fix a second, 3.8 m at one each ten."""
MAX_GAP_MS: Final = 15_000
"""Fixes further apart than this say nothing about speed, heading or place between them."""
MOVING_M: Final = 3.0
"""A vehicle whose fixes lie nearer together than this may be standing: a receiver's wander covers as much, metres."""
HELD_MS: Final = 1000
"""Over how long a vehicle's velocity is taken: over less, the fixes' errors outweigh it."""
MAX_LOOK_BACK: Final = 32
NOISE: Final = 2.0
"""How many times its stated accuracy a fix may be off, beside the next."""
UNKNOWN: Final = 0.5
"""The effort that is taken where it cannot be told."""
HEADING_MS: Final = 5000
"""Over how long a slow vehicle's direction is looked for."""

Velocity = tuple[float, float]
"""East and north, metres a second."""


def velocity(before: TimedPose, after: TimedPose) -> Velocity:
    """The mean velocity between two poses, of which the second is the later."""
    seconds = (after.utc_ms - before.utc_ms) / 1000
    east, north = offset_m(before.pose.lat, before.pose.lon, after.pose.lat, after.pose.lon)
    return east / seconds, north / seconds


def held(track: Sequence[TimedPose]) -> tuple[Velocity | None, int]:
    """The mean velocity at the end of a track, and over how many milliseconds it is taken: a second, if the fixes are
    not further apart. None where the last fix begins the track."""
    last = track[-1]
    found: tuple[Velocity | None, int] = (None, 0)
    if last.begins:
        return found
    for before in reversed(track[-MAX_LOOK_BACK:-1]):
        found = velocity(before, last), last.utc_ms - before.utc_ms
        if found[1] >= HELD_MS or before.begins:
            break
    return found


def effort(before: TimedPose, after: TimedPose, drove: Velocity | None = None, over_ms: int = 0) -> float:
    """How hard a vehicle at `before` had to try to be at `after`: 0 as it drove before, above 1 it is impossible.

    Where it is not known how it drove before, all that is not too fast is `UNKNOWN`. A vehicle that has driven at
    `drove` on average for h seconds, and goes on for s seconds with an acceleration of at most a, leaves the straight
    on by at most a s (h + s) / 2. The fixes' own errors come on top, as independent ones.

    Args:
        drove: the mean velocity over the `over_ms` milliseconds before `before`; None: not known.
    """
    milliseconds = after.utc_ms - before.utc_ms
    if milliseconds <= 0:
        return math.inf
    seconds = milliseconds / 1000
    here, there = before.pose, after.pose
    noise = NOISE * math.hypot(here.accuracy_m, there.accuracy_m)
    moved = distance_m(here.lat, here.lon, there.lat, there.lon)
    fast = max(0.0, moved - noise) / (MAX_SPEED_M_S * seconds)
    if fast > 1.0:
        return fast
    if drove is None or not 0 < over_ms <= MAX_GAP_MS or milliseconds > MAX_GAP_MS:
        return UNKNOWN
    east, north = offset_m(here.lat, here.lon, there.lat, there.lon)
    aside = math.hypot(east - drove[0] * seconds, north - drove[1] * seconds)
    over = over_ms / 1000
    share = seconds / over
    noise = NOISE * math.hypot(there.accuracy_m, here.accuracy_m * (1 + share), here.accuracy_m * share)
    return aside / (MAX_ACCELERATION * seconds * (over + seconds) / 2 + noise)


def acceleration(first: TimedPose, middle: TimedPose, last: TimedPose) -> float:
    """The mean acceleration over three poses in order of time, metres a second squared; turning counts as well."""
    v1, v2 = velocity(first, middle), velocity(middle, last)
    return math.hypot(v2[0] - v1[0], v2[1] - v1[1]) * 2000 / (last.utc_ms - first.utc_ms)


def stray_m(acceleration: float, since_ms: int, until_ms: int) -> float:
    """How far a vehicle may be from the even way along a chord, metres: a t (g - t) / 2.

    That is the remainder of linear interpolation over a gap of g seconds, t seconds after its begin, where the second
    derivative is at most a; a g squared / 8 in its middle.

    Args:
        since_ms, until_ms: milliseconds to the fixes before and after.
    """
    return acceleration * (since_ms / 1000) * (until_ms / 1000) / 2


def headings(track: Sequence[TimedPose]) -> list[float | None]:
    """The direction of travel at each pose of an unbroken track, degrees; None where the vehicle may be standing.

    It is that of the chord from the pose before to the pose after. Where this chord is shorter than `MOVING_M` it is
    widened on both sides, over `HEADING_MS` at most.
    """
    return [_heading(track, index) for index in range(len(track))]


def _heading(track: Sequence[TimedPose], index: int) -> float | None:
    here = track[index].utc_ms
    first, last = max(index - 1, 0), min(index + 1, len(track) - 1)
    first = first if here - track[first].utc_ms <= MAX_GAP_MS else index
    last = last if track[last].utc_ms - here <= MAX_GAP_MS else index
    while True:
        start, end = track[first].pose, track[last].pose
        if distance_m(start.lat, start.lon, end.lat, end.lon) >= MOVING_M:
            return bearing(start.lat, start.lon, end.lat, end.lon)
        wider = max(first - 1, 0), min(last + 1, len(track) - 1)
        if wider == (first, last) or track[wider[1]].utc_ms - track[wider[0]].utc_ms > HEADING_MS:
            return None
        first, last = wider
