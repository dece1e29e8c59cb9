"""Which way up a picture is shown: one of the eight ways to lay it, and how it is written so into the ring.

Containers keep a display matrix (ISO/IEC 14496-12, `tkhd`): a point (x, y) of the stored picture is shown at
(a x + c y, b x + d y). What matters of it is the signs, where it is not turned by an angle between.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from device.capture.settings import Degrees, Flip

Pixels = npt.NDArray[np.uint8]

_MATRIX = struct.Struct("=9i")
_UPRIGHT_WITHIN = math.radians(1.0)  # as FFmpeg's tools have it


@dataclass(frozen=True)
class Turn:
    """Lays rows and columns over each other if `transposed`, then mirrors; `tilt` degrees clockwise before all that."""

    transposed: bool = False
    mirrored: bool = False  # left is right
    upside_down: bool = False  # top is bottom
    tilt: float = 0.0

    def then(self, later: Turn) -> Turn:
        """This turn and then a `later` one that has no tilt, as one."""
        mirrored, upside_down = self.mirrored, self.upside_down
        if later.transposed:
            mirrored, upside_down = upside_down, mirrored
        return replace(
            self,
            transposed=self.transposed != later.transposed,
            mirrored=mirrored != later.mirrored,
            upside_down=upside_down != later.upside_down,
        )

    def size(self, width: int, height: int) -> tuple[int, int]:
        """What a picture of this size is when turned."""
        return (height, width) if self.transposed else (width, height)

    def write(self, picture: Pixels, slot: Pixels) -> None:
        """Write the picture, turned, into a slot of the turned size: at most one pass over the pixels, but for a tilt.

        Args:
            picture: uint8 [height, width, 3]; rows may have a gap between them.
        """
        if self.tilt:
            height, width = picture.shape[:2]
            about = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -self.tilt, 1.0)
            picture = np.asarray(cv2.warpAffine(picture, about, (width, height)), np.uint8)
        _WAYS[self.transposed, self.mirrored, self.upside_down](picture, slot)


UPRIGHT = Turn()


def of_camera(degrees: Degrees, flip: Flip) -> Turn:
    """How the pictures of a camera that hangs so are laid: turned clockwise, then mirrored."""
    turned = {
        0: UPRIGHT,
        90: Turn(transposed=True, mirrored=True),
        180: Turn(mirrored=True, upside_down=True),
        270: Turn(transposed=True, upside_down=True),
    }[degrees]
    return turned.then(Turn(mirrored=flip == "horizontal", upside_down=flip == "vertical"))


def of_matrix(raw: bytes) -> Turn:
    """The turn that a display matrix of nine 32-bit numbers, as FFmpeg keeps it, asks for. If it has no sense: none."""
    if len(raw) < _MATRIX.size:
        return UPRIGHT
    a, b, _, c, d, *_ = _MATRIX.unpack_from(raw)
    if a * d == b * c:
        return UPRIGHT
    angle = math.atan2(b, a)  # clockwise, since y points down
    quarters = round(angle / (math.pi / 2))
    if abs(angle - quarters * math.pi / 2) > _UPRIGHT_WITHIN:
        return Turn(tilt=math.degrees(angle))
    if quarters % 2:
        return Turn(transposed=True, mirrored=c < 0, upside_down=b < 0)
    return Turn(mirrored=a < 0, upside_down=d < 0)


def of_angle(counterclockwise: int) -> Turn:
    """The turn by whole degrees counterclockwise, as FFmpeg tells it of a frame."""
    quarters = round(counterclockwise / 90)
    if abs(counterclockwise - 90 * quarters) > 1:
        return Turn(tilt=-float(counterclockwise))
    degrees: tuple[Degrees, ...] = (0, 270, 180, 90)
    return of_camera(degrees[quarters % 4], "none")


def _copied(picture: Pixels, slot: Pixels) -> None:
    np.copyto(slot, picture)


def _flipped(code: int) -> Callable[[Pixels, Pixels], None]:
    return lambda picture, slot: _into(slot, cv2.flip(picture, code, dst=slot))


def _rotated(code: int) -> Callable[[Pixels, Pixels], None]:
    return lambda picture, slot: _into(slot, cv2.rotate(picture, code, dst=slot))


def _transposed(picture: Pixels, slot: Pixels) -> None:
    _into(slot, cv2.transpose(picture, dst=slot))


def _transposed_about_the_other_diagonal(picture: Pixels, slot: Pixels) -> None:
    _transposed(cv2.flip(picture, -1), slot)


def _into(slot: Pixels, written: Any) -> None:
    """OpenCV makes an array of its own where the one that it is given does not fit it."""
    if written is not slot:
        np.copyto(slot, written)


_WAYS: dict[tuple[bool, bool, bool], Callable[[Pixels, Pixels], None]] = {
    # transposed, mirrored, upside down
    (False, False, False): _copied,
    (False, True, False): _flipped(1),
    (False, False, True): _flipped(0),
    (False, True, True): _flipped(-1),
    (True, False, False): _transposed,
    (True, True, False): _rotated(cv2.ROTATE_90_CLOCKWISE),
    (True, False, True): _rotated(cv2.ROTATE_90_COUNTERCLOCKWISE),
    (True, True, True): _transposed_about_the_other_diagonal,
}
