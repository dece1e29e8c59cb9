"""The sticker attack: opaque patches on a sign's face that make the shipped classifier say another class.

A black-box attack: only the classifier's answers are used. A sticker is a handful of plain patches inside the sign's
mask. It is found by random starts and a (1+1) evolution, in the manner of the square attack (Andriushchenko et al.,
ECCV 2020), against the expectation over transformations (Athalye et al., ICML 2018). The budget is a number of
classifications and not a time, so that the same seed gives the same sticker.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np

from hardware.rig.assembly import face_picture
from hardware.rig.camera import Camera
from hardware.rig.errors import StickerFailedError
from hardware.rig.scene import FACE_M, SEEN_FROM_M
from hardware.rig.views import AttackedClassifier, Scores, View, view_of
from hardware.signs.shapes import Image
from wire.classes import CLASS_NAMES

__all__ = ["AttackedClassifier", "Patch", "Report", "make", "painted"]

_BUDGET = 20_000  # classifications for a sticker, about: under 20 s on one core of a laptop
_WORK_PX = 128
_PALETTE = ((24, 24, 26), (246, 246, 244), (38, 30, 190), (162, 84, 20), (18, 200, 250), (120, 120, 122))  # BGR
_MARGIN = 0.1  # share of the face's side kept free along the sign's edge: it is still found as a sign
_AREAS = (0.1, 0.16, 0.24, 0.32, 0.4)  # largest share of the mask, tried in turn
_SIZES = (13, 15, 17, 20, 23, 27, 31, 36, 42, 50, 60, 75, 90, 105)
_STARTS = 120
_ENOUGH = 3.0  # log odds beyond which a view needs no more pushing
_GOOD = 0.95
_NEAREST_M = 6.0


@dataclass(frozen=True)
class Patch:
    """A plain rectangle or ellipse: centre and half sides (the face is -1..1), degrees, index of the palette."""

    x: float
    y: float
    half_width: float
    half_height: float
    angle: float
    colour: int
    round: bool


Sticker = tuple[Patch, ...]


@dataclass(frozen=True)
class Report:
    """How well a sticker fools, measured on fresh views from SEEN_FROM_M down to a few metres.

    `area`: share of the sign's face that is covered; `fooled`: share of the views whose class is wrong; `as_target`:
    share that shows the target class; `answers`: classifications used.
    """

    target_class_id: int
    area: float
    fooled: float
    as_target: float
    patches: int
    answers: int

    def as_dict(self) -> dict[str, Any]:
        """For expected.json."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def room(face: Image) -> Image:
    """Where patches may lie: the sign's mask without its edge; uint8, 255 inside."""
    solid = np.pad((face[:, :, 3] > 127).astype(np.uint8), 1)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.where(depth > _MARGIN * len(face), 255, 0).astype(np.uint8)


def painted(face: Image, sticker: Sticker, inside: Image) -> tuple[Image, float]:
    """The face (BGRA) with the sticker on it, and the share of its mask that is covered."""
    result = face.copy()
    half = len(face) / 2
    covered = np.zeros(face.shape[:2], np.uint8)
    for patch in sticker:
        shape = np.zeros_like(covered)
        centre, sides = (
            ((patch.x + 1) * half, (patch.y + 1) * half),
            (patch.half_width * half, patch.half_height * half),
        )
        if patch.round:
            cv2.ellipse(shape, (centre, (2 * sides[0], 2 * sides[1]), patch.angle), 255, -1, cv2.LINE_AA)
        else:
            corners = cv2.boxPoints((centre, (2 * sides[0], 2 * sides[1]), patch.angle))
            cv2.fillPoly(shape, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        shape = cv2.bitwise_and(shape, inside)
        share = shape[:, :, None].astype(np.float32) / 255
        mixed = result[:, :, :3] * (1 - share) + np.array(_PALETTE[patch.colour], np.float32) * share
        result[:, :, :3] = np.rint(mixed).astype(np.uint8)
        covered = np.maximum(covered, shape)
    return result, float((covered > 127).sum() / (face[:, :, 3] > 127).sum())


def _random_patch(rng: random.Random, largest: float) -> Patch:
    reach, turn = rng.uniform(0.0, 0.65), rng.uniform(0, math.tau)
    return Patch(
        reach * math.cos(turn),
        reach * math.sin(turn),
        rng.uniform(0.05, largest),
        rng.uniform(0.05, largest),
        rng.choice((0.0, 0.0, rng.uniform(0, 180))),
        rng.randrange(len(_PALETTE)),
        rng.random() < 0.35,
    )


def _mutated(sticker: Sticker, rng: random.Random, reach: float, largest: float) -> Sticker:
    """One patch moved, resized, turned, recoloured, replaced, added, dropped or laid on top."""
    patches = list(sticker)
    index = rng.randrange(len(patches))
    patch = patches[index]
    kind = rng.random()
    if kind < 0.1 and len(patches) < 9:
        patches.append(_random_patch(rng, largest))
    elif kind < 0.16 and len(patches) > 2:
        del patches[index]
    elif kind < 0.22:
        patches.append(patches.pop(index))
    elif kind < 0.3:
        patches[index] = _random_patch(rng, largest)
    elif kind < 0.42:
        patches[index] = replace(patch, colour=rng.randrange(len(_PALETTE)), round=rng.random() < 0.35)
    else:
        step = [rng.gauss(0, reach) for _ in range(5)]
        patches[index] = replace(
            patch,
            x=min(max(patch.x + step[0], -0.8), 0.8),
            y=min(max(patch.y + step[1], -0.8), 0.8),
            half_width=min(max(patch.half_width * math.exp(2 * step[2]), 0.04), 0.6),
            half_height=min(max(patch.half_height * math.exp(2 * step[3]), 0.04), 0.6),
            angle=patch.angle + 60 * step[4],
        )
    return tuple(patches)


def _gains(scores: Scores, target: int) -> Scores:
    """Log odds of the target against the best other class, for each view; capped at `_ENOUGH`."""
    others = np.delete(scores, target, axis=1).max(axis=1)
    return np.asarray(np.clip(scores[:, target] - others, -12.0, _ENOUGH))


class _Search:
    """The search for one sign: what is covered at most, what has been found so far."""

    def __init__(self, class_id: int, judge: AttackedClassifier, rng: random.Random, area: float) -> None:
        self._class_id, self._judge, self._rng, self._area = class_id, judge, rng, area
        self._largest = 0.75 * math.sqrt(area)
        self._face = face_picture(class_id, _WORK_PX)
        self._inside = room(self._face)
        self._views = [view_of(size, rng) for size in _SIZES]

    def _scores(self, sticker: Sticker, views: Sequence[View]) -> Scores | None:
        picture, area = painted(self._face, sticker, self._inside)
        return self._judge.log_probabilities(picture, views) if area <= self._area else None

    def start(self) -> tuple[Sticker, int]:
        """The most promising of random stickers, and the wrong class that it comes nearest to."""
        best: tuple[float, Sticker, int] | None = None
        views = self._views[1::4]
        for _ in range(_STARTS):
            sticker = tuple(_random_patch(self._rng, self._largest) for _ in range(self._rng.randint(2, 6)))
            scores = self._scores(sticker, views)
            if scores is None:
                continue
            means = scores.mean(axis=0)
            means[self._class_id] = -np.inf
            means[len(CLASS_NAMES) :] = -np.inf  # a sticker that makes the classifier refuse the sign is not wanted
            target = int(means.argmax())
            gain = float(_gains(scores, target).mean())
            if best is None or gain > best[0]:
                best = gain, sticker, target
        if best is None:
            raise StickerFailedError("no patch of a sticker is small enough", "try another seed")
        return best[1], best[2]

    def climb(self, sticker: Sticker, target: int, budget: int) -> tuple[Sticker, float]:
        """Evolves the sticker until every view is won or the budget is spent; returns it and its mean gain."""
        end = self._judge.answers + budget
        order = list(range(len(self._views)))
        scores = self._scores(sticker, self._views)
        if scores is None:
            raise StickerFailedError("the sticker is too large", "try another seed")
        best = _gains(scores, target)
        while self._judge.answers < end and best.min() < _ENOUGH * 0.8:
            progress = 1 - (end - self._judge.answers) / budget
            candidate = _mutated(sticker, self._rng, 0.14 * (1 - progress) + 0.03, self._largest)
            self._rng.shuffle(order)
            gains = self._try(candidate, target, order, best)
            if gains is not None:
                sticker, best = candidate, gains
        return sticker, float(best.mean())

    def _try(self, candidate: Sticker, target: int, order: list[int], best: Scores) -> Scores | None:
        """The candidate's gains if it is no worse than the best so far; a few views decide whether to look at all."""
        first, rest = order[:4], order[4:]
        scores = self._scores(candidate, [self._views[index] for index in first])
        if scores is None:
            return None
        gains = np.empty_like(best)
        gains[first] = _gains(scores, target)
        if gains[first].mean() < best[first].mean() - 0.5:
            return None
        picture, _ = painted(self._face, candidate, self._inside)
        gains[rest] = _gains(self._judge.log_probabilities(picture, [self._views[index] for index in rest]), target)
        return gains if gains.mean() >= best.mean() else None


def measure(
    face: Image, class_id: int, target: int, judge: AttackedClassifier, rng: random.Random
) -> tuple[float, float]:
    """Shares of fresh views along an approach that show a wrong class, and that show the target class."""
    camera = Camera()
    steps = int((SEEN_FROM_M - _NEAREST_M) / camera.step)
    distances = [SEEN_FROM_M - camera.step * index for index in range(steps)]
    views = [view_of(camera.size_px(FACE_M, distance), rng) for distance in distances for _ in range(3)]
    classes = judge.log_probabilities(face, views).argmax(axis=1)
    return float((classes != class_id).mean()), float((classes == target).mean())


def make(class_id: int, judge: AttackedClassifier, rng: random.Random, size: int) -> tuple[Image, Report]:
    """A stickered face that the judge stably takes for another class.

    Args:
        class_id: the sign's true class.
        judge: the shipped classifier.
        rng: the source of chance.
        size: side of the finished picture in pixels.

    Returns:
        the face as uint8 BGRA (not premultiplied), size x size, and how well it fools.

    Raises:
        StickerFailedError: the budget is spent and the best sticker is not believed in half of the views.
    """
    plain = face_picture(class_id, size)
    inside = room(plain)
    best: tuple[Image, Report] | None = None
    for number, area in enumerate(_AREAS):
        search = _Search(class_id, judge, rng, area)
        sticker, target = search.start()
        budget = (_BUDGET - judge.answers) // (len(_AREAS) - number)
        sticker, _ = search.climb(sticker, target, budget)
        face, covered = painted(plain, sticker, inside)
        fooled, as_target = measure(face, class_id, target, judge, rng)
        report = Report(target, covered, fooled, as_target, len(sticker), judge.answers)
        if best is None or as_target > best[1].as_target:
            best = face, report
        if as_target >= _GOOD:
            break
    if best is None or best[1].as_target < 0.5:
        raise StickerFailedError(
            f"no sticker was found for class {class_id} that the classifier believes", "try another seed"
        )
    return best
