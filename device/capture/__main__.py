"""capture: joins a source of frames to the ring and announces each frame to perception and codes."""

from __future__ import annotations

import functools
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import av
import cv2
import msgspec

from device.capture.sources import CameraSource, FolderSource, Source, VideoSource
from device.channel.compartment import Compartment, run
from device.channel.link import Link
from device.channel.messages import FrameDone, FrameReady, Message, StreamEnd
from device.channel.ring import RingWriter

_RESEND_SECONDS = 0.5


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


def open_source(settings: CaptureSettings) -> Source:
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


class Announcer:
    """Publishes frames one by one: after both acknowledgements in lockstep, at their time in realtime."""

    def __init__(
        self, me: Compartment, ring: RingWriter, readers: list[Link], source: Source, settings: CaptureSettings
    ) -> None:
        self._me, self._ring, self._source = me, ring, source
        self._lockstep = settings.pace == "lockstep"
        self.joined_ms = 0  # a camera that was restarted counts on from here
        self._newest_ms = 0
        self.readers = readers
        self._waiting: set[Link] = set()
        self._announced: FrameReady | None = None
        self._sent_at = 0.0
        self._began, self._base_ms = 0.0, 0
        self._camera = settings.kind == "camera"
        self._start = settings.start_frame
        self._frames: Iterator[tuple[int, int]] | None = None
        self._next: FrameReady | None = None
        self._ended = False

    def acknowledged(self, link: Link, message: Message) -> None:
        """A reader is done with a frame."""
        if isinstance(message, FrameDone) and self._announced and message.frame == self._announced.frame:
            self._waiting.discard(link)

    def step(self) -> None:
        """Whatever can be done now without waiting for anyone."""
        now = time.monotonic()
        if self._ended:
            self._repeat_end(now)
            return
        if self._next is None:
            self._next = self._take()  # while the readers still work on the frame before: the ring has slots enough
        if self._waiting:
            if now - self._sent_at > _RESEND_SECONDS and self._announced:  # a reader may have been restarted
                self._sent_at = now
                for link in self._waiting:
                    link.try_send(self._announced)
            return
        if self._next is None:
            self._end()
            return
        if not self._lockstep and not self._camera and (now - self._began) * 1000.0 < self._next.t_ms - self._base_ms:
            return
        self._announce(self._next, now)
        self._next = None

    def seconds_to_next(self) -> float:
        """How long the caller may sleep for."""
        return 0.1 if self._waiting or self._ended else 0.0 if self._lockstep or self._camera else 0.004

    def _take(self) -> FrameReady | None:
        if self._frames is None:
            self._frames = self._source.frames(self._ring.slot, self._start)
        began = time.perf_counter()
        taken = next(self._frames, None)
        if taken is None:
            return None
        number, t_ms = taken
        slot, generation = self._ring.publish(number)
        self._me.sample("capture", time.perf_counter() - began)
        if not self._began:
            self._began, self._base_ms = time.monotonic(), t_ms
        self._newest_ms = max(self._newest_ms, self.joined_ms + t_ms)  # a file's times may go back, a drive's do not
        return FrameReady(number, slot, generation, self._newest_ms)

    def _announce(self, ready: FrameReady, now: float) -> None:
        self._announced, self._sent_at = ready, now
        for link in self.readers:
            if self._lockstep:
                self._waiting.add(link)
            if not link.try_send(ready):
                self._me.dropped += 1
        self._me.handled = ready.frame + 1

    def _repeat_end(self, now: float) -> None:
        """A reader that was restarted after the last frame has to learn of the end too."""
        if now - self._sent_at > _RESEND_SECONDS:
            self._sent_at = now
            for link in self.readers:
                link.try_send(StreamEnd(self._me.handled))

    def _end(self) -> None:
        self._ended = True
        self._sent_at = time.monotonic()
        for link in self.readers:
            link.send(StreamEnd(self._me.handled))
        self._me.done({"frames": self._me.handled, "damaged": int(self._source.damaged)})


def main(me: Compartment) -> None:
    cv2.setNumThreads(1)
    settings = me.settings(CaptureSettings)
    ring = RingWriter(me.descriptor("ring"))
    readers = [me.link("perception", FrameDone), me.link("codes", FrameDone)]
    warm_up()
    me.tighten()  # the demuxer's first look at the file is under the run filter already
    source = open_source(settings)
    facts = source.facts
    announcer = Announcer(me, ring, readers, source, settings)
    go = me.ready(
        {
            "frames": max(0, facts.frames),
            "width": facts.width,
            "height": facts.height,
            "milli_fps": facts.milli_fps,
            "utc_ms": facts.utc_ms,
        }
    )
    announcer.joined_ms = go.elapsed_ms if settings.kind == "camera" else 0
    me.serve(
        {link: functools.partial(announcer.acknowledged, link) for link in announcer.readers},
        tick=announcer.step,
        tick_seconds=announcer.seconds_to_next,
    )


if __name__ == "__main__":
    run("capture", main)
