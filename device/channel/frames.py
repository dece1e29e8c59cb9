"""The reading end of the frame stream, the same for every compartment that looks at frames."""

from __future__ import annotations

import time

from device.channel.compartment import Compartment, Handlers
from device.channel.errors import OvertakenError, RingError
from device.channel.link import Link
from device.channel.messages import FrameDone, FrameReady, StreamEnd
from device.channel.ring import Frame, RingReader

_TELL_END_SECONDS = 1.0


class FrameStream:
    """Announced frames from capture: the newest one only in realtime, each one in lockstep.

    The ring is mapped at the first view of a frame, when capture has sealed it. A frame that is announced again and is
    done already is acknowledged again and not worked on twice.
    """

    def __init__(self, me: Compartment, *, lockstep: bool) -> None:
        self.link: Link = me.link("capture")
        self.handlers: Handlers = {FrameReady: self._on_frame, StreamEnd: self._on_end}
        self.pending: FrameReady | None = None
        self.ended: StreamEnd | None = None
        self._told_end_at = float("-inf")
        self._me = me
        self._lockstep = lockstep
        self._descriptor = me.descriptor("ring")
        self._ring: RingReader | None = None
        self._last = -1

    def _on_frame(self, ready: FrameReady) -> None:
        if ready.frame <= self._last:
            self._acknowledge(ready)
            return
        if self.pending is not None and self.pending.frame != ready.frame:
            self._me.dropped += 1
        self.pending = ready

    def _on_end(self, end: StreamEnd) -> None:
        self.ended = end

    def end_to_tell(self) -> StreamEnd | None:
        """The end of the stream, once a second: a receiver may have been restarted since it heard of it."""
        now = time.monotonic()
        if self.ended is None or self.pending is not None or now - self._told_end_at < _TELL_END_SECONDS:
            return None
        self._told_end_at = now
        return self.ended

    def view(self, ready: FrameReady) -> Frame | None:
        """The announced frame's pixels, read-only; None when the writer has overtaken us.

        A ring that is not sealed, or that says impossible sizes, is capture's doing: it counts as an invalid message.
        """
        try:
            if self._ring is None:
                self._ring = RingReader(self._descriptor)
            return self._ring.view(ready.slot, ready.generation, ready.frame)
        except OvertakenError:
            self._me.dropped += 1
        except RingError:
            self.link.invalid += 1
        return None

    def intact(self, ready: FrameReady) -> bool:
        """After the last use of the pixels: were they the announced frame all along?"""
        if self._ring is not None and self._ring.still_valid(ready.slot, ready.generation):
            return True
        self._me.dropped += 1
        return False

    def done(self, ready: FrameReady) -> None:
        """The frame's results are sent (or it is lost): go on to the next."""
        self.pending = None
        self._last = ready.frame
        self._me.handled += 1
        self._acknowledge(ready)

    def _acknowledge(self, ready: FrameReady) -> None:
        if self._lockstep:
            self.link.send(FrameDone(ready.frame))
