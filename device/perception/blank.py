"""Whether a picture shows anything new: one that is all of one grey shows no way, nor does the same picture again.

A camera that is covered, a film that begins in black and a stream that stands still on one frame look like an empty
road, and an empty road is evidence that a sign is missing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from device.perception.detect import Image

FLAT: Final = 3.0
"""Grey levels, standard deviation: real pictures have 40, and those at night ten."""
CHANGES: Final = 2
"""Grey levels by which a pixel changes that changes at all..."""
UNCHANGED_SHARE: Final = 0.005
"""...and the share of pixels that may: a clock that is laid over the picture runs on. From frame to frame of three real
drives a twentieth of them changes and more, unless the vehicle stands."""
_STRIDE: Final = 16


class BlankCheck:
    """Compares each picture with the one before it."""

    def __init__(self) -> None:
        self._before: npt.NDArray[np.int16] | None = None

    def __call__(self, picture: Image) -> bool:
        """Take the next BGR picture, uint8 [height, width, 3]; whether it shows nothing new."""
        sample = picture[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE, 1].astype(np.int16)
        before, self._before = self._before, sample
        if sample.size and float(sample.std()) < FLAT:
            return True
        if sample.size == 0 or before is None or before.shape != sample.shape:
            return False
        return float((np.abs(sample - before) > CHANGES).mean()) < UNCHANGED_SHARE
