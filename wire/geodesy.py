"""Distances and directions on the ground, and where the vehicle was between two fixes. Pure arithmetic.

The earth is a sphere of the mean radius here: distances are wrong by 0.6 % at worst. Over the tens of metres that count
for a sign this is far below a fix's error. Within a kilometre the local plane agrees with the sphere to centimetres.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

EARTH_RADIUS_M: Final = 6_371_008.8


class Pose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the vehicle was at one moment: degrees, metres; `heading` None until the vehicle has moved.

    `heading_error`: by how much the heading may be off, degrees.
    """

    lat: float
    lon: float
    heading: float | None
    accuracy_m: float
    heading_error: float = 0.0


class TimedPose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pose with its clock, unix milliseconds. `begins`: of the way to here nothing is known."""

    utc_ms: int
    pose: Pose
    begins: bool = False


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres between two places in degrees (haversine)."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_phi, half_lambda = (phi2 - phi1) / 2, math.radians(lon2 - lon1) / 2
    a = math.sin(half_phi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_lambda) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(a)))


def offset_m(lat: float, lon: float, to_lat: float, to_lon: float) -> tuple[float, float]:
    """East and north metres from one place to another, on the local plane."""
    east = math.radians((to_lon - lon + 180.0) % 360.0 - 180.0) * EARTH_RADIUS_M * math.cos(math.radians(lat))
    north = math.radians(to_lat - lat) * EARTH_RADIUS_M
    return east, north


def bearing(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Direction from the first place to the second, degrees clockwise from true north, 0 <= b < 360."""
    east, north = offset_m(lat1, lon1, lat2, lon2)
    return math.degrees(math.atan2(east, north)) % 360.0


def heading_difference(first: float, second: float) -> float:
    """The angle between two headings, 0 to 180 degrees."""
    return abs((first - second + 180.0) % 360.0 - 180.0)


def ahead_and_aside_m(pose: Pose, heading: float, lat: float, lon: float) -> tuple[float, float]:
    """Metres ahead (negative: behind) and to the right of a vehicle at `pose` that drives along `heading` degrees."""
    east, north = offset_m(pose.lat, pose.lon, lat, lon)
    angle = math.radians(heading)
    ahead = east * math.sin(angle) + north * math.cos(angle)
    aside = east * math.cos(angle) - north * math.sin(angle)
    return ahead, aside


def between(before: TimedPose, after: TimedPose, utc_ms: int) -> Pose:
    """The pose at `utc_ms`, between two fixes; headings turn the short way round. Accuracy is the worse of the two."""
    span = after.utc_ms - before.utc_ms
    share = (utc_ms - before.utc_ms) / span if span > 0 else 0.0
    first, second = before.pose, after.pose
    east_turn = (second.lon - first.lon + 180.0) % 360.0 - 180.0
    heading = first.heading if second.heading is None else second.heading
    if first.heading is not None and second.heading is not None:
        turn = (second.heading - first.heading + 180.0) % 360.0 - 180.0
        heading = (first.heading + share * turn) % 360.0
    return Pose(
        lat=first.lat + share * (second.lat - first.lat),
        lon=(first.lon + share * east_turn + 180.0) % 360.0 - 180.0,
        heading=heading,
        accuracy_m=max(first.accuracy_m, second.accuracy_m),
    )
