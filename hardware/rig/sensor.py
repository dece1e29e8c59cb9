"""What the sensor makes of a scene: exposure that drifts a little, and noise."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np

from hardware.signs.shapes import Image

_ROLL = 96
_LUMA_NOISE = 1.3
_CHROMA_NOISE = 0.7


class Sensor:
    """Turns BGR frames into the planes that the encoder takes.

    The noise is one precomputed tile, laid over each frame at a place drawn at random.

    Args:
        width, height: of the frames, both even.
        seed: of noise and exposure.
    """

    def __init__(self, width: int, height: int, seed: int) -> None:
        noise = np.random.default_rng(seed)
        self._rng = random.Random(seed)
        self._size = width, height
        luma = noise.standard_normal((height + _ROLL, width + _ROLL), np.float32) * _LUMA_NOISE
        chroma = noise.standard_normal((height // 2 + _ROLL, width // 2 + _ROLL), np.float32) * _CHROMA_NOISE
        self._luma = np.rint(luma + 128).astype(np.uint8)
        self._chroma = np.rint(chroma + 128).astype(np.uint8)
        self._phase = self._rng.uniform(0, math.tau)

    def gain(self, frame: int) -> float:
        """The exposure's factor at a frame: a slow drift of a tenth, as clouds and shade make it."""
        return 1.0 + 0.07 * math.sin(frame / 31 + self._phase) + 0.04 * math.sin(frame / 9.7 + 2 * self._phase)

    def expose(self, picture: Image, frame: int) -> Image:
        """uint8 BGR, height x width x 3 -> I420 planes, height * 3 / 2 x width (BT.601, limited range)."""
        width, height = self._size
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
        gain = self.gain(frame)
        luma = planes[:height]
        cv2.addWeighted(luma, gain, self._roll(self._luma, width, height), 1.0, -128 - 16 * (gain - 1), dst=luma)
        quarter = width * height // 4
        for index in range(2):
            flat = planes.reshape(-1)[height * width + index * quarter :][:quarter]
            chroma = flat.reshape(height // 2, width // 2)
            cv2.addWeighted(chroma, 1.0, self._roll(self._chroma, width // 2, height // 2), 1.0, -128, dst=chroma)
        return planes

    def _roll(self, tile: Image, width: int, height: int) -> Image:
        top, left = self._rng.randrange(_ROLL), self._rng.randrange(_ROLL)
        return tile[top : top + height, left : left + width]
