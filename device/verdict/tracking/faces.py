"""From boxes of single frames to physical sign faces, and what perception says of each face over its whole pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from device.channel.messages import Box
from device.verdict.state import MAX_TRACKS, FaceTrack, Moment, Sight, State
from device.verdict.tracking.motion import match, moved, overlap, size, start
from wire.geodesy import Pose, distance_m
from wire.vocabulary import ReasonName

LINGER_MS: Final = 1000
"""A face or a panel that was not seen for this long is gone."""

# A face is confirmed when it was seen often, surely, and large enough to be judged: some sightings have the higher
# score, the others at least the lower score (hysteresis)...
CONFIRM_SEEN: Final = 5
CONFIRM_SURE: Final = 3
CONFIRM_SURE_LONG: Final = 1
CONFIRM_SEEN_LONG: Final = 8
CONFIRM_SIZE_PX: Final = 16.0
CONFIRM_CERTAINTY: Final = 0.45
"""Mean class probability, weighted by score and size: spurious boxes have no sure class."""
CONFIRM_SHARE: Final = 0.4
# ...and where no code hangs at it, only if it also comes nearer, was looked at enough, and is nearly always the same
# class or surely a sign.
ALONE_EVIDENCE: Final = 2.0
"""Least weight of all looks together: as two sure looks at 64 px, or eight at 32 px. Each of the 1,306 passes of signs
in GTSRB's training set (30 looks each, counted with a score of 0.8) has 2.1 and more; a small, far thing that is seen
for half a second has less."""
ALONE_GROWTH: Final = 1.15
ALONE_SURE: Final = 0.6

STABLE_SHARE: Final = 0.6
"""The class with most weight is stable with at least this share of it."""
INSIST_SURE: Final = 0.5
CONSISTENT_SHARE: Final = 0.75
CONSISTENT_CERTAINTY: Final = 0.6
"""Below this mean class probability the face looks like none of the classes (out of distribution)."""
MAX_ODD_SHAPES: Final = 0.5
MAX_ASPECT: Final = 1.5
MAX_SWITCH_RATE: Final = 0.34
GROWS_WITHIN_M: Final = 25.0
SAME_PLACE: Final = 0.35
MAX_ON_CODE: Final = 1
"""A box that lies where a code is, by intersection over union, in more frames than this is no face but the panel."""
_WEIGHT_SIZE_PX: Final = 64.0
"""Faces from this size on count fully, smaller ones by their area: the classifier sees 48 pixels a side."""


@dataclass(frozen=True)
class Perceived:
    """What perception said over a whole pass.

    `class_id` is the class with most weight, None where no face is confirmed; `share` its share of the weight;
    `certainty` its mean class probability; `seen` the sightings; `sure` the share of them that were surely a sign;
    `doubts` the consistency checks that disagree, as words.
    """

    class_id: int | None = None
    share: float = 0.0
    certainty: float = 0.0
    seen: int = 0
    doubts: tuple[ReasonName, ...] = ()
    sure: float = 0.0

    @property
    def stable(self) -> bool:
        """True where one class has a clear majority."""
        return self.class_id is not None and self.share >= STABLE_SHARE

    @property
    def insists(self) -> bool:
        """True where the class is stable and sure enough to contradict a signed code.

        A bag over a face is found now and then, and read as this class or that; a sticker that works is read as its
        target surely and nearly always, since it was made for that.
        """
        return self.stable and self.certainty >= CONSISTENT_CERTAINTY and self.sure >= INSIST_SURE


def see(state: State, moment: Moment, boxes: Sequence[Box], pose: Pose | None, sure_score: float) -> None:
    """Adds one frame's boxes to the faces that are followed, and starts new faces for the rest.

    From `sure_score` on, a box is surely a sign.
    """
    usable = [box for box in boxes if box.w >= 2 and box.h >= 2]
    fresh = [face for face in state.faces if 0 < moment.t_ms - face.sight.last_ms <= LINGER_MS]
    pairs = match([face.motion for face in fresh], usable, moment.t_ms)
    for index, box in enumerate(usable):
        if index in pairs:
            face = fresh[pairs[index]]
            face.motion = moved(face.motion, box, moment.t_ms)
            extend(face.sight, moment, pose)
        else:
            face = _new(state, moment, box, pose)
        _weigh(face, box, sure_score)
        face.on_code += any(overlap(box, reading) >= SAME_PLACE for reading in moment.readings or ())


def extend(sight: Sight, moment: Moment, pose: Pose | None) -> None:
    """Notes that the thing was seen again in this moment."""
    sight.last_frame, sight.last_ms = moment.frame, moment.t_ms
    sight.seen = min(sight.seen + 1, 100_000)
    sight.utc_ms = moment.utc_ms or sight.utc_ms
    if pose is not None:
        sight.first_pose = sight.first_pose or pose
        sight.last_pose, sight.pose_ms = pose, moment.t_ms


def first_sight(moment: Moment, pose: Pose | None) -> Sight:
    """The record of a thing seen for the first time."""
    return Sight(moment.frame, moment.frame, moment.t_ms, moment.t_ms, 1, moment.utc_ms, pose, pose, moment.t_ms)


def perceived(faces: Sequence[FaceTrack], *, coded: bool) -> Perceived:
    """What perception said of one physical sign, which may have been followed as several faces one after another.

    Args:
        faces: all faces of the sign.
        coded: a code hangs at it, so there is a sign; else the faces have to prove that there is.
    """
    confirmed = [face for face in faces if is_confirmed(face) and (coded or stands_alone(face))]
    if not confirmed:
        return Perceived()
    weights: dict[int, float] = {}
    certainties: dict[int, float] = {}
    for face in confirmed:
        for class_id, weight in face.class_weight.items():
            weights[class_id] = weights.get(class_id, 0.0) + weight
            certainties[class_id] = certainties.get(class_id, 0.0) + face.class_certainty[class_id]
    best = max(weights, key=lambda class_id: (weights[class_id], -class_id))
    share, certainty = weights[best] / sum(weights.values()), certainties[best] / weights[best]
    seen = min(sum(face.sight.seen for face in confirmed), 100_000)
    sure = sum(face.sure for face in confirmed) / max(1, seen)
    return Perceived(best, share, certainty, seen, _doubts(confirmed, share, certainty, seen), sure)


def is_confirmed(face: FaceTrack) -> bool:
    """True where the face was seen often, surely and large enough that there is a sign."""
    share, certainty = _agreement(face)
    return (
        face.sight.seen >= CONFIRM_SEEN
        and face.sure >= (CONFIRM_SURE_LONG if face.sight.seen >= CONFIRM_SEEN_LONG else CONFIRM_SURE)
        and face.largest >= CONFIRM_SIZE_PX
        and certainty >= CONFIRM_CERTAINTY
        and share >= CONFIRM_SHARE
        and face.on_code <= MAX_ON_CODE
    )


def stands_alone(face: FaceTrack) -> bool:
    """True where a confirmed face without a code proves to be a sign: seen enough, coming nearer, steady or sure."""
    share, certainty = _agreement(face)
    steady = (
        share >= STABLE_SHARE
        and certainty >= CONSISTENT_CERTAINTY
        and not _flips(share, face.switches, face.sight.seen)
    )
    enough = sum(face.class_weight.values()) >= ALONE_EVIDENCE and growth(face) >= ALONE_GROWTH
    return enough and (steady or face.sure >= ALONE_SURE * face.sight.seen)


def growth(face: FaceTrack) -> float:
    """How many times its first size the face has reached, by the line through all its sizes."""
    line = face.trend
    spread = line.n * line.xx - line.x**2
    if spread <= 1e-9:
        return 1.0
    slope = (line.n * line.xy - line.x * line.y) / spread
    seconds = (face.sight.last_ms - face.sight.first_ms) / 1000
    return math.exp(max(-5.0, min(5.0, slope * seconds)))


def _agreement(face: FaceTrack) -> tuple[float, float]:
    """The share of the class with most weight, and the mean class probability."""
    total = sum(face.class_weight.values())
    return max(face.class_weight.values()) / total, sum(face.class_certainty.values()) / total


def _flips(share: float, switches: int, seen: int) -> bool:
    return share < CONSISTENT_SHARE or switches > MAX_SWITCH_RATE * seen


def _doubts(faces: Sequence[FaceTrack], share: float, certainty: float, seen: int) -> tuple[ReasonName, ...]:
    checks: tuple[tuple[ReasonName, bool], ...] = (
        ("class_flips", _flips(share, sum(face.switches for face in faces), seen)),
        ("class_uncertain", certainty < CONSISTENT_CERTAINTY),
        ("shape_odd", sum(face.odd_shapes for face in faces) > MAX_ODD_SHAPES * seen),
        ("moves_with_vehicle", any(_moves_along(face) for face in faces)),
    )
    return tuple(word for word, disagrees in checks if disagrees)


def _moves_along(face: FaceTrack) -> bool:
    """True for a face that does not grow although the vehicle came nearer: a picture on the vehicle in front."""
    first, last = face.sight.first_pose, face.sight.last_pose
    if first is None or last is None:
        return False
    travelled = distance_m(first.lat, first.lon, last.lat, last.lon)
    return travelled >= GROWS_WITHIN_M and growth(face) < ALONE_GROWTH


def _new(state: State, moment: Moment, box: Box, pose: Pose | None) -> FaceTrack:
    """Starts to follow a box. At the cap the face with the least evidence goes, so that a flood costs only itself."""
    motion = start(box, moment.t_ms)
    face = FaceTrack(state.next_track, motion, first_sight(moment, pose), size(motion))
    state.next_track += 1
    if len(state.faces) >= MAX_TRACKS:
        weakest = min(state.faces, key=lambda other: (other.score_sum, -other.number))
        state.faces.remove(weakest)
    state.faces.append(face)
    return face


def _weigh(face: FaceTrack, box: Box, sure_score: float) -> None:
    """Adds what one box says to the face's evidence."""
    side = math.sqrt(box.w * box.h)
    seconds, log_side = (face.sight.last_ms - face.sight.first_ms) / 1000, math.log(side)
    line = face.trend
    line.n, line.x, line.y = line.n + 1, line.x + seconds, line.y + log_side
    line.xx, line.xy = line.xx + seconds**2, line.xy + seconds * log_side
    weight = max(box.score, 0.01) * min(side / _WEIGHT_SIZE_PX, 1.0) ** 2
    face.score_sum += box.score
    face.sure += box.score >= sure_score
    face.largest = max(face.largest, side)
    face.class_weight[box.class_id] = face.class_weight.get(box.class_id, 0.0) + weight
    face.class_certainty[box.class_id] = face.class_certainty.get(box.class_id, 0.0) + weight * box.class_score
    face.switches += face.last_class not in (-1, box.class_id)
    face.last_class = box.class_id
    face.odd_shapes += max(box.w, box.h) > MAX_ASPECT * min(box.w, box.h)
