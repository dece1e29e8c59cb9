"""Pictures to paste into road scenes: signs cut out by their outline, drawings, and panels that are not signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import segno
from numpy.random import Generator
from numpy.typing import NDArray

from models.classes import Shape, shape_of
from models.data.source import Image

Cutout = NDArray[np.uint8]
"""RGBA, height x width x 4, alpha 0..255."""

SIDE = 64


@dataclass(frozen=True)
class Cutouts:
    """Cut-out signs (N RGBA pictures), the largest side in pixels at which each still looks real (N), classes (N)."""

    pictures: Sequence[Cutout]
    largest: NDArray[np.float32]
    kinds: NDArray[np.int64]


@cache
def outline(shape: Shape) -> NDArray[np.uint8]:
    """Alpha mask (SIDE x SIDE) of an upright sign that fills its box, with a soft edge."""
    big = 4 * SIDE
    mask = np.zeros((big, big), np.uint8)
    corners = {
        "triangle": [(0.5, 0.0), (1.0, 1.0), (0.0, 1.0)],
        "yield": [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)],
        "diamond": [(0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)],
        "octagon": [(0.29, 0), (0.71, 0), (1, 0.29), (1, 0.71), (0.71, 1), (0.29, 1), (0, 0.71), (0, 0.29)],
    }
    if shape == "circle":
        cv2.circle(mask, (big // 2, big // 2), big // 2 - 2, 255, -1)
    else:
        cv2.fillPoly(mask, [np.round(np.array(corners[shape]) * (big - 1)).astype(np.int32)], 255)
        mask = cv2.erode(mask, np.ones((5, 5), np.uint8))
    return np.asarray(
        cv2.GaussianBlur(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA), (3, 3), 0), np.uint8
    )


def cut(patch: Image, class_id: int) -> Cutout:
    """An RGB patch (SIDE x SIDE, the sign's tight box) with the outline of its class as alpha."""
    return np.dstack([patch, outline(shape_of(class_id))])


def code_panels(count: int, seed: int) -> list[Cutout]:
    """White panels with a QR code, some with a line of text above it: they stand below signs and are not signs."""
    rng = np.random.default_rng(seed)
    panels = []
    for _ in range(count):
        content = rng.bytes(int(rng.integers(8, 260)))
        modules = np.array(
            [list(row) for row in segno.make_qr(content, error="lmqh"[rng.integers(4)]).matrix], np.uint8
        )
        quiet = int(rng.integers(2, 7))
        image = np.pad(np.where(modules > 0, 25, 240).astype(np.uint8), quiet, constant_values=240)
        image = cv2.resize(image, (192, 192), interpolation=cv2.INTER_NEAREST)
        if rng.random() < 0.4:
            image = np.vstack([np.full((24, 192), 240, np.uint8), image])
            cv2.putText(image, str(rng.integers(10**9)), (20, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 30, 2)
        if rng.random() < 0.4:
            cv2.rectangle(image, (0, 0), (image.shape[1] - 1, image.shape[0] - 1), 40, int(rng.integers(1, 5)))
        panels.append(np.dstack([image] * 3 + [np.full_like(image, 255)]))
    return panels


def plain_panels(count: int, seed: int) -> list[Cutout]:
    """Plates, number plates, lights, backs of signs: coloured or grey shapes that hold no sign."""
    rng = np.random.default_rng(seed)
    colours = [
        (200, 30, 30),
        (240, 200, 20),
        (30, 60, 180),
        (240, 240, 240),
        (120, 120, 120),
        (30, 120, 60),
        (230, 120, 20),
    ]
    panels = []
    for _ in range(count):
        wide = int(rng.integers(64, 200))
        image = np.full((96, wide, 3), colours[rng.integers(len(colours))], np.uint8)
        ink = tuple(int(255 - v) if rng.random() < 0.5 else 20 for v in image[0, 0])
        for line in range(int(rng.integers(0, 3))):
            text = "".join(chr(65 + int(c)) for c in rng.integers(0, 26, 8))
            cv2.putText(image, text, (4, 35 + 30 * line), cv2.FONT_HERSHEY_SIMPLEX, wide / 170, ink, 2)
        alpha = np.full(image.shape[:2], 255, np.uint8)
        if rng.random() < 0.25:  # a disc of one colour: a lamp, or the back of a round sign
            image[:] = colours[rng.integers(len(colours))]
            alpha[:] = cv2.resize(outline("circle"), (wide, 96))
        panels.append(np.dstack([image, alpha]))
    return panels


def paste(
    canvas: Image, picture: Cutout, box: tuple[float, float, float, float], rng: Generator
) -> NDArray[np.float32]:
    """Blends a picture into the canvas at about `box` (x, y, width, height), its corners moved by up to 5 % per axis.

    Returns:
        the corners left, top, right, bottom of what is opaque, clipped to the canvas; an empty box if nothing is.
    """
    x, y, w, h = box
    left, top = int(np.floor(x - 0.12 * w)), int(np.floor(y - 0.12 * h))
    shape = int(np.ceil(1.24 * w)) + 2, int(np.ceil(1.24 * h)) + 2
    high, wide = picture.shape[:2]
    start = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    end = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32) - (left, top)
    end += (rng.uniform(-0.05, 0.05, (4, 2)) * (w, h)).astype(np.float32)
    source = picture
    shrink = min(wide / w, high / h)
    if shrink > 2:  # or the warp would alias
        source = cv2.resize(picture, None, fx=1.5 / shrink, fy=1.5 / shrink, interpolation=cv2.INTER_AREA)
        start *= np.array([source.shape[1] / wide, source.shape[0] / high], np.float32)
    matrix = cv2.getPerspectiveTransform(start, end.astype(np.float32))
    warped = cv2.warpPerspective(source, matrix, shape, flags=cv2.INTER_LINEAR)
    height, width = canvas.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + shape[0], width), min(top + shape[1], height)
    if x1 <= x0 or y1 <= y0:
        return np.zeros(4, np.float32)
    part = warped[y0 - top : y1 - top, x0 - left : x1 - left]
    alpha = part[:, :, 3:].astype(np.float32) / 255
    ground = canvas[y0:y1, x0:x1]
    ground[:] = (part[:, :, :3] * alpha + ground * (1 - alpha) + 0.5).astype(np.uint8)
    rows, columns = np.nonzero(part[:, :, 3] > 127)
    if rows.size == 0:
        return np.zeros(4, np.float32)
    return np.array([x0 + columns.min(), y0 + rows.min(), x0 + columns.max() + 1, y0 + rows.max() + 1], np.float32)
