"""From the source into the ring: a thread that fills slots, so that readers are answered while a frame is decoded.

Decoding a frame and waiting for a camera take as long as a reader takes for its frame. Done in the thread that serves
the links, they would keep each reader waiting for about half of that time. A camera is read without a pause, so that
its driver's queue holds no old frames.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Final

from device.capture.announce import Announcer
from device.capture.settings import CaptureSettings
from device.capture.stream import FrameSource
from device.channel.compartment import Compartment, Watch
from device.channel.messages import FrameReady, StreamEnd
from device.channel.ring import Frame, RingWriter

_TELL_END_SECONDS: Final = 0.5
_STUCK_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.1


class FrameFeed:
    """Fills slots and serves the readers until the source has ended.

    Make it before the run filter is in force (it makes a descriptor), and `start` it when warden says go.
    """

    def __init__(self, me: Compartment, ring: RingWriter, announcer: Announcer, settings: CaptureSettings) -> None:
        self._me, self._ring, self._announcer = me, ring, announcer
        self._lockstep, self._live = settings.pace == "lockstep", settings.kind == "camera"
        self._start = settings.start_frame
        self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._seconds: deque[float] = deque(maxlen=1024)  # how long each frame took
        self._failure: BaseException | None = None
        self._source: FrameSource
        self._working_since: float | None = None
        self._told_end_at: float | None = None
        self._passed_over = 0  # frames up to the last that is no evidence
        self._damaged = 0  # frames that the source has counted as damaged, when it was asked last
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self, source: FrameSource, joined_ms: int = 0) -> None:
        """Begin with the first frame.

        Args:
            joined_ms: a camera that was restarted counts its time on from here.
        """
        self._source, self._joined_ms = source, joined_ms
        self._thread.start()

    def stop(self) -> None:
        """No further frame; wait a moment for the thread, which may be in a decoder."""
        self._stop.set()
        self._thread.join(1.0)

    # --- the thread that serves the links -------------------------------------------------------------------------

    def watches(self) -> list[Watch]:
        """What wakes the serving thread: a frame is due."""
        return [(self._news, 1, self._on_news)]  # 1: POLLIN

    def step(self) -> None:
        """Announce what is to be announced. Raises what the source raised."""
        while self._seconds:
            self._me.sample("capture", self._seconds.popleft())
        if self._told_end_at is None:
            self._announcer.step()
        if self._failure is not None:
            raise self._failure
        if self._ended.is_set() and self._announcer.all_answered():
            self._end(time.monotonic())
        self._be_silent_with_the_source()

    def seconds_to_next(self) -> float:
        """How long the caller may sleep for, unless a message or news comes."""
        return _POLL_SECONDS

    def _on_news(self, _: int) -> None:
        os.eventfd_read(self._news)

    def _end(self, now: float) -> None:
        """Tell of the end, again and again: a reader that was restarted after the last frame has to learn of it too."""
        if self._told_end_at is None:
            self._me.handled = max(self._me.handled, self._passed_over)
            self._me.done({"frames": self._me.handled, **self._source.tally.facts})
        elif now - self._told_end_at < _TELL_END_SECONDS:
            return
        self._told_end_at = now
        self._announcer.tell_end(StreamEnd(self._me.handled))

    def _be_silent_with_the_source(self) -> None:
        """While a camera or a decoder gives nothing, neither do we: warden sees that, and restarts us."""
        since = self._working_since
        if since is None or time.monotonic() - since < _STUCK_SECONDS:
            return
        while self._working_since == since and self._thread.is_alive():
            time.sleep(_POLL_SECONDS)

    # --- the thread that fills slots ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._fill()
        except BaseException as error:  # noqa: BLE001  # it ends this process in the serving thread, as it would here
            self._failure = error
        self._working_since = None
        self._ended.set()
        self._wake()

    def _fill(self) -> None:
        frames = self._source.frames(self._slot, self._start)
        began, base_ms, newest_ms = 0.0, 0, self._joined_ms
        while self._waited_for_room():
            self._working_since = begun = time.monotonic()
            taken = next(frames, None)
            if taken is None:
                return
            number, t_ms = taken
            self._working_since = None
            if t_ms is None:
                self._pass_over(number)
                continue
            slot, generation = self._ring.publish(number)
            now = time.monotonic()
            self._seconds.append(now - begun)
            if not began:
                began, base_ms = now, self._joined_ms + t_ms
            newest_ms = max(newest_ms, self._joined_ms + t_ms)  # a file's times may go back, a drive's do not
            if not (self._lockstep or self._live):
                self._wait(began + (newest_ms - base_ms) / 1000.0 - now)
            taken_us = time.monotonic_ns() // 1000
            self._announcer.publish(FrameReady(number, slot, generation, newest_ms, taken_us, self._source.timed))
            self._wake()

    def _wait(self, seconds: float) -> None:
        """Until the frame is due. A longer pause of the recording is told to warden, which misses the frames."""
        self._me.facts["pause_ms"] = max(0, round(seconds * 1000.0))
        self._stop.wait(max(0.0, seconds))
        self._me.facts["pause_ms"] = 0

    def _pass_over(self, number: int) -> None:
        """A frame that no reader is shown: it is damaged, or comes before the frame at which a restart goes on.

        It counts as passed over where it is not shown for its own sake: not where a predecessor has shown it.
        """
        self._passed_over = self._me.facts["reached"] = number + 1
        damaged = self._source.tally.damaged_frames
        if number >= self._start or damaged > self._damaged:
            self._me.facts["passed_over"] = self._me.facts.get("passed_over", 0) + 1
        self._damaged = damaged

    def _waited_for_room(self) -> bool:
        """False when we are to stop."""
        while not self._stop.is_set():
            if self._announcer.wait_for_room(_POLL_SECONDS):
                return True
        return False

    def _slot(self, width: int, height: int) -> Frame:
        return self._ring.slot(width, height, self._announcer.spared())

    def _wake(self) -> None:
        os.eventfd_write(self._news, 1)
