"""Frames of a folder of images, through OpenCV, which lays them as their EXIF says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from device.capture.errors import InputError
from device.capture.picture import Slot
from device.capture.stream import StreamFacts, StreamTally, Taken
from device.capture.turn import UPRIGHT, Pixels, Turn
from device.channel.damage import DamageName
from device.channel.ring import MAX_HEIGHT, MAX_WIDTH

_IMAGES = {".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".bmp", ".webp", ".tif", ".tiff"}
_MAX_BYTES: Final = 128 * 1024 * 1024
_TOO_LARGE: Final = "validateInputImageSize"
"""What refuses, in OpenCV, an image with more pixels than OPENCV_IO_MAX_IMAGE_PIXELS, before it takes memory for it."""
_JPEG: Final = b"\xff\xd8\xff"
_JPEG_END: Final = b"\xff\xd9"
_CLOCK_FROM: Final = 100_000
"""A number of six digits may be a time of day, whose seconds end at 59."""
_TAKEN_FPS: Final = 15.0
"""The rate that images are played at where nobody says one."""


class FolderSource:
    """A folder of frames, in the natural order of their names. Hidden files are no frames.

    Args:
        fps: the rate at which they were taken, as the user says; 0: nobody knows, and only the first has a time.
            Where numbers are missing among their names, so much time has passed.

    Raises InputError when it holds no image, or none that can be read.
    """

    def __init__(self, path: Path, fps: float, mount: Turn = UPRIGHT) -> None:
        self.tally, self.timed = StreamTally(), True
        self._rated, self._fps, self._mount = fps > 0, fps or _TAKEN_FPS, mount
        self.tally.facts |= {"time.unknown": 0}
        try:
            files = [p for p in path.iterdir() if p.suffix.lower() in _IMAGES and not p.name.startswith(".")]
        except OSError as error:
            raise InputError("folder_unreadable", error.errno or 0) from None
        self._files = sorted(files, key=_natural)
        if not self._files:
            raise InputError("folder_empty")
        first = self._first()
        width, height, milli_fps = first.shape[1], first.shape[0], round(self._fps * 1000)
        count = len(self._files)
        self._steps = numbered([path.name for path in self._files])
        self.tally.facts["time.missing"] = self._steps[-1] + 1 - count
        length_ms = self._t_ms(count - 1) if self._rated else 0
        self.facts = StreamFacts(
            count, width, height, milli_fps, 0, length_ms=length_ms, promised=count, unrated=not self._rated
        )

    def frames(self, slot: Slot, start: int) -> Iterator[Taken]:
        for number, file in enumerate(self._files):
            image = read(file)
            self.timed = self._rated or number == 0
            self.tally.facts["time.unknown"] += number >= start and not self.timed
            if not isinstance(image, str):
                width, height = self._mount.size(image.shape[1], image.shape[0])
                if width <= MAX_WIDTH and height <= MAX_HEIGHT:
                    if number >= start:
                        self._mount.write(image, slot(width, height))
                    yield number, self._t_ms(number) if number >= start else None
                    continue
                image = "frames_too_large"
            self.tally.damaged(image)
            yield number, None

    def _t_ms(self, number: int) -> int:
        return round(self._steps[number] * 1000.0 / self._fps)

    def _first(self) -> Pixels:
        """The first image that can be read: it says what the frames are like."""
        too_large = False
        for path in self._files:
            image = read(path)
            if not isinstance(image, str):
                return image
            too_large = too_large or image == "frames_too_large"
        raise InputError("images_too_large") if too_large else InputError("image_unreadable", 1)


def read(path: Path) -> Pixels | DamageName:
    """An image as it is shown, uint8 [height, width, 3], BGR; or what is wrong with it."""
    try:
        content = path.read_bytes() if path.is_file() and path.stat().st_size <= _MAX_BYTES else b""
    except OSError:  # opening a pipe would wait; a link may lead out of what is mounted here
        content = b""
    is_jpeg = content.startswith(_JPEG)
    if is_jpeg:
        content += _JPEG_END  # some writers leave it out, and OpenCV then gives nothing
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    except cv2.error as error:
        return "frames_too_large" if getattr(error, "func", "") == _TOO_LARGE else "images_unreadable"
    if is_jpeg and not _is_whole(content[: -len(_JPEG_END)]):
        return "images_incomplete"
    return "images_unreadable" if image is None else np.asarray(image, np.uint8)


def _is_whole(jpeg: bytes) -> bool:
    """Whether a JPEG is there to its end: OpenCV fills what is missing with grey, and says nothing.

    What FFmpeg does not know (lossless, twelve bits, arithmetic coding) counts as whole.
    """
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode", "lowres": "3", "skip_idct": "all"}
    decoder.thread_count = 1
    try:
        return bool(decoder.decode(av.Packet(jpeg)))
    except av.InvalidDataError:
        return False
    except av.FFmpegError:
        return True


def numbered(names: Sequence[str]) -> list[int]:
    """How many steps of the rate each image is after the first, by the numbers in the names; one each, where these tell
    no numbering.

    A numbering is one number that alone differs, and grows by the same most of the time and by a multiple elsewhere.
    """
    even = list(range(len(names)))
    parts = [re.split(r"(\d{1,18})", name) for name in names]
    if len({len(one) for one in parts}) != 1:
        return even
    differ = [at for at in range(len(parts[0])) if len({one[at] for one in parts}) > 1]
    if len(differ) != 1 or differ[0] % 2 == 0:
        return even
    numbers = [int(one[differ[0]]) for one in parts]
    gaps = [after - before for before, after in pairwise(numbers)]
    step = Counter(gaps).most_common(1)[0][0]
    if step <= 0 or 2 * gaps.count(step) <= len(gaps) or any(gap <= 0 or gap % step for gap in gaps):
        return even
    if any(gap > step and _is_clock(before, before + gap) for before, gap in zip(numbers, gaps, strict=False)):
        return even
    return [(number - numbers[0]) // step for number in numbers]


def _is_clock(before: int, after: int) -> bool:
    """Whether a leap is that of a time of day that is written as a number, at a full minute."""
    return before >= _CLOCK_FROM and before % 100 < 60 and after % 100 < 60 and after // 100 != before // 100


def _natural(path: Path) -> tuple[tuple[int, int | str], ...]:
    parts = re.split(r"(\d{1,18})", path.name)
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in parts)
