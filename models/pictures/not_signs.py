"""Patches that the classifier learns as `not_a_sign`: backgrounds, what the detector mistakes for a sign, bags."""

from __future__ import annotations

import random
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from device.perception.classify import crop
from models.data.crops import PATCH_EXPAND, PATCH_SIZE
from models.data.source import Image
from models.pictures import rendered
from models.pictures.drawings import laid
from models.release.shipped import Shipped

Patches = NDArray[np.uint8]
"""N x 64 x 64 x 3, RGB."""

_SIZE = (PATCH_SIZE, PATCH_SIZE)
_SURE = 0.9
_TRIES = 50
"""Draws for each background patch that is wanted; on real frames about one in two is taken."""


def background_patches(frames: Sequence[Image], boxes: Sequence[NDArray[np.float32]], count: int, seed: int) -> Patches:
    """Patches that hold no labelled sign, `count` of them: what a false detection would hand to the classifier.

    Fewer, or none, where signs fill the frames.

    Args:
        frames: RGB frames.
        boxes: per frame, N x 4 corners of its labelled signs; patches that touch a sign are not taken.
    """
    rng = np.random.default_rng(seed)
    taken: list[Image] = []
    for _ in range(_TRIES * count):
        if len(taken) == count:
            break
        index = int(rng.integers(len(frames)))
        height, width = frames[index].shape[:2]
        side = float(np.exp(rng.uniform(np.log(14), np.log(160))))
        x, y = rng.uniform(0, width - side), rng.uniform(0, (height - side) * 0.8)
        left, top, right, bottom = boxes[index].T.reshape(4, -1)
        grown = PATCH_EXPAND * side
        touches = (left < x + grown) & (right > x - grown / 2) & (top < y + grown) & (bottom > y - grown / 2)
        if not touches.any():
            taken.append(crop(frames[index], (x, y, side, side), PATCH_EXPAND, _SIZE))
    return np.stack(taken) if taken else np.zeros((0, *_SIZE, 3), np.uint8)


def false_detections(models: Shipped, frames: Sequence[Image], boxes: Sequence[NDArray[np.float32]]) -> Patches:
    """What the detector finds in training frames where there is no labelled sign; signs outside the 43 classes too.

    What the given classifier is 90 % sure to know is left out: GTSDB leaves some signs of the 43 without a box.
    """
    taken: list[Image] = []
    for frame, truth in zip(
        tqdm(frames, desc="false detections", unit="frame", mininterval=2, disable=None), boxes, strict=True
    ):
        picture = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), np.uint8)
        for x, y, w, h, _ in models.detector(picture):
            left, top, right, bottom = truth.T.reshape(4, -1)
            if not ((left < x + w) & (right > x) & (top < y + h) & (bottom > y)).any():
                (seen,) = models.classifier(picture, [(x, y, w, h)])
                if seen.probability < _SURE:
                    taken.append(crop(frame, (x, y, w, h), PATCH_EXPAND, _SIZE))
    return np.stack(taken) if taken else np.zeros((0, *_SIZE, 3), np.uint8)


def bags(grounds: Patches, count: int, seed: int) -> Patches:
    """The rig's bags over a sign's face, on background patches; none where the rig is not installed."""
    if not rendered.available():
        return np.zeros((0, *_SIZE, 3), np.uint8)
    from hardware.rig.covering import bag

    rng = random.Random(seed)
    pictures = [np.asarray(cv2.cvtColor(bag(128, rng), cv2.COLOR_BGRA2RGBA), np.uint8) for _ in range(30)]
    return laid(pictures, grounds, np.arange(count) % len(pictures), np.random.default_rng(seed))
