"""Training samples of the detector: pieces of road scenes at run-time scale, with pasted signs and pasted non-signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.classes import CLASS_NAMES
from models.data.source import Image
from models.pictures import augment
from models.pictures.paste import Cutout, Cutouts, paste

SIZE = 384

_SCALES = 0.45, 1.35
"""Of frames of 1360 x 800, which the operating points show at 0.84 (`far`) and 0.68 (`fast`)."""

_SMALLEST = 7.0
_PAIRS = ((19, 20), (33, 34), (36, 37), (38, 39))  # what a mirror turns into another class
_MIRRORED = np.arange(len(CLASS_NAMES) + 2)  # the last two entries keep their value: doubtful, and not known
_MIRRORED[-2:] = -2, -1
for _left, _right in _PAIRS:
    _MIRRORED[[_left, _right]] = _right, _left


@dataclass(frozen=True)
class Background:
    """Frames (RGB), the corners (N x 4 each) and classes (N each, -1 for not known) of their signs; `scale` brings them
    to the size of GTSDB's frames.

    `chances` weighs the frames' signs (all frames' in one row) as the middle of a sample; `share` is the share of
    the samples that show this ground. `mistaken` (N x 3: frame, x, y) are middles of what an earlier stage took for a
    sign by mistake: a fifth of this ground's samples show one of them. `doubtful` are the corners (N x 4 each) of signs
    without a label: nothing is learnt there.
    """

    frames: Sequence[Image]
    corners: Sequence[NDArray[np.float32]]
    kinds: Sequence[NDArray[np.int64]]
    chances: NDArray[np.float64]
    scale: float = 1.0
    share: float = 1.0
    mistaken: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    doubtful: Sequence[NDArray[np.float32]] = ()
    owners: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        owners = np.repeat(np.arange(len(self.corners)), [len(boxes) for boxes in self.corners])
        object.__setattr__(self, "owners", owners)


@dataclass(frozen=True)
class Extras:
    """What is pasted: photographed signs, drawn signs (may be empty) and panels that are not signs.

    `plain` is the share of samples that stay as the camera took them: nothing is pasted, nothing degraded.
    """

    signs: Cutouts
    drawings: Sequence[Cutout]
    panels: Sequence[Cutout]
    plain: float = 0.0


UNLABELLED = -2
"""The class of a doubtful sign."""

Boxes = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Corners (N x 4) and classes (N)."""

Sample = tuple[Image, NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]
"""Picture (SIZE x SIZE x 3), corners (N x 4) and classes (N) of its signs, and which of them are too small, cut off
or doubtful: not to learn."""


def sample(grounds: Sequence[Background], extras: Extras, rng: Generator) -> Sample:
    """Draws one sample."""
    chosen = int(rng.choice(len(grounds), p=[ground.share for ground in grounds]))
    image, (corners, kinds) = _piece(grounds[chosen], rng)
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        corners = np.stack([SIZE - corners[:, 2], corners[:, 1], SIZE - corners[:, 0], corners[:, 3]], 1)
        kinds = _MIRRORED[kinds]
    plain = rng.random() < extras.plain
    if not plain:
        corners, kinds = _with_pasted(image, corners, kinds, extras, rng)
    clipped = np.clip(corners, 0, SIZE)
    area = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    visible = np.prod(np.maximum(clipped[:, 2:] - clipped[:, :2], 0), axis=1) / np.maximum(area, 1e-6)
    kept = visible > 0.1
    side = (clipped[:, 2:] - clipped[:, :2]).min(1, initial=1e9)
    ignored = (visible < 0.65) | (side < _SMALLEST) | (kinds == UNLABELLED)
    return image if plain else _degraded(image, rng), clipped[kept].astype(np.float32), kinds[kept], ignored[kept]


def _piece(ground: Background, rng: Generator) -> tuple[Image, Boxes]:
    """A square of a frame at a jittered scale, in the middle or not of one of its signs."""
    scale = ground.scale * float(np.exp(rng.uniform(*np.log(_SCALES))))
    side = SIZE / scale
    index, middle = _subject(ground, rng)
    frame = ground.frames[index]
    boxes, kinds = ground.corners[index], ground.kinds[index]
    if len(ground.doubtful):
        boxes = np.concatenate([boxes, ground.doubtful[index]])
        kinds = np.concatenate([kinds, np.full(len(ground.doubtful[index]), UNLABELLED)])
    height, width = frame.shape[:2]
    if middle is not None:
        x, y = middle - side * rng.uniform(0.1, 0.9, 2)
    else:
        x, y = (rng.uniform(-0.1, max(room / side - 0.9, 0.1)) * side for room in (width, height))
    left, top, extent = round(float(x)), round(float(y)), round(side)
    image = np.full((extent, extent, 3), 114, np.uint8)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + extent, width), min(top + extent, height)
    if x1 > x0 and y1 > y0:
        image[y0 - top : y1 - top, x0 - left : x1 - left] = frame[y0:y1, x0:x1]
    method = cv2.INTER_AREA if scale < 1 and rng.random() < 0.5 else cv2.INTER_LINEAR
    scaled = cv2.resize(image, (SIZE, SIZE), interpolation=method)
    corners = (boxes - np.array([left, top, left, top], np.float32)) * np.float32(SIZE / extent)
    return np.asarray(scaled, np.uint8), (corners, kinds)


def _subject(ground: Background, rng: Generator) -> tuple[int, NDArray[np.float32] | None]:
    """Which frame, and the point (x, y) that the sample shows; None for anywhere."""
    what = rng.random()
    if what < 0.2 and len(ground.mistaken):
        frame, *middle = ground.mistaken[int(rng.integers(len(ground.mistaken)))]
        return int(frame), np.array(middle, np.float32)
    if what > 0.35 and len(ground.owners):
        chosen = int(rng.choice(len(ground.owners), p=ground.chances))
        index = int(ground.owners[chosen])
        box = ground.corners[index][chosen - int(np.searchsorted(ground.owners, index))]
        return index, (box[:2] + box[2:]) / 2
    return int(rng.integers(len(ground.frames))), None


def _with_pasted(
    image: Image, corners: NDArray[np.float32], kinds: NDArray[np.int64], extras: Extras, rng: Generator
) -> Boxes:
    boxes, classes = list(corners), kinds.tolist()
    for _ in range(int(rng.choice(4, p=[0.25, 0.3, 0.25, 0.2]))):
        w, h = np.exp(rng.uniform(np.log(10), np.log(150))) * np.exp(rng.normal(0, 0.06, 2))
        spot = _free_spot(boxes, w, h, rng)
        if spot is not None:
            picture, kind = _sign(extras, max(w, h), rng)
            classes.append(kind)
            boxes.append(paste(image, _relit(picture, rng), (*spot, w, h), rng))
            if rng.random() < 0.4:  # a panel below the sign, as the coded signs have
                wide = w * rng.uniform(0.6, 1.3)
                x, y = spot[0] + (w - wide) / 2, spot[1] + h * rng.uniform(1.03, 1.3)
                paste(image, _relit(_panel(extras, rng), rng), (x, y, wide, wide * rng.uniform(0.9, 1.2)), rng)
    if rng.random() < 0.3:
        w = float(np.exp(rng.uniform(np.log(10), np.log(140))))
        h = w * float(np.exp(rng.normal(-0.1, 0.3)))
        spot = _free_spot(boxes, w, h, rng)
        if spot is not None:
            paste(image, _relit(_panel(extras, rng), rng), (*spot, w, h), rng)
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int64)


def _panel(extras: Extras, rng: Generator) -> Cutout:
    return extras.panels[int(rng.integers(len(extras.panels)))]


def _sign(extras: Extras, side: float, rng: Generator) -> tuple[Cutout, int]:
    """A picture of a sign, and its class."""
    if extras.drawings and rng.random() < 0.3:
        kind = int(rng.integers(len(extras.drawings)))
        return extras.drawings[kind], kind
    fine = np.flatnonzero(extras.signs.largest >= side)
    chosen = int(rng.choice(fine) if len(fine) else extras.signs.largest.argmax())
    return extras.signs.pictures[chosen], int(extras.signs.kinds[chosen])


def _free_spot(boxes: Sequence[NDArray[np.float32]], w: float, h: float, rng: Generator) -> tuple[float, float] | None:
    """Where a w x h picture touches no sign: four tries."""
    for _ in range(4):
        x, y = rng.uniform(-0.2 * w, SIZE - 0.8 * w), rng.uniform(-0.2 * h, SIZE - 0.8 * h)
        if all(x > b[2] + 2 or x + w < b[0] - 2 or y > b[3] + 2 or y + h < b[1] - 2 for b in boxes):
            return float(x), float(y)
    return None


def _relit(picture: Cutout, rng: Generator) -> Cutout:
    if rng.random() < 0.3:
        return picture
    return np.dstack([augment.light(np.ascontiguousarray(picture[:, :, :3]), rng, 0.7), picture[:, :, 3]])


def _degraded(image: Image, rng: Generator) -> Image:
    if rng.random() < 0.8:
        image = augment.light(image, rng, 0.7)
    if rng.random() < 0.15:
        image = augment.weather(image, rng)
    if rng.random() < 0.12:
        image = augment.shadow(image, rng)
    if rng.random() < 0.2:
        image = augment.sharpened(image, rng)
    if rng.random() < 0.25:  # a small video, scaled up to the network's input
        image = augment.far(image, rng, SIZE * 2 // 5, SIZE * 9 // 10)
    elif rng.random() < 0.25:
        image = augment.blur(image, rng, 1.3)
    if rng.random() < 0.25:
        image = augment.noise(image, rng)
    if rng.random() < 0.25:
        image = augment.compressed(image, rng, 30)
    return image
