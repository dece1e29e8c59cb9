"""Which frame is announced to whom, and when: in lockstep as each reader is done, in realtime as the clock says.

In lockstep every reader gets every frame, in order, the next as soon as it has acknowledged the frame before. The
readers may be up to `AHEAD` frames apart: perception may be at a later frame than codes. A slot of the ring is written
again only when all are done with it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from device.capture.settings import CaptureSettings
from device.capture.stream import FrameSource, Taken
from device.channel.compartment import Compartment
from device.channel.link import Link
from device.channel.messages import FrameDone, FrameReady, StreamEnd
from device.channel.ring import SLOTS, RingWriter

AHEAD = SLOTS - 1
_RESEND_SECONDS = 0.5


class Reader:
    """A reader of the ring: the last frame that it is done with, and the frame that it is at."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.done = -1
        self.given: FrameReady | None = None
        self.given_at = 0.0

    def give(self, ready: FrameReady, now: float) -> bool:
        """Announce a frame, for the first time or again. False when the link's queue is full."""
        self.given, self.given_at = ready, now
        return self.link.try_send(ready)


class Announcer:
    """Publishes the source's frames in the ring and announces them.

    Args:
        joined_ms: a camera that was restarted counts its time on from here.
    """

    def __init__(
        self,
        me: Compartment,
        ring: RingWriter,
        readers: list[Link],
        source: FrameSource,
        settings: CaptureSettings,
        joined_ms: int = 0,
    ) -> None:
        self._me, self._ring, self._source = me, ring, source
        self._lockstep = settings.pace == "lockstep"
        self._live = settings.kind == "camera"
        self._start = settings.start_frame
        self._readers = {link: Reader(link) for link in readers}
        self._frames: Iterator[Taken] | None = None
        self._passed_over = 0  # frames up to the last one that is no evidence
        self._published: deque[FrameReady] = deque()  # not yet done with by all
        self._newest_ms = self._joined_ms = joined_ms
        self._began, self._base_ms = 0.0, 0
        self._exhausted = self._ended = False
        self._told_end_at = 0.0

    def acknowledged(self, link: Link, done: FrameDone) -> None:
        """A reader is done with a frame."""
        reader = self._readers[link]
        if reader.given is not None and done.frame == reader.given.frame:
            reader.done, reader.given = done.frame, None
            everyone = min(r.done for r in self._readers.values())
            while self._published and self._published[0].frame <= everyone:
                self._published.popleft()

    def step(self) -> None:
        """Whatever can be done now without waiting for a reader."""
        now = time.monotonic()
        if self._ended:
            self._repeat_end(now)
            return
        if not self._exhausted and len(self._published) < (AHEAD if self._lockstep else 1):
            self._publish()
        if self._lockstep:
            for reader in self._readers.values():
                self._offer(reader, now)
        elif self._published:
            self._announce_when_due(self._published[0], now)
        if self._exhausted and not self._published:
            self._end(now)

    def seconds_to_next(self) -> float:
        """How long the caller may sleep for, unless a message comes."""
        if self._ended:
            return 0.1
        if self._lockstep:
            return 0.1 if self._exhausted or len(self._published) >= AHEAD else 0.0
        return 0.0 if self._live else 0.004

    def _publish(self) -> None:
        """Fill the next slot of the ring."""
        if self._frames is None:
            self._frames = self._source.frames(self._ring.slot, self._start)
        began = time.perf_counter()
        taken = next(self._frames, None)
        if taken is None:
            self._exhausted = True
            return
        number, t_ms = taken
        if t_ms is None:
            self._passed_over = number + 1
            return
        slot, generation = self._ring.publish(number)
        self._me.sample("capture", time.perf_counter() - began)
        if not self._began:
            self._began, self._base_ms = time.monotonic(), self._joined_ms + t_ms
        self._newest_ms = max(self._newest_ms, self._joined_ms + t_ms)  # a file's times may go back, a drive's do not
        self._published.append(FrameReady(number, slot, generation, self._newest_ms, self._source.timed))

    def _offer(self, reader: Reader, now: float) -> None:
        """The next frame for a reader that waits; the same again for a reader that may have been restarted."""
        if reader.given is not None:
            if now - reader.given_at > _RESEND_SECONDS:
                reader.give(reader.given, now)
            return
        for ready in self._published:
            if ready.frame > reader.done:
                reader.give(ready, now)
                self._me.handled = max(self._me.handled, ready.frame + 1)
                return

    def _announce_when_due(self, ready: FrameReady, now: float) -> None:
        if not self._live and (now - self._began) * 1000.0 < ready.t_ms - self._base_ms:
            return
        self._published.popleft()
        for reader in self._readers.values():
            if not reader.give(ready, now):
                self._me.dropped += 1
        self._me.handled = ready.frame + 1

    def _end(self, now: float) -> None:
        self._ended, self._told_end_at = True, now
        self._me.handled = max(self._me.handled, self._passed_over)
        for link in self._readers:
            link.send(StreamEnd(self._me.handled))
        self._me.done({"frames": self._me.handled, **self._source.tally.facts})

    def _repeat_end(self, now: float) -> None:
        """A reader that was restarted after the last frame has to learn of the end too."""
        if now - self._told_end_at > _RESEND_SECONDS:
            self._told_end_at = now
            for link in self._readers:
                link.try_send(StreamEnd(self._me.handled))
