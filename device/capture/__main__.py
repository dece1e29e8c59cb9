"""capture: joins a source of frames to the ring and announces each frame to perception and codes."""

from __future__ import annotations

import functools
import io
import time
from pathlib import Path
from typing import Literal

import av
import cv2
import msgspec

from device.capture.announce import Announcer
from device.capture.errors import InputError
from device.capture.sources import CameraSource, FolderSource, FrameSource, VideoSource
from device.channel.compartment import Compartment, run
from device.channel.messages import FrameDone
from device.channel.ring import MAX_HEIGHT, MAX_WIDTH, RingWriter


class CaptureSettings(msgspec.Struct, forbid_unknown_fields=True):
    """What warden tells capture. `shown` is the input's name for messages; its path in here is fixed."""

    kind: Literal["video", "folder", "camera"]
    path: str
    shown: str
    pace: Literal["lockstep", "realtime"]
    folder_fps: float
    width: int
    height: int
    fps: float
    start_frame: int


def open_source(settings: CaptureSettings) -> FrameSource:
    """The source that the settings name. Raises InputError."""
    path = Path(settings.path)
    if settings.kind == "video":
        return VideoSource(path, settings.shown)
    if settings.kind == "folder":
        return FolderSource(path, settings.shown, settings.folder_fps)
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


def main(me: Compartment) -> None:
    cv2.setNumThreads(1)
    settings = me.settings(CaptureSettings)
    ring = RingWriter(me.descriptor("ring"))
    readers = [me.link("perception", FrameDone), me.link("codes", FrameDone)]
    warm_up()
    me.tighten()  # the demuxer's first look at the file is under the run filter already
    source = open_source(settings)
    facts = source.facts
    if facts.width > MAX_WIDTH or facts.height > MAX_HEIGHT:
        raise InputError(
            f"{settings.shown} has frames of {facts.width}x{facts.height}, at most {MAX_WIDTH}x{MAX_HEIGHT} are taken",
            "scale it down",
        )
    go = me.ready(
        {
            "frames": max(0, facts.frames),
            "width": facts.width,
            "height": facts.height,
            "milli_fps": facts.milli_fps,
            "utc_ms": facts.utc_ms,
        }
    )
    joined_ms = go.elapsed_ms if settings.kind == "camera" else 0
    announcer = Announcer(me, ring, readers, source, settings, joined_ms)
    me.serve(
        {link: functools.partial(announcer.acknowledged, link) for link in readers},
        tick=announcer.step,
        tick_seconds=announcer.seconds_to_next,
    )


if __name__ == "__main__":
    run("capture", main)
