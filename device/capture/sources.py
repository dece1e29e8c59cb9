"""Where frames come from: a video file (FFmpeg through PyAV), a folder of images (OpenCV), or a V4L2 camera."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
import numpy.typing as npt

from device.capture import clock
from device.capture.errors import InputError
from device.capture.settings import CaptureSettings
from device.channel.failures import MAX_NUMBER
from device.channel.ring import MAX_HEIGHT, MAX_WIDTH

Slot = Callable[[int, int], npt.NDArray[np.uint8]]
"""Gives the ring's next free slot for (width, height): uint8 [height, width, 3] to be filled with BGR pixels."""

_IMAGES = {".png", ".jpg", ".jpeg", ".ppm", ".bmp", ".webp"}


@dataclass(frozen=True)
class StreamFacts:
    """What is known before the first frame. `frames` is 0 where the source does not tell, `utc_ms` likewise."""

    frames: int
    width: int
    height: int
    milli_fps: int
    utc_ms: int
    zoned: bool = False
    length_ms: int = 0


class FrameSource(Protocol):
    """A stream of frames that fills the slots it is given."""

    facts: StreamFacts
    damaged: bool  # the stream ended before its container says, or part of it could not be decoded

    def frames(self, slot: Slot, start: int) -> Iterator[tuple[int, int]]:
        """Fill one slot after the other from frame `start` on; gives (frame number, milliseconds).

        The time counts from frame 0, for a camera from when frames were first asked for.
        """
        ...


class VideoSource:
    """A video file. Raises InputError when it is no video, is cut off before its index, or holds no frame."""

    def __init__(self, path: Path) -> None:
        self.damaged = False
        try:
            self._container = av.open(str(path), options={"protocol_whitelist": "file"})
            self._stream = self._container.streams.video[0]
        except IndexError:
            raise InputError("video_without_stream") from None
        except (av.FFmpegError, ValueError) as error:
            number: object = getattr(error, "errno", None)
            known = isinstance(number, int) and 0 <= number <= MAX_NUMBER
            raise InputError("video_unreadable", int(str(number)) if known else MAX_NUMBER) from None
        self._stream.thread_type = "AUTO"
        rate = self._stream.average_rate or self._stream.guessed_rate or 25
        self._step_ms = 1000.0 / float(rate)
        said = clock.container_time(self._container.metadata, self._stream.metadata)
        self.facts = StreamFacts(
            self._stream.frames,
            self._stream.width,
            self._stream.height,
            round(float(rate) * 1000),
            said.utc_ms,
            said.zoned,
            clock.length_ms(self._container),
        )

    def frames(self, slot: Slot, start: int) -> Iterator[tuple[int, int]]:
        first_pts: int | None = None
        number = -1
        for picture in self._pictures():
            number += 1
            if first_pts is None:
                first_pts = picture.pts
            if number < start:
                continue
            t_ms = round(number * self._step_ms)
            if picture.pts is not None and first_pts is not None and picture.time_base:
                t_ms = max(0, round(float((picture.pts - first_pts) * picture.time_base) * 1000.0))
            bgr = picture.reformat(format="bgr24")
            plane = bgr.planes[0]
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(bgr.height, plane.line_size)
            _check_size(bgr.width, bgr.height)
            np.copyto(slot(bgr.width, bgr.height).reshape(bgr.height, -1), rows[:, : bgr.width * 3])
            yield number, t_ms
        if number < 0:
            raise InputError("video_without_frames")
        self.damaged = self.damaged or number + 1 < self.facts.frames - 2

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """Decoded frames; a packet that cannot be decoded marks the stream as damaged and is left out."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                self.damaged = True
                return
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self.damaged = True


class FolderSource:
    """A folder of frames, in the natural order of their names, at a configured rate."""

    def __init__(self, path: Path, fps: float) -> None:
        self.damaged = False
        self._fps = fps
        self._files = sorted((p for p in path.iterdir() if p.suffix.lower() in _IMAGES), key=_natural)
        if not self._files:
            raise InputError("folder_empty")
        first = self._read(0)
        self.facts = StreamFacts(len(self._files), first.shape[1], first.shape[0], round(fps * 1000), 0)

    def frames(self, slot: Slot, start: int) -> Iterator[tuple[int, int]]:
        for number in range(start, len(self._files)):
            image = self._read(number)
            _check_size(image.shape[1], image.shape[0])
            np.copyto(slot(image.shape[1], image.shape[0]), image)
            yield number, round(number * 1000.0 / self._fps)

    def _read(self, number: int) -> npt.NDArray[np.uint8]:
        path = self._files[number]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None  # opening a pipe would wait
        if image is None:
            raise InputError("image_unreadable", number + 1)
        return np.asarray(image, np.uint8)


class CameraSource:
    """A V4L2 camera (`/dev/videoN`), until it is stopped. Times are by the machine's clock."""

    def __init__(self, device: Path, width: int, height: int, fps: float, utc_ms: int) -> None:
        self.damaged = False
        self._camera = cv2.VideoCapture(str(device), cv2.CAP_V4L2)
        if not self._camera.isOpened():
            raise InputError("camera_unopened")
        self._camera.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._camera.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._camera.set(cv2.CAP_PROP_FPS, fps)
        got = [int(self._camera.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
        self._fps = self._camera.get(cv2.CAP_PROP_FPS) or fps
        self.facts = StreamFacts(0, got[0], got[1], round(self._fps * 1000), utc_ms)

    def frames(self, slot: Slot, start: int) -> Iterator[tuple[int, int]]:
        number, began = start, cv2.getTickCount()
        while self._camera.grab():
            pixels = slot(self.facts.width, self.facts.height)
            ok, image = self._camera.retrieve(pixels)
            if not ok or image.shape != pixels.shape:
                raise InputError("camera_changed")
            if image is not pixels and not np.shares_memory(image, pixels):
                np.copyto(pixels, image)
            yield number, round((cv2.getTickCount() - began) * 1000.0 / cv2.getTickFrequency())
            number += 1
        raise InputError("camera_ended")


def open_source(settings: CaptureSettings) -> FrameSource:
    """The source that the settings name. Raises InputError."""
    path = Path(settings.path)
    if settings.kind == "video":
        return VideoSource(path)
    if settings.kind == "folder":
        return FolderSource(path, settings.folder_fps)
    return CameraSource(path, settings.width, settings.height, settings.fps, round(time.time() * 1000))


def warm_up() -> None:
    """Have PyAV load what it loads lazily: decode a picture that we encoded ourselves."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuvj420p")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer, "r", format="mjpeg") as container:
        for picture in container.decode(video=0):
            picture.reformat(format="bgr24")


def _check_size(width: int, height: int) -> None:
    """A later frame may be larger than the first. Raises InputError."""
    if width > MAX_WIDTH or height > MAX_HEIGHT:
        raise InputError("frames_too_large", width, height)


def _natural(path: Path) -> tuple[tuple[int, int | str], ...]:
    parts = re.split(r"(\d{1,18})", path.name)
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in parts)
