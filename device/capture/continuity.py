"""Whether a picture goes on from the one before it: what tells joined clips of one drive from clips of two places.

Where time stamps begin again nobody says how long the pause was. If the picture goes on there as it did from frame to
frame before, there was none. The measure is coarse on purpose: a pause that is not noticed would make an honest sign
look misplaced, one that is seen where none was costs only the place.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from device.capture.turn import Pixels

_REMEMBERED: Final = 15  # frames
_LEAST_REMEMBERED: Final = 3
_ROOM: Final = (
    1.1  # of the largest change among those; measured on four drives, where the next frame is within 1.0 (p90)
)
_STRIDE: Final = 16


class Continuity:
    """The newest picture of a stream as a coarse sample, and how much it changed from frame to frame lately."""

    def __init__(self) -> None:
        self._sample: npt.NDArray[np.int16] | None = None
        self._changes: deque[float] = deque(maxlen=_REMEMBERED)

    def goes_on(self, picture: Pixels) -> bool:
        """Take the next picture; whether it differs from the one before no more than pictures did lately."""
        sample = picture[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE, 1].astype(np.int16)
        before, self._sample = self._sample, sample
        if before is None or before.shape != sample.shape or sample.size == 0:
            self._changes.clear()
            return False
        change = float(np.abs(sample - before).mean())
        usual = len(self._changes) >= _LEAST_REMEMBERED and change <= _ROOM * max(self._changes)
        self._changes.append(change)
        return usual
