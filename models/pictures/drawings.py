"""The project's own sign drawings (`hardware.signs`), where that package is installed, as training material."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.classes import CLASS_NAMES
from models.data.crops import PATCH_EXPAND, PATCH_SIZE, sample
from models.data.source import Image

_POSTS, _SHADED, _VEILED = 0.5, 0.25, 0.25
"""Shares of the laid pictures that hang on a post, are in shade, and are seen through haze, glare or dirt."""

Draw = Callable[[int, int], NDArray[np.uint8]]
"""Class id and side in pixels -> RGBA, side x side x 4."""


def available() -> Draw | None:
    """The drawing function, or None where the package is not there."""
    if find_spec("hardware") is None or find_spec("hardware.signs") is None:
        return None
    draw: Draw = import_module("hardware.signs").draw
    return draw


def tight(drawing: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cuts the transparent margin off."""
    rows, columns = np.nonzero(drawing[:, :, 3] > 127)
    return drawing[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def over(drawing: NDArray[np.uint8], ground: Image) -> Image:
    """Lays an RGBA drawing over an RGB picture of the same size."""
    alpha = drawing[:, :, 3:].astype(np.float32) / 255
    return np.asarray(drawing[:, :, :3] * alpha + ground * (1 - alpha) + 0.5, np.uint8)


def laid(
    pictures: Sequence[NDArray[np.uint8]], grounds: NDArray[np.uint8], which: NDArray[np.int64], rng: Generator
) -> NDArray[np.uint8]:
    """Classifier patches (N x 64 x 64 x 3): RGBA picture `which[n]`, its margin cut off, on a random ground.

    Some are in shade, half of those and some others before a bright sky: a camera exposes for the sky and leaves the
    face dark. Some are behind a veil of light, and have little contrast.
    """
    inner = round(PATCH_SIZE / PATCH_EXPAND)
    faces = [cv2.resize(tight(picture), (inner, inner), interpolation=cv2.INTER_AREA) for picture in pictures]
    result = grounds[rng.integers(len(grounds), size=len(which))].copy()
    start = (PATCH_SIZE - inner) // 2
    for patch, index in zip(result, which, strict=True):
        square, face = patch[start : start + inner, start : start + inner], faces[index]
        shaded = rng.random() < _SHADED
        if rng.random() < (0.5 if shaded else 0.1):
            patch[:] = 255 - (255 - patch) * rng.uniform(0.1, 0.5)
        if rng.random() < _POSTS:
            _post(patch, rng)
        if shaded:
            face = face.copy()
            face[:, :, :3] = face[:, :, :3] * rng.uniform(0.25, 0.7)
        square[:] = over(face, square)
        if rng.random() < _VEILED:
            _veil(patch, rng)
    return result


def _post(patch: Image, rng: Generator) -> None:
    """A post from the middle down, now and then also up, a twentieth to a fifth of the patch wide."""
    side = len(patch)
    wide, middle = rng.uniform(0.05, 0.2) * side, side / 2 + rng.normal(0, 0.02) * side
    top = 0 if rng.random() < 0.25 else side // 2
    columns = slice(max(0, round(middle - wide / 2)), round(middle + wide / 2))
    patch[top:, columns] = rng.uniform(20, 190) + rng.normal(0, 6, 3)


def _veil(patch: Image, rng: Generator) -> None:
    """Light of one colour over everything: it takes 20 to 85 % of the contrast."""
    light = np.clip(rng.uniform(50, 235) + rng.normal(0, 6, 3), 0, 255)
    patch[:] = patch + (light - patch) * rng.uniform(0.2, 0.85)


def patches(
    draw: Draw, grounds: NDArray[np.uint8], count: int, rng: Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`count` classifier patches (N x 64 x 64 x 3) of drawings on background patches, and their classes."""
    labels = rng.permutation(np.arange(count) % len(CLASS_NAMES)).astype(np.int64)
    return laid([draw(c, 256) for c in range(len(CLASS_NAMES))], grounds, labels, rng), labels


def samples(
    draw: Draw, grounds: NDArray[np.uint8], count: int, rng: Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`count` classifier inputs (N x 48 x 48 x 3) of bent, relit and degraded drawings, and their classes."""
    drawn, labels = patches(draw, grounds, count, rng)
    return np.stack([sample(patch, rng, hard=True) for patch in drawn]), labels
