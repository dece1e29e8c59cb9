"""A decoded frame as every player shows it: right colours, square pixels, upright, as BGR in a slot of the ring.

Colour range, bit depth and most matrices FFmpeg's scaler reads from the frame itself. What a frame leaves open is taken
as players take it: BT.709 from 577 rows or 1280 columns on, BT.601 below. A matrix that the scaler does not know is
read as BT.709, and a high dynamic range is shown as if it were the usual one: flat, but with its shapes and codes.
Where the two fields of an interlaced frame were taken at two moments one of them is left out: half the rows, no combs.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.reformatter import Colorspace, VideoReformatter

from device.capture import turn
from device.capture.turn import Pixels, Turn
from device.channel.ring import MAX_HEIGHT, MAX_WIDTH

Slot = Callable[[int, int], Pixels]
"""Gives the ring's next free slot for (width, height): uint8 [height, width, 3] to be filled with BGR pixels."""

SQUARE: Final = Fraction(1)
_MOST_STRETCHED: Final = 4
_FULL_HD_ROWS, _FULL_HD_COLUMNS = 577, 1280
_COMBED: Final = 0.7  # measured: real drives stay below 0.67, with every other row of the next frame most are above
_UNSPECIFIED: Final = 2
_KNOWN: Final = frozenset({0, 1, 4, 5, 6, 7, 9})
"""The matrices of ITU-T H.273 that the scaler knows: RGB, BT.709, FCC, BT.601 twice, SMPTE 240M, BT.2020."""


class Painter:
    """Writes frames into slots. Keeps one scaler, which is made anew only where the kind of frame changes."""

    def __init__(self, mount: Turn) -> None:
        self._mount = mount
        self._scaler = VideoReformatter()

    def paint(self, frame: av.VideoFrame, aspect: Fraction, slot: Slot) -> Pixels | None:
        """Write the frame into the next slot as it is shown; gives what was written.

        None: its pixels are of a kind that cannot be read, and no slot was taken.

        Args:
            aspect: width to height of a stored pixel.
        """
        way = turn_of(frame).then(self._mount)
        width, height = shown_size(frame.width, frame.height, aspect, way)
        try:
            bgr = self._scaler.reformat(
                frame, width, height, format="bgr24", src_colorspace=matrix_of(frame), threads=1
            )
        except (av.FFmpegError, OSError, ValueError):
            return None
        plane = bgr.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
        picture = rows[:, : width * 3].reshape(height, width, 3)
        if frame.interlaced_frame and is_combed(picture):
            picture = np.asarray(cv2.resize(picture[::2], (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        shown = slot(*way.size(width, height))
        way.write(picture, shown)
        return shown


def turn_of(frame: av.VideoFrame) -> Turn:
    """How the file wants this frame to be laid."""
    try:
        matrix: object = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know each kind of side data that FFmpeg does: EXIF
        return turn.of_angle(frame.rotation)
    return turn.of_matrix(bytes(matrix)) if isinstance(matrix, SideData) else turn.UPRIGHT


def matrix_of(frame: av.VideoFrame) -> Colorspace | None:
    """The matrix to read the frame's colours by; None: as the frame itself says."""
    if frame.colorspace == _UNSPECIFIED:
        high = frame.height >= _FULL_HD_ROWS or frame.width >= _FULL_HD_COLUMNS
        return Colorspace.ITU709 if high else Colorspace.ITU601
    return None if frame.colorspace in _KNOWN else Colorspace.ITU709


def is_combed(picture: Pixels) -> bool:
    """Whether every other row is of another moment: it then differs more from its neighbours than they from each other.

    Many recordings are marked as interlaced and are not: they would lose half their rows for nothing.
    """
    sample = picture[: picture.shape[0] // 2 * 2, ::8, 1].astype(np.int16)
    if len(sample) < 4:
        return False
    upper, other, lower = sample[0:-2:2], sample[1:-1:2], sample[2::2]
    between = np.abs(2 * other - upper - lower).mean() / 2
    return bool(between > _COMBED * np.abs(lower - upper).mean())


def shown_size(width: int, height: int, aspect: Fraction, way: Turn) -> tuple[int, int]:
    """Width and height before the turn, with square pixels: stretched, never shrunk, unless no slot would hold it.

    An aspect beyond 4 to 1 is no aspect.
    """
    wide, high = Fraction(width), Fraction(height)
    if SQUARE < aspect <= _MOST_STRETCHED:
        wide *= aspect
    elif Fraction(1, _MOST_STRETCHED) <= aspect < SQUARE:
        high /= aspect
    most_wide, most_high = way.size(MAX_WIDTH, MAX_HEIGHT)
    fit = min(SQUARE, most_wide / wide, most_high / high)
    return max(1, round(wide * fit)), max(1, round(high * fit))
