"""Whether the way comes near any registered sign, and if not, whether it would with its places written otherwise.

A device that can place nothing has to say why. A track whose degrees were swapped, or written as degrees and minutes,
looks like a drive elsewhere on Earth: that is said, nothing is ever corrected, and no code is accused of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.channel.tracks import MISWRITTEN, Miswritten
from device.verdict.decision.table import Where
from device.verdict.state import MAX_VISITED, State
from device.verdict.tracking.expected_signs import Surroundings
from wire.geodesy import Pose, distance_m
from wire.register import Register
from wire.signcode import SignClaims

FAR_M: Final = 10_000
"""Only a way that is this far from all registered signs is asked whether it was written otherwise."""
WOULD_BE_NEAR_M: Final = 1000.0
READ_FROM_M: Final = 50.0
"""Where a way written otherwise lies near the way as it is written, only a code that is read there is excused."""
MAX_COMPARED: Final = 200_000
"""How many distances are measured at the end of a run, a fifth of a second's work."""

Place = tuple[float, float]


@dataclass(frozen=True)
class Remote:
    """How far the nearest registered sign is, metres, and how the places may have been meant; None: no such way."""

    nearest_m: int
    miswritten: Miswritten | None


def note(state: State, surroundings: Surroundings, pose: Pose | None) -> None:
    """Remembers places of the way, a step apart, until a registered sign is near."""
    if pose is None or state.came_near:
        return
    if surroundings.is_near(pose):
        state.came_near = True
        state.visited.clear()
        return
    last = state.visited[-1] if state.visited else None
    if last is None or distance_m(*last, pose.lat, pose.lon) >= state.visited_step_m:
        state.visited.append((pose.lat, pose.lon))
    if len(state.visited) > MAX_VISITED:
        del state.visited[1::2]
        state.visited_step_m *= 2


def remote(state: State, register: Register | None) -> Remote | None:
    """What is to be said of the way; None where it came near a registered sign, is not known, or there is none."""
    if state.came_near or not state.visited or register is None or not register.entries:
        return None
    entries = list(register.entries.values())
    places = state.visited[: max(1, MAX_COMPARED // len(entries))]
    nearest = min(distance_m(*place, entry.lat, entry.lon) for place in places for entry in entries)
    would = None
    if nearest > FAR_M:
        would = next((name for name in MISWRITTEN if _is_near(state.visited, _MEANT[name], register)), None)
    return Remote(round(nearest), would)


def held(state: State, where: Where, claims: SignClaims | None, pose: Pose | None) -> Where:
    """That a code hangs elsewhere, unless it hangs in its place by a track that is only written otherwise: one that,
    as it is written, is far from there or has come near no registered sign."""
    if where is not Where.ELSEWHERE or claims is None or pose is None:
        return where
    meant = (mean((pose.lat, pose.lon)) for mean in _MEANT.values())
    otherwise = (place for place in meant if place is not None and abs(place[0]) <= 90.0)
    nearest = min((distance_m(*place, claims.lat, claims.lon) for place in otherwise), default=math.inf)
    far = distance_m(pose.lat, pose.lon, claims.lat, claims.lon) > FAR_M
    excused = nearest <= (WOULD_BE_NEAR_M if far else READ_FROM_M) and (far or not state.came_near)
    return Where.UNKNOWN if excused else where


def _is_near(places: list[Place], meant: Callable[[Place], Place | None], register: Register) -> bool:
    """Whether all that can be written so, and something can, would come near a registered sign at least once."""
    read = [place for place in map(meant, places) if place is not None and abs(place[0]) <= 90.0]
    return len(read) == len(places) and any(register.near(*place, WOULD_BE_NEAR_M) for place in read)


def _degrees_and_minutes(place: Place) -> Place | None:
    """52.1627, where 52 degrees and 16.27 minutes were meant."""
    found: list[float] = []
    for angle in place:
        rest, whole = math.modf(abs(angle))
        if rest >= 0.6:
            return None
        found.append(math.copysign(whole + rest / 0.6, angle))
    return found[0], found[1]


_MEANT: Final[dict[Miswritten, Callable[[Place], Place | None]]] = {
    "swapped": lambda place: (place[1], place[0]),
    "east_for_west": lambda place: (place[0], -place[1]),
    "north_for_south": lambda place: (-place[0], place[1]),
    "minutes_for_decimals": _degrees_and_minutes,
}
