"""A grey bag that hides a sign's face: pulled over it, tied below."""

from __future__ import annotations

import random

import cv2
import numpy as np

from hardware.rig.backdrop import fractal
from hardware.signs.shapes import Image

_GREY = (140, 136, 132)
_FOLD = 34.0


def bag(size: int, rng: random.Random) -> Image:
    """A bag as the face's picture: uint8 BGRA, not premultiplied; creased, of no sign's shape."""
    noise = np.random.default_rng(rng.getrandbits(32))
    knots = ((0.06, 0.1), (0.3, 0.02), (0.68, 0.05), (0.95, 0.13), (0.99, 0.55), (0.9, 0.86), (0.6, 0.93), (0.56, 1.0))
    outline = knots + tuple((1 - x, y) for x, y in ((0.56, 1.0), (0.6, 0.93))) + ((0.12, 0.9), (0.01, 0.5))
    wobble = np.array([(x + rng.uniform(-0.02, 0.02), y) for x, y in outline])
    polygon = np.rint(np.clip(wobble, 0, 1) * (size - 1) * 16).astype(np.int32)
    alpha = np.zeros((size, size), np.uint8)
    cv2.fillPoly(alpha, [polygon], 255, cv2.LINE_AA, 4)
    pleats = fractal(noise, max(size // 4, 8), size, size // 4, 3)  # four times as long as they are wide
    creases = np.abs(cv2.resize(pleats, (size, size), interpolation=cv2.INTER_LINEAR) - 0.5)
    slope = np.linspace(12, -18, size, dtype=np.float32)[:, None]
    shade = slope + _FOLD * np.clip(creases * 4, 0, 1) ** 0.7 - _FOLD / 2
    colour = np.clip(np.array(_GREY, np.float32) + shade[:, :, None], 0, 255).astype(np.uint8)
    return np.dstack([colour, alpha])
