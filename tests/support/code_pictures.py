"""Pictures of code panels as a camera takes them: slanted, blurred, noisy, compressed, in front of something."""

from __future__ import annotations

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def modules(text: str | bytes, level: str = "m") -> NDArray[np.bool_]:
    """The modules of a text's symbol, True for dark."""
    code = segno.make(text, error=level, micro=False, boost_error=False)
    return np.array([[bool(module & 1) for module in row] for row in code.matrix])


def blot(symbol: NDArray[np.bool_], share: float, source: np.random.Generator) -> NDArray[np.bool_]:
    """The symbol with a round spot painted over; about half of its modules were of the other colour."""
    side = len(symbol)
    row, column = source.integers(14, side - 14, 2)
    far = (np.arange(side)[:, None] - row) ** 2 + (np.arange(side)[None] - column) ** 2
    painted = symbol.copy().ravel()
    painted[np.argsort(far.ravel(), kind="stable")[: int(2 * share * side * side)]] = bool(source.integers(0, 2))
    return painted.reshape(side, side)


def photograph(
    symbol: NDArray[np.bool_],
    module_px: float,
    source: np.random.Generator,
    *,
    size: tuple[int, int] = (432, 768),
    slant: float = 0.25,
    blur_px: float = 0.6,
    noise: float = 5.0,
    at: tuple[float, float] | None = None,
) -> Image:
    """A BGR frame of `size` (height, width) with the symbol's panel in it, `module_px` pixels a module."""
    height, width = size
    coarse = source.integers(60, 200, (height // 32, width // 32, 3), dtype=np.uint8)
    frame = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    panel = np.where(np.pad(symbol, 4), 26, 236).astype(np.uint8)
    large = cv2.resize(panel, None, fx=12, fy=12, interpolation=cv2.INTER_NEAREST)
    side, half = len(large), len(panel) * module_px / 2
    x, y = at or (width / 2, height / 2)
    narrow, lean = half * np.cos(slant), 0.05 * np.sin(slant)
    corners = [(-narrow, -half * (1 + lean)), (narrow, -half * (1 - lean))]
    corners += [(narrow, half * (1 - lean)), (-narrow, half * (1 + lean))]
    goal = np.array(corners, np.float32) + np.array([x, y], np.float32)
    start = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    warp = cv2.getPerspectiveTransform(start * 1.0, goal * 2.0)
    twice = (width * 2, height * 2)
    seen = cv2.resize(cv2.warpPerspective(large, warp, twice), (width, height), interpolation=cv2.INTER_AREA)
    mask = cv2.resize(cv2.warpPerspective(np.full_like(large, 255), warp, twice), (width, height))
    share = (mask.astype(np.float32) / 255)[:, :, None]
    frame = (frame * (1 - share) + seen[:, :, None] * share).astype(np.uint8)
    blurred = cv2.GaussianBlur(frame, (0, 0), blur_px)
    noisy = np.clip(blurred + source.normal(0, noise, blurred.shape), 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
