"""Where frames come from: a video file (FFmpeg through PyAV), a folder of images, or a V4L2 camera (both OpenCV)."""

from __future__ import annotations

import io
import time
from pathlib import Path

import av
import av.audio.codeccontext
import av.subtitles.codeccontext
import numpy as np

from device.capture import turn
from device.capture.camera import CameraSource
from device.capture.folder import FolderSource
from device.capture.picture import SQUARE, Painter
from device.capture.settings import CaptureSettings
from device.capture.stream import FrameSource
from device.capture.video import VideoSource


def open_source(settings: CaptureSettings) -> FrameSource:
    """The source that the settings name. Raises InputError."""
    path = Path(settings.path)
    if settings.kind == "video":
        return VideoSource(path, settings)
    mount = turn.of_camera(settings.rotate_degrees, settings.flip)
    if settings.kind == "folder":
        return FolderSource(path, settings.folder_fps, mount)
    wanted = settings.width, settings.height, settings.fps
    return CameraSource(path, *wanted, round(time.time() * 1000), mount)


LOADED_FOR_STREAMS = (av.audio.codeccontext, av.subtitles.codeccontext)
"""PyAV imports these when a file has such a stream, beside the film or alone: no library can be loaded by then."""


def warm_up() -> None:
    """Have PyAV load what it loads lazily: decode a picture that we encoded ourselves, and show it."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuvj420p")))
        container.mux(stream.encode())
    buffer.seek(0)
    painter = Painter(turn.UPRIGHT)
    with av.open(buffer, "r", format="mjpeg") as container:
        for picture in container.decode(video=0):
            painter.paint(picture, SQUARE, lambda width, height: np.empty((height, width, 3), np.uint8))
