"""Whether a box that is seen after frames in which nobody looked is the sign that was followed before them.

What a vehicle comes nearer to at distance D grows as 1 / D, and so does its way from the point that the vehicle drives
at. So the growth of a face over the way that it was followed on tells how far away it was in the end (D = way / (growth
- 1)), and that how large it is after a further way. The way is in metres where the vehicle's place is known, else in
milliseconds, at the same speed. From frame to frame `motion` predicts better; over a second without a look it cannot.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from device.channel.messages import Box
from device.verdict.state import FaceTrack, PanelTrack, Sight, State
from device.verdict.tracking import looks
from device.verdict.tracking.motion import size
from wire.geodesy import Pose, distance_m

BLIND_SHARE: Final = 0.5
"""Least share of the time since the last sight in which nobody looked: what was looked for and not seen has gone by."""
STANDS_M: Final = 2.0
"""A vehicle that came less far stood."""
STANDS_PER_MS: Final = 0.0001
"""So does one whose place is not known while what is ahead grows by less than a tenth a second."""
GROWTH_WITHIN: Final = 1.15
"""How well its growth is known, as a factor: boxes of small faces are a tenth too small or too large..."""
WAY_WITHIN: Final = 1.2
"""...and how well the way is: the vehicle brakes, and the line through the sizes is not quite theirs."""
SIZE_WITHIN: Final = 1.3
MAX_GROWTH: Final = 8.0
_GROWTH_FACTORS: Final = (1 / GROWTH_WITHIN, 1.0, GROWTH_WITHIN)
ASIDE_SIZES: Final = 12.0
"""The most that a sign is beside the vehicle's way, in its own sizes: 8 m for one of 0.7 m."""
REACH_SIZES: Final = 1.5
"""A box may be off its place by this many of its sizes."""
SURE_CLASS: Final = 0.8
"""A box that is surely a sign of another class, with this class probability, is another sign."""
CODE_WITHIN_M: Final = 20.0
CODE_WITHIN_MS: Final = 3000
"""A code is read from about 15 m on: the same text further on, or later, hangs at another place."""
CODE_SHRINKS: Final = 0.8
NEAREST_M: Final = 3.0
"""A sign that is nearer than this is out of the picture."""
SURELY_GROWN: Final = 1.5
TOLD_SHARE: Final = 0.5
"""Of the way that a sign's growth shows at the least, a receiver that tells less than this share tells no place."""


@dataclass(frozen=True)
class _Growth:
    """How many times its last size a thing may have by now: least, most likely, most."""

    least: float
    likely: float
    most: float


@dataclass(frozen=True)
class Ahead:
    """How far ahead a thing was when it was last seen: least, most."""

    least: float
    most: float


def ahead(face: FaceTrack, *, in_metres: bool) -> Ahead | None:
    """How far ahead of the vehicle a face was when it was last seen, in metres or in milliseconds at the same speed.

    None: nobody knows, since the vehicle hardly came nearer meanwhile.
    """
    sight, grown = face.sight, growth(face)
    followed: float = sight.last_ms - sight.first_ms
    if in_metres:
        followed = 0.0 if sight.first_pose is None else _came_m(sight, sight.first_pose) or 0.0
    if followed < (STANDS_M if in_metres else looks.LOOK_MS) or grown <= 1:
        return None
    farthest, nearest = (_distance(followed, grown * factor) for factor in (1 / GROWTH_WITHIN, GROWTH_WITHIN))
    return Ahead(nearest / WAY_WITHIN, farthest * WAY_WITHIN)


def reunited(
    state: State, boxes: Mapping[int, Box], taken: Collection[int], t_ms: int, pose: Pose | None, sure_score: float
) -> dict[int, FaceTrack]:
    """The faces that go on in boxes that no face took as usual, by the boxes' keys. Each is used at most once.

    Args:
        taken: numbers of the faces that go on already.
        pose: where the vehicle is, None: not known.
        sure_score: from it on, a box is surely a sign.
    """
    fits: list[tuple[float, int, int]] = []
    waiting = {face.number: face for face in state.faces if face.number not in taken and _was_blind(state, face, t_ms)}
    for number, face in waiting.items():
        expected = _growth_by_now(face, t_ms, pose)
        for key, box in boxes.items():
            value = _cost(face, box, expected, sure_score) if expected is not None else None
            if value is not None:
                fits.append((value, number, key))
    return {key: waiting[number] for key, number in _pairs(fits).items()}


def same_code(state: State, panel: PanelTrack, data: bytes, side: float, t_ms: int, pose: Pose | None) -> bool:
    """Whether a text of this size in pixels is the panel's, on which it was read before nobody looked for a while."""
    sight = panel.sight
    blind = looks.blind_ms(state.read, sight, t_ms) >= BLIND_SHARE * (t_ms - sight.last_ms) > 0
    if not blind or looks.is_gone(state.read, sight, t_ms) or not data:
        return False
    came_m = _came_m(sight, pose)
    near = t_ms - sight.last_ms <= CODE_WITHIN_MS if came_m is None else came_m <= CODE_WITHIN_M
    nearer = side >= CODE_SHRINKS * size(panel.motion)
    return near and nearer and any(known.data == data for known in panel.payloads)


def _was_blind(state: State, face: FaceTrack, t_ms: int) -> bool:
    unseen = t_ms - face.sight.last_ms
    blind = looks.blind_ms(state.looked, face.sight, t_ms)
    return 0 < BLIND_SHARE * unseen <= blind and not looks.is_gone(state.looked, face.sight, t_ms)


def growth(face: FaceTrack) -> float:
    """How many times its first size the face has reached, by the line through all its sizes."""
    line = face.trend
    spread = line.n * line.xx - line.x**2
    if spread <= 1e-9:
        return 1.0
    slope = (line.n * line.xy - line.x * line.y) / spread
    seconds = (face.sight.last_ms - face.sight.first_ms) / 1000
    return math.exp(max(-5.0, min(5.0, slope * seconds)))


def drove_further(faces: Iterable[FaceTrack]) -> bool:
    """Whether a sign came nearer by more than the way that the track tells explains: the receiver does not tell where
    the vehicle is, but where it was, or near there.

    What has grown `n` times its first size was `n` times as far away as in the end, when it was `NEAREST_M` away at
    the least.
    """
    for face in faces:
        first, last, grown = face.sight.first_pose, face.sight.last_pose, growth(face)
        if first is None or last is None or grown < SURELY_GROWN:
            continue
        if distance_m(first.lat, first.lon, last.lat, last.lon) < NEAREST_M * (grown - 1) * TOLD_SHARE:
            return True
    return False


def _came_m(sight: Sight, pose: Pose | None) -> float | None:
    last = sight.last_pose
    return None if last is None or pose is None else distance_m(last.lat, last.lon, pose.lat, pose.lon)


def _growth_by_now(face: FaceTrack, t_ms: int, pose: Pose | None) -> _Growth | None:
    """None: it was passed, or nobody knows."""
    sight, grown = face.sight, growth(face)
    first, last, came = sight.first_pose, sight.last_pose, _came_m(sight, pose)
    followed: float = sight.last_ms - sight.first_ms
    way: float = t_ms - sight.last_ms
    stood = abs(face.motion.growth) < STANDS_PER_MS and sight.seen > 1
    if came < STANDS_M if came is not None else stood:
        return _Growth(1.0, 1.0, 1.0)
    if came is not None and first is not None and last is not None:
        before = distance_m(first.lat, first.lon, last.lat, last.lon)
        if before >= STANDS_M:
            followed, way = before, came
    farthest, likely, nearest = (_distance(followed, grown * factor) for factor in _GROWTH_FACTORS)
    farthest, nearest = farthest * WAY_WITHIN, nearest / WAY_WITHIN
    if nearest <= 0 or way >= farthest:
        return None
    return _Growth(*(_grown(each, way) for each in (farthest, likely, nearest)))


def _distance(followed: float, grown: float) -> float:
    """How far away a face is that has grown so on this way; without end where it has not."""
    return followed / (grown - 1) if grown > 1 else math.inf


def _grown(distance: float, way: float) -> float:
    if math.isinf(distance):
        return 1.0
    return min(MAX_GROWTH, distance / (distance - way)) if way < distance else MAX_GROWTH


def _cost(face: FaceTrack, box: Box, expected: _Growth, sure_score: float) -> float | None:
    """How badly the box fits, None: not at all."""
    old, side = face.motion, math.sqrt(box.w * box.h)
    ratio = side / size(old)
    if not expected.least / SIZE_WITHIN <= ratio <= expected.most * SIZE_WITHIN or _is_another(face, box, sure_score):
        return None
    right, down = box.x + box.w / 2 - old.x, box.y + box.h / 2 - old.y
    moved, reach = math.hypot(right, down), REACH_SIZES * max(side, size(old))
    if moved > reach + ASIDE_SIZES * max(0.0, ratio - 1) * size(old):
        return None
    if moved > reach and right * old.vx + down * old.vy < 0:  # outwards before, inwards now
        return None
    return abs(math.log(ratio / expected.likely)) + moved / (reach + ASIDE_SIZES * size(old))


def _is_another(face: FaceTrack, box: Box, sure_score: float) -> bool:
    if box.score < sure_score or box.class_score < SURE_CLASS or not face.class_weight:
        return False
    return box.class_id != max(face.class_weight, key=lambda class_id: face.class_weight[class_id])


def _pairs(fits: Sequence[tuple[float, int, int]]) -> dict[int, int]:
    """Best fits first: key of the box -> number of the face."""
    pairs: dict[int, int] = {}
    for _, number, key in sorted(fits):
        if key not in pairs and number not in pairs.values():
            pairs[key] = number
    return pairs
