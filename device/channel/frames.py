"""The reading end of the frame stream, the same for every compartment that looks at frames."""

from __future__ import annotations

import time
from typing import Final

from device.channel.compartment import Compartment, Handlers
from device.channel.errors import OvertakenError, RingError
from device.channel.link import Link
from device.channel.messages import FrameDone, FrameReady, StageName, StreamEnd
from device.channel.overload import Overload
from device.channel.ring import Frame, RingReader

_TELL_END_SECONDS = 1.0
_MAX_AGE_SECONDS: Final = 60.0
"""Older is not believed: capture alone says when a frame was taken."""


class FrameStream:
    """Announced frames from capture, one at a time: in lockstep each, in realtime the newest after each answer.

    The ring is mapped at the first view of a frame, when capture has sealed it. A frame that is announced again and is
    done already is not worked on twice, and not answered twice: no message is lost on a link. A frame after the end is
    capture's lie, be it of the one or of the other: it counts as an invalid message, and the frames go on.

    Args:
        age: the stage under which the age of each frame is recorded when its results are sent; None in lockstep.
    """

    def __init__(self, me: Compartment, *, age: StageName | None) -> None:
        self.link: Link = me.link("capture")
        self.handlers: Handlers = {FrameReady: self._on_frame, StreamEnd: self._on_end}
        self.pending: FrameReady | None = None
        self.ended: StreamEnd | None = None
        self._told_end_at = float("-inf")
        self._me = me
        self._age = age
        self._descriptor = me.descriptor("ring")
        self._ring: RingReader | None = None
        self._last = -1
        self._announced: int | None = None

    def _on_frame(self, ready: FrameReady) -> None:
        if ready.frame <= self._last:  # announced again while we worked on it: it is answered
            return
        if self.ended is not None:
            self.link.invalid += 1
            self.ended = None
        if self.pending is not None and self.pending.frame != ready.frame:
            self._me.dropped["lease_lost"] += 1  # taken away before we began
        if self._age is not None and self._announced is not None and ready.frame > self._announced:
            self._me.dropped["skipped"] += ready.frame - self._announced - 1
        self._announced = ready.frame
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
        """The announced frame's pixels, read-only; None when the lease was taken away before.

        A ring that is not sealed, or that says impossible sizes, is capture's doing: it counts as an invalid message.
        """
        try:
            if self._ring is None:
                self._ring = RingReader(self._descriptor)
            return self._ring.view(ready.slot, ready.generation, ready.frame)
        except OvertakenError:
            self._me.dropped["lease_lost"] += 1
        except RingError:
            self._me.dropped["unreadable"] += 1
            self.link.invalid += 1
        return None

    def intact(self, ready: FrameReady) -> bool:
        """After the last use of the pixels: were they the announced frame all along?"""
        if self._ring is not None and self._ring.still_valid(ready.slot, ready.generation):
            return True
        self._me.dropped["lease_lost"] += 1
        return False

    def keep_up(self, ready: FrameReady, overload: Overload, seconds: float) -> None:
        """Whether to do less for each frame from now on; how many frames were judged with less goes to warden.

        Args:
            seconds: how long this frame took.
        """
        facts = self._me.facts
        if overload.light:
            facts["light_frames"] = facts.get("light_frames", 0) + 1
        overload.judged(ready.frame, ready.t_ms, seconds)
        facts["light"] = int(overload.light)

    def judged(self, ready: FrameReady) -> None:
        """The frame's results are sent."""
        self._me.handled += 1
        age = (time.monotonic_ns() // 1000 - ready.taken_us) / 1e6
        if self._age is not None and 0.0 <= age <= _MAX_AGE_SECONDS:
            self._me.sample(self._age, age)

    def done(self, ready: FrameReady) -> None:
        """Go on to the next frame: this one is judged, or lost."""
        self.pending = None
        self._last = ready.frame
        self.link.post(FrameDone(ready.frame))

    def waits_for(self, *links: Link) -> bool:
        """Whether what was seen in the last frame still waits for room on its way; warden is told of it.

        The frame is not answered meanwhile, so that a receiver that does not read holds the frames up, loses none, and
        takes no memory here.
        """
        waits = [link for link in links if link.waiting]
        self._me.facts["blocked"] = int(bool(waits))
        return bool(waits)
