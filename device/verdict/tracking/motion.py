"""Follows boxes from frame to frame by constant velocity and constant growth, and matches new boxes to followed ones.

A fixed sign seen from a moving vehicle grows and drifts outwards, ever faster; over the fractions of a second between
two sightings both are near enough constant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from device.verdict.state import Motion

MAX_DISTANCE: Final = 0.9
"""A box matches within this many sizes of the predicted centre..."""
DISTANCE_PER_S: Final = 1.5
"""...and this many more for each second since the last box..."""
FIRST_DISTANCE_PER_S: Final = 5.0
"""...or this many, where only one box was seen, so that it is not known how fast it moves..."""
MAX_REACH: Final = 2.4
"""...but never more than this."""
MAX_SIZE_RATIO: Final = 1.8
MAX_GROWTH_PER_MS: Final = 0.003
_HALF_MS: Final = 40.0
"""The time in which half of a known velocity gives way to a new one, however many boxes come in it."""
_MIN_SIZE: Final = 1.0


class Rectangle(Protocol):
    """Corner at the top left, width and height, pixels."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def w(self) -> float: ...
    @property
    def h(self) -> float: ...


class Corner(NamedTuple):
    """A rectangle by its corner."""

    x: float
    y: float
    w: float
    h: float


def start(box: Rectangle, t_ms: int) -> Motion:
    """The motion of a box seen for the first time."""
    return Motion(box.x + box.w / 2, box.y + box.h / 2, max(box.w, _MIN_SIZE), max(box.h, _MIN_SIZE), t_ms)


def as_box(motion: Motion) -> Rectangle:
    """The box of a motion."""
    return Corner(motion.x - motion.w / 2, motion.y - motion.h / 2, motion.w, motion.h)


def size(motion: Motion) -> float:
    """One number for a box's size: the side of the square of its area."""
    return math.sqrt(motion.w * motion.h)


def predicted(motion: Motion, t_ms: int) -> Motion:
    """Where the box is expected at `t_ms`."""
    gap = t_ms - motion.t_ms
    scale = math.exp(max(-1.0, min(1.0, motion.growth * gap)))
    return Motion(
        motion.x + motion.vx * gap,
        motion.y + motion.vy * gap,
        motion.w * scale,
        motion.h * scale,
        t_ms,
        motion.vx,
        motion.vy,
        motion.growth,
    )


def moved(motion: Motion, box: Rectangle, t_ms: int) -> Motion:
    """The motion after its box was seen again as `box`."""
    new = start(box, t_ms)
    gap = t_ms - motion.t_ms
    if gap <= 0:
        return new
    growth = math.log(size(new) / size(motion)) / gap
    keep = 0.5 ** (gap / _HALF_MS)
    new.vx = keep * motion.vx + (1 - keep) * (new.x - motion.x) / gap
    new.vy = keep * motion.vy + (1 - keep) * (new.y - motion.y) / gap
    new.growth = keep * motion.growth + (1 - keep) * growth
    new.growth = max(-MAX_GROWTH_PER_MS, min(MAX_GROWTH_PER_MS, new.growth))
    return new


def cost(motion: Motion, box: Rectangle, t_ms: int) -> float | None:
    """How badly `box` fits the motion: 0 is perfect, None is out of the question."""
    expected = predicted(motion, t_ms)
    seen = start(box, t_ms)
    ratio = abs(math.log(size(seen) / size(expected)))
    if ratio > math.log(MAX_SIZE_RATIO):
        return None
    reach = max(size(seen), size(expected), 12.0)
    distance = math.hypot(seen.x - expected.x, seen.y - expected.y) / reach
    moves = motion.vx != 0 or motion.vy != 0 or motion.growth != 0
    per_s = DISTANCE_PER_S if moves else FIRST_DISTANCE_PER_S
    if distance > min(MAX_REACH, MAX_DISTANCE + per_s * (t_ms - motion.t_ms) / 1000):
        return None
    return distance + ratio


def overlap(first: Rectangle, second: Rectangle) -> float:
    """Intersection over union of two rectangles, 0 to 1."""
    width = min(first.x + first.w, second.x + second.w) - max(first.x, second.x)
    height = min(first.y + first.h, second.y + second.h) - max(first.y, second.y)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (first.w * first.h + second.w * second.h - width * height)


def match(motions: Sequence[Motion], boxes: Sequence[Rectangle], t_ms: int) -> dict[int, int]:
    """Pairs boxes with motions, best fits first: index of the box -> index of the motion. Each is used at most once."""
    fits: list[tuple[float, int, int]] = []
    for number, motion in enumerate(motions):
        for index, box in enumerate(boxes):
            value = cost(motion, box, t_ms)
            if value is not None:
                fits.append((value, number, index))
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for _, number, index in sorted(fits):
        if index not in pairs and number not in used:
            pairs[index] = number
            used.add(number)
    return pairs
