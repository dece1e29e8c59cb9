"""The work of codes, frame by frame: when to read a frame, and with which of perception's regions."""

from __future__ import annotations

import time
from typing import Final

from device.channel.compartment import Compartment
from device.channel.frames import FrameStream
from device.channel.messages import CodeBox, CodeBoxes, FrameReady, Reading, Readings, Region, Regions
from device.channel.overload import Overload
from device.codes.core import CodeReader

LEAST_FPS: Final = 4.0
"""Below this rate the regions alone are read: a code without a sign is then lost, but no code below a sign. Down to
this rate each code of the demo's drive is read often enough (`bench.steps`)."""
MAX_REGIONS_AGE_MS: Final = 300
"""Older regions are where a panel was. Of the codes in the demo's drive that are read in their frame's own regions,
70 % are read in those of 200 ms ago, 10 % in those of 400 ms ago."""
PACE_SECONDS: Final = 0.06
"""In realtime a frame is read when perception has judged another one, and at least so often: 16 frames a second are
four times what the demo's drive needs, and what is read beyond that takes perception's time."""
_WAIT_FOR_REGIONS_SECONDS = 1.0
_MOST_MISSED: Final = 4
"""Frames in a row without regions for which it is waited: as many as are in flight when perception falls. A perception
that says none, and answers all the same, then slows nobody, and is told."""
_KEPT_REGIONS = 8  # more than perception can be ahead


class CodesService:
    """Reads the frames that are announced (in realtime the newest), and tells verdict what was read, and the end.

    Args:
        lockstep: the regions of a frame are waited for, for a second at most and not without end; else the latest
            regions are used, unless perception has said nothing for too long.
    """

    def __init__(self, me: Compartment, reader: CodeReader, stream: FrameStream, *, lockstep: bool) -> None:
        self._me, self._reader, self._stream, self._lockstep = me, reader, stream, lockstep
        self._verdict, self._recorder = me.link("verdict"), me.link("recorder")
        self._regions: dict[int, list[Region]] = {}  # by frame; perception may be a few frames ahead
        self._latest: Regions | None = None
        self._overload = Overload(LEAST_FPS)
        self._read: FrameReady | None = None  # read, and not answered yet
        self._began = 0.0
        self._fresh = False  # regions have come since the last frame was begun
        self._waiting_since: tuple[int, float] = (-1, 0.0)
        self._missed = 0  # frames in a row whose regions did not come

    def take_regions(self, message: Regions) -> None:
        """Where perception thinks that panels may hang in one frame."""
        self._fresh = True
        self._latest, self._regions[message.frame] = message, message.regions
        self._missed = 0
        while len(self._regions) > _KEPT_REGIONS:
            del self._regions[min(self._regions)]

    def step(self) -> None:
        """Read the frame that waits, if its regions are there or need not be waited for any longer."""
        ready = self._stream.pending
        if self._read is not None:
            self._answer()
            return
        if ready is None:
            if (end := self._stream.end_to_tell()) is not None:
                self._verdict.try_send(end)
            return
        places = self._wanted(ready)
        if places is None and self._lockstep:
            return
        began, self._began, self._fresh = time.perf_counter(), time.monotonic(), False
        frame = self._stream.view(ready)
        whole = places is None or not self._overload.light
        found = self._reader.read(frame, places or [], ready.frame, whole=whole) if frame is not None else []
        took = time.perf_counter() - began
        self._me.sample("codes", took)
        if frame is not None and self._stream.intact(ready):
            self._verdict.post(Readings(ready.frame, ready.t_ms, frame.shape[1], frame.shape[0], found, ready.timed))
            if found:
                self._recorder.try_send(CodeBoxes(ready.frame, [_box(reading) for reading in found]))
            self._stream.judged(ready)
            if not self._lockstep:
                self._stream.keep_up(ready, self._overload, took)
        self._read = ready
        self._answer()

    def seconds_to_next(self) -> float:
        """How long the caller may sleep for, unless a message comes."""
        if self._read is None or self._verdict.waiting:  # room for what waits wakes it too
            return 0.1
        return max(0.001, self._began + PACE_SECONDS - time.monotonic())

    def _answer(self) -> None:
        """Ask for the next frame: in lockstep at once, in realtime not much faster than perception goes."""
        if self._read is None or self._stream.waits_for(self._verdict):
            return
        if self._lockstep or self._fresh or time.monotonic() - self._began >= PACE_SECONDS:
            ready, self._read = self._read, None
            self._stream.done(ready)

    def _wanted(self, ready: FrameReady) -> list[Region] | None:
        """This frame's regions, None while they are worth waiting for; in realtime the latest, None if too old."""
        if not self._lockstep:
            latest = self._latest
            return latest.regions if latest and abs(ready.t_ms - latest.t_ms) <= MAX_REGIONS_AGE_MS else None
        if ready.frame in self._regions:
            return self._regions[ready.frame]
        if self._waiting_since[0] != ready.frame:
            self._waiting_since = (ready.frame, time.monotonic())
        waited = time.monotonic() - self._waiting_since[1] >= _WAIT_FOR_REGIONS_SECONDS
        if not waited and self._missed < _MOST_MISSED:
            return None
        self._missed += 1
        self._me.facts["without_regions"] = self._me.facts.get("without_regions", 0) + 1
        return []


def _box(reading: Reading) -> CodeBox:
    return CodeBox(reading.x, reading.y, reading.w, reading.h, read=bool(reading.data))
