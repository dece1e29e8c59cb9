"""Where the vehicle was at a moment: interpolated between fixes, never guessed far beyond them."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Final

from device.verdict.state import State
from wire.geodesy import EARTH_RADIUS_M, Pose, TimedPose, between, distance_m, heading_difference

MAX_GAP_MS: Final = 4000
"""Fixes further apart than this do not bracket a moment: what lay between them is not known."""
MAX_BEYOND_MS: Final = 2000
"""For how long after the last fix the vehicle is assumed to go on as before."""
_DRIFT_M_PER_S: Final = 5.0
"""By how much a position gets less accurate with each second beyond the last fix."""
_KEPT_MS: Final = 10_000
SAME_WAY_DEGREES: Final = 45.0


def pose_at(state: State, utc_ms: int, error_ms: int = 0) -> Pose | None:
    """The vehicle's pose at `utc_ms`, None where the fixes do not tell. A standing vehicle keeps its last heading.

    Args:
        error_ms: the moment may be this much earlier or later. The accuracy covers every place where the vehicle was
            then, and the heading is None where it was not the same all the time.
    """
    if error_ms:
        return _over(state, utc_ms, error_ms)
    pose = _unturned(state.fixes, utc_ms)
    if pose is None:
        return None
    if pose.heading is None:
        return Pose(pose.lat, pose.lon, state.last_heading, pose.accuracy_m)
    state.last_heading = pose.heading
    return pose


def _over(state: State, utc_ms: int, error_ms: int) -> Pose | None:
    """The pose at a moment, as far as it is the pose of all the moments around it."""
    here = _unturned(state.fixes, utc_ms)
    around = [_unturned(state.fixes, at) for at in (utc_ms - error_ms, utc_ms + error_ms)]
    within = [fix.pose for fix in state.fixes if abs(fix.utc_ms - utc_ms) <= error_ms]
    if here is None or around[0] is None or around[1] is None:
        return None
    poses = [pose for pose in (*around, *within) if pose is not None]
    reach = max(distance_m(here.lat, here.lon, pose.lat, pose.lon) + pose.accuracy_m for pose in poses)
    heading = here.heading if here.heading is not None else state.last_heading
    turns = any(
        heading is None or (pose.heading is not None and heading_difference(pose.heading, heading) > SAME_WAY_DEGREES)
        for pose in poses
    )
    return Pose(here.lat, here.lon, None if turns else heading, max(here.accuracy_m, min(reach, 10_000.0)))


def forget(state: State, utc_ms: int) -> None:
    """Drops the fixes that no later moment can need."""
    useless = bisect_left(state.fixes, utc_ms - _KEPT_MS, key=lambda fix: fix.utc_ms) - 2
    if useless > 0:
        del state.fixes[:useless]


def _unturned(fixes: list[TimedPose], utc_ms: int) -> Pose | None:
    index = bisect_left(fixes, utc_ms, key=lambda fix: fix.utc_ms)
    if index < len(fixes) and fixes[index].utc_ms == utc_ms:
        return fixes[index].pose
    if 0 < index < len(fixes):
        before, after = fixes[index - 1], fixes[index]
        return between(before, after, utc_ms) if after.utc_ms - before.utc_ms <= MAX_GAP_MS else None
    if index == len(fixes) and fixes and utc_ms - fixes[-1].utc_ms <= MAX_BEYOND_MS:
        return _beyond(fixes, utc_ms)
    return None


def _beyond(fixes: list[TimedPose], utc_ms: int) -> Pose:
    """The last fix carried on at the speed between the last two."""
    last = fixes[-1]
    seconds = (utc_ms - last.utc_ms) / 1000
    pose = last.pose
    metres = 0.0
    if len(fixes) > 1 and last.utc_ms - fixes[-2].utc_ms <= MAX_GAP_MS and pose.heading is not None:
        before = fixes[-2]
        travelled = distance_m(before.pose.lat, before.pose.lon, pose.lat, pose.lon)
        metres = travelled * 1000 / (last.utc_ms - before.utc_ms) * seconds
    angle = math.radians(pose.heading or 0.0)
    north, east = metres * math.cos(angle), metres * math.sin(angle)
    width = max(math.cos(math.radians(pose.lat)), 1e-6)
    return Pose(
        lat=max(-90.0, min(90.0, pose.lat + math.degrees(north / EARTH_RADIUS_M))),
        lon=(pose.lon + math.degrees(east / EARTH_RADIUS_M / width) + 180.0) % 360.0 - 180.0,
        heading=pose.heading,
        accuracy_m=min(pose.accuracy_m + _DRIFT_M_PER_S * seconds, 10_000.0),
    )
