"""Pictures with premultiplied alpha: making them, their halved copies, and laying them over a frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.signs.shapes import Image


def premultiplied(colour: Image, alpha: Image) -> Image:
    """BGR (H x W x 3) and alpha (H x W), both uint8, as one premultiplied BGRA picture."""
    wide = alpha.astype(np.uint16)[:, :, None]
    return np.dstack([(colour * wide // 255).astype(np.uint8), alpha])


def pyramid(picture: Image, smallest: int = 8) -> list[Image]:
    """The picture and its halvings, down to `smallest` pixels on the shorter side (each level averages 2 x 2)."""
    levels = [picture]
    while min(levels[-1].shape[:2]) >= 2 * smallest:
        height, width = levels[-1].shape[:2]
        size = (width + 1) // 2, (height + 1) // 2
        levels.append(np.asarray(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA), np.uint8))
    return levels


def level_for(levels: list[Image], shrink: float) -> int:
    """The level to sample when the picture appears `shrink` times smaller than it is: never finer than half a pixel."""
    exact = int(np.floor(np.log2(max(shrink, 1.0)) + 0.25))
    return min(exact, len(levels) - 1)


def over(place: Image, picture: Image) -> None:
    """Lays a premultiplied BGRA picture over a part of a BGR frame of the same size, in place."""
    alpha = picture[:, :, 3]
    if not alpha.any():
        return
    rest = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2BGR)
    behind = cv2.multiply(place, rest, scale=1 / 255)
    cv2.add(behind, cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR), dst=behind)
    place[:] = behind


def clipped(bounds: NDArray[np.float64], width: int, height: int) -> tuple[int, int, int, int]:
    """The whole-pixel rectangle (left, top, right, bottom) around points (N x 2) within a frame; empty if outside."""
    left, top = np.floor(bounds.min(axis=0)).astype(int)
    right, bottom = np.ceil(bounds.max(axis=0)).astype(int) + 1
    left, top = max(int(left), 0), max(int(top), 0)
    return left, top, max(min(int(right), width), left), max(min(int(bottom), height), top)
