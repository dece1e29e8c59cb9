"""The small map on a verdict's page: where the code says that it stands, seen from the vehicle. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from wire.events import CodeEvent, PlaceEvent

EARTH_RADIUS_M = 6_371_000.0
SCALE_UNITS = 25.0
REACH_UNITS = 80.0
SCALES_M = tuple(step * 10**power for power in range(1, 8) for step in (1, 2, 5))
_COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True)
class PlanView:
    """Drawn on a square of 200 units, north up, the vehicle in the middle; `scale_m` metres are `SCALE_UNITS` units.

    `x`, `y`: where the code's place is drawn. `distance_m` and `bearing` are seen from the vehicle.
    """

    distance_m: float
    bearing: str
    x: float
    y: float
    scale_m: int
    scale: float


def plan(code: CodeEvent, place: PlaceEvent) -> PlanView:
    """The map of a code and a vehicle. The flat-earth approximation is good to 1 % at 100 km, up to 60° of latitude."""
    east = math.radians((code.lon - place.lon + 540.0) % 360.0 - 180.0) * math.cos(math.radians(place.lat))
    north = math.radians(code.lat - place.lat)
    east_m, north_m = east * EARTH_RADIUS_M, north * EARTH_RADIUS_M
    distance = math.hypot(east_m, north_m)
    scale_m = next(step for step in SCALES_M if distance <= REACH_UNITS / SCALE_UNITS * step)
    return PlanView(
        distance_m=distance,
        bearing=_COMPASS[round(math.degrees(math.atan2(east_m, north_m)) / 45.0) % 8],
        x=round(100.0 + east_m / scale_m * SCALE_UNITS, 1),
        y=round(100.0 - north_m / scale_m * SCALE_UNITS, 1),
        scale_m=scale_m,
        scale=SCALE_UNITS,
    )


def metres(distance: float) -> str:
    """A distance as people say it."""
    return f"{distance:.0f} m" if distance < 1000 else f"{distance / 1000:.4g} km"
