"""Training samples of the classifier: patches around signs, warped, relit and degraded."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from tqdm import tqdm

from device.perception.classify import crop, evened
from models.data import gtsrb
from models.data.gtsrb import Crop
from models.data.source import DataSet, Image
from models.pictures import augment

CROP_EXPAND = 1.2
"""The run-time crop: the detector's box, 1.2 times as wide and high about its centre."""

PATCH_EXPAND = 1.5
PATCH_SIZE = 64
INPUT_SIZE = 48
_SHARE = CROP_EXPAND / PATCH_EXPAND * PATCH_SIZE  # pixels of a patch that the run-time crop covers


def load_patches(source: DataSet, rows: Sequence[Crop], expand: float, size: int) -> NDArray[np.uint8]:
    """Decodes all rows to patches: N x size x size x 3, RGB, the ROI expanded by `expand`."""
    patches = np.empty((len(rows), size, size, 3), np.uint8)
    for index, row in enumerate(tqdm(rows, desc="decode crops", unit="crop", mininterval=2, disable=None)):
        left, top, right, bottom = row.box
        patches[index] = crop(gtsrb.image(source, row), (left, top, right - left, bottom - top), expand, (size, size))
    return patches


def as_cropped(patch: Image) -> Image:
    """The part of a patch (PATCH_SIZE a side) that the run-time crop shows, at the classifier's input size."""
    margin = round((PATCH_SIZE - _SHARE) / 2)
    inner = patch[margin : PATCH_SIZE - margin, margin : PATCH_SIZE - margin]
    return np.asarray(cv2.resize(inner, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA), np.uint8)


def sample(patch: Image, rng: Generator, hard: bool = False) -> Image:
    """A training input (48 x 48) from a patch (64 x 64): pose, box noise, light, weather, distance, blur, noise, codec.

    `hard` is for drawings: they are all alike, so they are bent and relit more.
    """
    more = 1.5 if hard else 1.0
    result = _pose(patch, rng, more)
    if rng.random() < 0.9:
        result = augment.light(result, rng)
    if rng.random() < 0.15 * more:
        result = augment.shadow(result, rng)
    if rng.random() < 0.04:
        result = augment.weather(result, rng)
    if rng.random() < 0.06:
        result = _covered(result, rng)
    if rng.random() < 0.15:
        result = augment.sharpened(result, rng)
    if rng.random() < 0.35:
        result = augment.far(result, rng, 11, 34)
    elif rng.random() < 0.15:
        result = augment.small_video(result, rng, 20, 44)
    if rng.random() < 0.3:
        result = augment.blur(result, rng, 1.6)
    if rng.random() < 0.4:
        result = augment.noise(result, rng)
    if rng.random() < 0.3:
        result = augment.compressed(result, rng)
    return evened(result)


def _covered(image: Image, rng: Generator) -> Image:
    """A leaf, a post or a smear over up to an eighth of the crop, in a colour of the crop itself."""
    height, width = image.shape[:2]
    w, h = rng.uniform(0.08, 0.35, 2) * (width, height)
    x, y = rng.uniform(0, 1, 2) * (width - w, height - h)
    colour = image[int(rng.integers(height)), int(rng.integers(width))].tolist()
    covered = image.copy()
    box = ((float(x + w / 2), float(y + h / 2)), (float(w), float(h)), float(rng.uniform(0, 180)))
    cv2.fillConvexPoly(covered, np.round(cv2.boxPoints(box)).astype(np.int32), colour, cv2.LINE_AA)
    return np.asarray(covered, np.uint8)


def _pose(patch: Image, rng: Generator, more: float) -> Image:
    """Perspective from turned corners, plus the detector's error in place (sigma 4 %) and size (-21 to +27 %)."""
    half_w, half_h = _SHARE / 2 * rng.uniform(0.85, 1.18, 2) * rng.uniform(0.93, 1.08)
    angle = np.deg2rad(np.clip(rng.normal(0, 5 * more), -22, 22))
    centre = PATCH_SIZE / 2 + rng.normal(0, 0.04, 2) * _SHARE
    square = np.array([[-half_w, -half_h], [half_w, -half_h], [half_w, half_h], [-half_w, half_h]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = (square @ turn.T + centre + rng.normal(0, 1.0 * more, (4, 2))).astype(np.float32)
    side = INPUT_SIZE
    target = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    warped = cv2.warpPerspective(patch, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)
