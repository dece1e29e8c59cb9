"""Frames of a folder of images, through OpenCV, which lays them as their EXIF says."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_TAKEN_FPS: Final = 15.0
"""The rate that images are played at where nobody says one."""


class FolderSource:
    """A folder of frames, in the natural order of their names. Hidden files are no frames.

    Args:
        fps: the rate at which they were taken, as the user says; 0: nobody knows, and only the first has a time.

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
        self.facts = StreamFacts(count, width, height, milli_fps, 0, promised=count, unrated=not self._rated)

    def frames(self, slot: Slot, start: int) -> Iterator[Taken]:
        for number in range(start, len(self._files)):
            image = read(self._files[number])
            self.timed = self._rated or number == 0
            self.tally.facts["time.unknown"] += not self.timed
            if not isinstance(image, str):
                width, height = self._mount.size(image.shape[1], image.shape[0])
                if width <= MAX_WIDTH and height <= MAX_HEIGHT:
                    self._mount.write(image, slot(width, height))
                    yield number, round(number * 1000.0 / self._fps)
                    continue
                image = "frames_too_large"
            self.tally.damaged(image)
            yield number, None

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


def _natural(path: Path) -> tuple[tuple[int, int | str], ...]:
    parts = re.split(r"(\d{1,18})", path.name)
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in parts)
