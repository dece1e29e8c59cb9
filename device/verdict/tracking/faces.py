"""From boxes of single frames to physical sign faces, and what perception says of each face over its whole pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from device.channel.messages import Box
from device.verdict.state import MAX_TRACKS, FaceTrack, Moment, Sight, State, Watch
from device.verdict.tracking import approach, carried, looks
from device.verdict.tracking.looks import LINGER_MS
from device.verdict.tracking.motion import Rectangle, as_box, match, moved, overlap, predicted, start
from wire.geodesy import Pose, distance_m
from wire.vocabulary import ReasonName

# Every number of looks below is in looks at thirty a second (`looks`), so that a device with fewer looks a second
# believes as much of the same pass, and one with more no more. Only looks that were surely a sign speak for a class:
# looks at the lower score carry a face on (hysteresis), but however many they are they make no sign.

# A face is confirmed when it was seen for a while, surely, and large enough to be judged...
CONFIRM_SEEN: Final = 5
CONFIRM_SURE: Final = 3
CONFIRM_SURE_LONG: Final = 1
CONFIRM_SEEN_LONG: Final = 8
CONFIRM_SIZE_PX: Final = 16.0
CONFIRM_CERTAINTY: Final = 0.45
"""Mean class probability, weighted by score and size: spurious boxes have no sure class."""
CONFIRM_SHARE: Final = 0.4
# ...and where no code hangs at it, only if it also comes nearer, was surely a sign for long enough and without long
# gaps, near enough, and is nearly always the same class or surely a sign. The limits were chosen on passes of real
# signs and of things that are none: `python -m models.clips` measures both (docs/decisions/0012).
ALONE_EVIDENCE: Final = 2.0
"""Least weight of all sure looks together: as two at 64 px, or eight at 32 px. Each of the 1,306 passes of signs in
GTSRB's training set (30 looks each, counted with a score of 0.8) has 2.1 and more; a small, far thing that is seen for
half a second has less."""
ALONE_STRONG: Final = 3
"""Looks with a score of at least `STRONG_SCORE`: the best looks have to be good, not only many..."""
STRONG_SCORE: Final = 0.5
MOST_STRONG: Final = 1.5
"""...and there have to be two of them, whatever time one stands for."""
ALONE_IN_SIGHT_MS: Final = 700
"""Least time from the first look to the last: what looks like a sign at one distance only is none..."""
ALONE_DISTANCES: Final = 1.5
ALONE_FAST_MS: Final = 400
"""...but this is enough of what grew so much meanwhile: a fast pass is short, and shows it at many distances."""
ALONE_COVERAGE: Final = 0.5
"""Least share of the time in which it was seen, while it was in sight and perception looked."""
ALONE_GROWTH: Final = 1.15
ALONE_SURE: Final = 0.6

STABLE_SHARE: Final = 0.6
"""The class with most weight is stable with at least this share of it."""
INSIST_SURE: Final = 0.5
INSIST_CERTAINTY: Final = 0.6
CONSISTENT_SHARE: Final = 0.75
CONSISTENT_CERTAINTY: Final = 0.8
"""Below this mean class probability the face looks like none of the classes (out of distribution). Of the passes of
real signs one in a hundred has less than 0.94."""
MAX_ODD_SHAPES: Final = 0.5
MAX_ASPECT: Final = 1.5
MAX_SWITCH_RATE: Final = 0.34
GROWS_WITHIN_M: Final = 25.0
SAME_PLACE: Final = 0.35
MAX_ON_CODE: Final = 1
"""A box that lies where a code is, by intersection over union, in more looks than this is no face but the panel."""
FULL_SIZE_PX: Final = 64.0
"""Faces from this size on count fully, smaller ones by their area: the classifier sees 48 pixels a side."""


@dataclass(frozen=True)
class Perceived:
    """What perception said over a whole pass.

    `class_id` is the class with most weight, None where no face is confirmed; `share` its share of the weight;
    `certainty` its mean class probability; `seen` the sightings; `sure` the share of the time in sight in which it was
    surely a sign; `doubts` the consistency checks that disagree, as words.
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
        return self.stable and self.certainty >= INSIST_CERTAINTY and self.sure >= INSIST_SURE


def see(state: State, moment: Moment, boxes: Sequence[Box], pose: Pose | None, sure_score: float) -> None:
    """Adds one frame's boxes to the faces that are followed, and starts new faces for the rest.

    From `sure_score` on, a box is surely a sign.
    """
    looks.look(state.looked, moment.t_ms)
    symbols = _symbols(state, moment)
    usable = [box for box in boxes if box.w >= 2 and box.h >= 2]
    fresh = [face for face in state.faces if 0 < moment.t_ms - face.sight.last_ms <= LINGER_MS]
    matched = match([face.motion for face in fresh], usable, moment.t_ms)
    going_on = {index: fresh[number] for index, number in matched.items()}
    rest = {index: box for index, box in enumerate(usable) if index not in matched}
    taken = {face.number for face in going_on.values()}
    going_on |= approach.reunited(state, rest, taken, moment.t_ms, pose, sure_score)
    for index, box in enumerate(usable):
        face = going_on.get(index) or _new(state, moment, box, pose)
        if index in going_on:
            face.motion = moved(face.motion, box, moment.t_ms)
            extend(face.sight, moment, pose, state.looked)
        look_ms = looks.stands_for_ms(state.looked, first=index not in going_on)
        _note(face, state.looked, look_ms)
        _weigh(face, box, look_ms, sure_score)
        if any(overlap(box, symbol) >= SAME_PLACE for symbol in symbols):
            face.on_code += looks.repeats(look_ms)


def _symbols(state: State, moment: Moment) -> list[Rectangle]:
    """Where codes are: as just read, or, of those read twice, as expected: the code reader may look at other frames.
    A face may go by behind what is carried along."""
    known = [panel for panel in state.panels if panel.sight.seen > 1 and not panel.carried]
    fresh = [panel for panel in known if moment.t_ms - panel.sight.last_ms <= LINGER_MS // 2]
    return [
        *carried.others(state, moment.readings or (), moment.t_ms),
        *(as_box(predicted(panel.motion, moment.t_ms)) for panel in fresh),
    ]


def extend(sight: Sight, moment: Moment, pose: Pose | None, watch: Watch) -> None:
    """Notes that the thing was seen again in this moment, by the reader that has watched so."""
    sight.last_frame, sight.last_ms, sight.watched_ms = moment.frame, moment.t_ms, watch.watched_ms
    sight.seen = min(sight.seen + 1, 100_000)
    sight.utc_ms = moment.utc_ms or sight.utc_ms
    if pose is not None:
        sight.first_pose = sight.first_pose or pose
        sight.last_pose, sight.pose_ms = pose, moment.t_ms


def first_sight(moment: Moment, pose: Pose | None, watch: Watch) -> Sight:
    """The record of a thing seen for the first time, by the reader that has watched so."""
    frame, t_ms = moment.frame, moment.t_ms
    return Sight(frame, frame, t_ms, t_ms, 1, moment.utc_ms, pose, pose, t_ms, watch.watched_ms)


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
    seen = sum(face.seen for face in confirmed)
    sightings = min(sum(face.sight.seen for face in confirmed), 100_000)
    sure = sum(face.sure for face in confirmed) / seen
    return Perceived(best, share, certainty, sightings, _doubts(confirmed, share, certainty, seen), sure)


def is_confirmed(face: FaceTrack) -> bool:
    """True where the face was seen long, surely and large enough that there is a sign."""
    share, certainty = _agreement(face)
    return (
        face.seen >= CONFIRM_SEEN
        and face.sure >= (CONFIRM_SURE_LONG if face.seen >= CONFIRM_SEEN_LONG else CONFIRM_SURE)
        and face.largest >= CONFIRM_SIZE_PX
        and certainty >= CONFIRM_CERTAINTY
        and share >= CONFIRM_SHARE
        and face.on_code <= MAX_ON_CODE
    )


def stands_alone(face: FaceTrack) -> bool:
    """True where a confirmed face without a code proves to be a sign: seen enough, coming nearer, steady or sure."""
    share, certainty = _agreement(face)
    grown = approach.growth(face)
    enough = (
        sum(face.class_weight.values()) >= ALONE_EVIDENCE
        and face.strong >= ALONE_STRONG
        and face.watched_ms >= (ALONE_FAST_MS if grown >= ALONE_DISTANCES else ALONE_IN_SIGHT_MS)
        and face.seen * looks.LOOK_MS >= ALONE_COVERAGE * face.watched_ms
        and grown >= ALONE_GROWTH
    )
    steady = certainty >= CONSISTENT_CERTAINTY and not _flips(share, face.switches, face.sure)
    return enough and (steady or face.sure >= ALONE_SURE * face.seen)


def _agreement(face: FaceTrack) -> tuple[float, float]:
    """The share of the class with most weight, and the mean class probability."""
    total = sum(face.class_weight.values())
    if total <= 0:  # never surely a sign
        return 0.0, 0.0
    return max(face.class_weight.values()) / total, sum(face.class_certainty.values()) / total


def _flips(share: float, switches: float, sure: float) -> bool:
    return share < CONSISTENT_SHARE or switches > MAX_SWITCH_RATE * sure


def _doubts(faces: Sequence[FaceTrack], share: float, certainty: float, seen: float) -> tuple[ReasonName, ...]:
    checks: tuple[tuple[ReasonName, bool], ...] = (
        ("class_flips", _flips(share, sum(face.switches for face in faces), sum(face.sure for face in faces))),
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
    return travelled >= GROWS_WITHIN_M and approach.growth(face) < ALONE_GROWTH


def _new(state: State, moment: Moment, box: Box, pose: Pose | None) -> FaceTrack:
    """Starts to follow a box. At the cap the face with the least evidence goes, so that a flood costs only itself."""
    face = FaceTrack(state.next_track, start(box, moment.t_ms), first_sight(moment, pose, state.looked))
    state.next_track += 1
    if len(state.faces) >= MAX_TRACKS:
        weakest = min(state.faces, key=lambda other: (other.score_sum, -other.number))
        state.faces.remove(weakest)
    state.faces.append(face)
    return face


def _note(face: FaceTrack, looked: Watch, look_ms: int) -> None:
    """Notes for how long perception has watched, and how much of that showed the face."""
    if face.seen == 0:
        face.since_ms = looked.watched_ms - looked.look_ms
    face.watched_ms = looked.watched_ms - face.since_ms
    face.seen += looks.units(look_ms)


def _weigh(face: FaceTrack, box: Box, look_ms: int, sure_score: float) -> None:
    """Adds what one box says to the face's evidence."""
    side = math.sqrt(box.w * box.h)
    seconds, log_side = (face.sight.last_ms - face.sight.first_ms) / 1000, math.log(side)
    line = face.trend
    line.n, line.x, line.y = line.n + 1, line.x + seconds, line.y + log_side
    line.xx, line.xy = line.xx + seconds**2, line.xy + seconds * log_side
    count = looks.units(look_ms)
    face.score_sum += box.score
    face.odd_shapes += count if max(box.w, box.h) > MAX_ASPECT * min(box.w, box.h) else 0.0
    face.strong += min(count, MOST_STRONG) if box.score >= max(STRONG_SCORE, sure_score) else 0.0
    if box.score >= sure_score:
        _weigh_class(face, box, side, count)


def _weigh_class(face: FaceTrack, box: Box, side: float, count: float) -> None:
    """Adds what a box that is surely a sign says of the class."""
    weight = count * max(box.score, 0.01) * min(side / FULL_SIZE_PX, 1.0) ** 2
    face.sure += count
    face.largest = max(face.largest, side)
    face.class_weight[box.class_id] = face.class_weight.get(box.class_id, 0.0) + weight
    face.class_certainty[box.class_id] = face.class_certainty.get(box.class_id, 0.0) + weight * box.class_score
    face.switches += count if face.last_class not in (-1, box.class_id) else 0.0
    face.last_class = box.class_id
