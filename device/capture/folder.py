"""Frames of a folder of images, through OpenCV, which lays them as their EXIF says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from device.capture import numbering
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
_TAKEN: Final = "ExifIFD/DateTimeOriginal", "ExifIFD/SubSecTimeOriginal"
"""When an image was taken, as FFmpeg names it (Exif 2.32, tags 0x9003 and 0x9291)."""
_TURNS: Final[tuple[numbering.Turn, ...]] = ("none", "over", "unknown")
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
        if not files:
            raise InputError("folder_empty")
        files.sort(key=lambda path: numbering.natural(path.name))
        self._follow = follow = numbering.follow(
            [path.name for path in files],
            lambda places: _taken([files[at] for at in places]),
            lambda places: _written([files[at] for at in places]),
        )
        self._files = [files[at] for at in follow.order]
        first = self._first()
        width, height, milli_fps = first.shape[1], first.shape[0], round(self._fps * 1000)
        count = len(self._files)
        self._steps = follow.steps
        self._tell(follow)
        length_ms = self._t_ms(count - 1) if self._rated else 0
        self.facts = StreamFacts(
            count, width, height, milli_fps, 0, length_ms=length_ms, promised=count, unrated=not self._rated
        )

    def frames(self, slot: Slot, start: int) -> Iterator[Taken]:
        for number, file in enumerate(self._files):
            image = read(file)
            self.timed = (self._rated and number < self._follow.timed) or number == 0
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

    def _tell(self, follow: numbering.Numbering) -> None:
        """What the names say that is not as it should be."""
        facts = self.tally.facts
        facts["time.missing"] = follow.steps[-1] + 1 - len(self._files) if follow.turn != "unknown" else 0
        facts["time.turn"], facts["time.sets"] = _TURNS.index(follow.turn), follow.sets
        named = numbering.named_fps([path.name for path in self._files], follow.steps[-1])
        facts["rate.named"] = round(named * 1000) if self._rated and numbering.differ(named, self._fps) else 0

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


def _taken(files: Sequence[Path]) -> list[float] | None:
    """When these JPEGs were taken, by their cameras, seconds; None where not all tell it."""
    found: list[float] = []
    for path in files:
        try:
            content = path.read_bytes() if path.is_file() and path.stat().st_size <= _MAX_BYTES else b""
            frames = _looked_at(content) if content.startswith(_JPEG) else []
        except (OSError, av.FFmpegError):
            return None
        moment = _moment(frames[0].metadata) if frames else None
        if moment is None:
            return None
        found.append(moment)
    return found


def _moment(tags: Mapping[str, str]) -> float | None:
    told, part = (tags.get(name, "") for name in _TAKEN)
    try:
        moment = datetime.strptime(told[:19], "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    part = part.strip()[:6]
    return moment.timestamp() + (int(part) / 10 ** len(part) if part.isascii() and part.isdecimal() else 0.0)


def _written(files: Sequence[Path]) -> list[float] | None:
    """When these files were written, seconds."""
    try:
        return [path.stat().st_mtime for path in files]
    except OSError:
        return None


def _looked_at(jpeg: bytes) -> list[av.VideoFrame]:
    """A JPEG through FFmpeg, without its pixels. Raises FFmpegError."""
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode", "lowres": "3", "skip_idct": "all"}
    decoder.thread_count = 1
    return decoder.decode(av.Packet(jpeg))


def _is_whole(jpeg: bytes) -> bool:
    """Whether a JPEG is there to its end: OpenCV fills what is missing with grey, and says nothing.

    What FFmpeg does not know (lossless, twelve bits, arithmetic coding) counts as whole.
    """
    try:
        return bool(_looked_at(jpeg))
    except av.InvalidDataError:
        return False
    except av.FFmpegError:
        return True
