"""One QR symbol as a decoder found it, and where it lies in the frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Quad = NDArray[np.float64]
"""Four corners (x, y) in order round the symbol, pixels; without the quiet zone. The first is the symbol's own top left
where its decoder tells (`Symbol.quarters`)."""
DecoderName = Literal["zbar", "zxing"]

SIGN_CODE_MODULES = 45
"""Modules a side of a sign code (QR version 7), for a decoder that does not tell."""


@dataclass(frozen=True, eq=False)
class Symbol:
    """One symbol. `data` is None where the symbol was found and cannot be decoded.

    `modules`: modules a side. `grid`: which modules the decoder saw dark, modules x modules, None where it does not
    tell. `level`, `mask`: the symbol's error correction level and mask, "" and -1 where the decoder does not tell.
    `inverted`: printed light on dark; the grid is as if it were dark on light.
    """

    quad: Quad
    data: bytes | None
    decoder: DecoderName
    modules: int = SIGN_CODE_MODULES
    grid: NDArray[np.bool_] | None = None
    level: str = ""
    mask: int = -1
    inverted: bool = False

    @property
    def quarters(self) -> int:
        """How many quarter turns clockwise the symbol lies from upright; 0 where its decoder does not tell.

        Of a code on a panel below its sign the picture lies as much: a camera may hang upside down.
        """
        if self.decoder != "zxing":
            return 0
        right, down = self.quad[1] - self.quad[0]
        return round(math.atan2(down, right) / (math.pi / 2)) % 4

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y, width, height of the upright rectangle around it."""
        left, top = self.quad.min(axis=0)
        right, bottom = self.quad.max(axis=0)
        return float(left), float(top), float(right - left), float(bottom - top)

    @property
    def sides(self) -> NDArray[np.float64]:
        """The lengths of the four sides, pixels."""
        return np.asarray(np.linalg.norm(self.quad - np.roll(self.quad, -1, axis=0), axis=1))

    @property
    def module_px(self) -> float:
        """The mean width of a module, pixels."""
        return float(self.sides.mean()) / self.modules

    def placed(self, scale: float, left: float, top: float) -> Symbol:
        """The same symbol in frame pixels, found in a crop at (left, top) that was enlarged by `scale`."""
        return replace(self, quad=self.quad / scale + np.array([left, top]))

    def covers(self, other: Symbol) -> bool:
        """True where the two are the same symbol: half of the smaller lies in the larger."""
        x, y, w, h = self.box
        u, v, a, b = other.box
        width, height = min(x + w, u + a) - max(x, u), min(y + h, v + b) - max(y, v)
        return width > 0 and height > 0 and width * height >= 0.5 * min(w * h, a * b)


def quad_of(corners: Any) -> Quad:
    """Four (x, y) pairs as an array."""
    return np.asarray(corners, np.float64).reshape(4, 2)
