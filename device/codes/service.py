"""The work of codes, frame by frame: when to read a frame, and with which of perception's regions."""

from __future__ import annotations

import time

from device.channel.compartment import Compartment
from device.channel.frames import FrameStream
from device.channel.messages import FrameReady, Readings, Region, Regions
from device.codes.core import CodeReader

_WAIT_FOR_REGIONS_SECONDS = 1.0
_KEPT_REGIONS = 8  # more than perception can be ahead


class CodesService:
    """Reads the frames that are announced (in realtime the newest), and tells verdict what was read, and the end.

    Args:
        lockstep: the regions of a frame are waited for, for a second at most; else the latest regions are used.
    """

    def __init__(self, me: Compartment, reader: CodeReader, stream: FrameStream, *, lockstep: bool) -> None:
        self._me, self._reader, self._stream, self._lockstep = me, reader, stream, lockstep
        self._verdict = me.link("verdict")
        self._regions: dict[int, list[Region]] = {}  # by frame; perception may be a few frames ahead
        self._latest: list[Region] = []
        self._waiting_since: tuple[int, float] = (-1, 0.0)

    def take_regions(self, message: Regions) -> None:
        """Where perception thinks that panels may hang in one frame."""
        self._latest = self._regions[message.frame] = message.regions
        while len(self._regions) > _KEPT_REGIONS:
            del self._regions[min(self._regions)]

    def step(self) -> None:
        """Read the frame that waits, if its regions are there or need not be waited for any longer."""
        ready = self._stream.pending
        if ready is None:
            if (end := self._stream.end_to_tell()) is not None:
                self._verdict.try_send(end)
            return
        places = self._wanted(ready)
        if places is None:
            return
        began = time.perf_counter()
        frame = self._stream.view(ready)
        found = self._reader.read(frame, places, ready.frame) if frame is not None else []
        self._me.sample("codes", time.perf_counter() - began)
        if frame is not None and self._stream.intact(ready):
            self._verdict.send(Readings(ready.frame, ready.t_ms, found, ready.timed))
        self._stream.done(ready)

    def _wanted(self, ready: FrameReady) -> list[Region] | None:
        """This frame's regions, in realtime the latest regions; None while they are worth waiting for."""
        if not self._lockstep:
            return self._latest
        if ready.frame in self._regions:
            return self._regions[ready.frame]
        if self._waiting_since[0] != ready.frame:
            self._waiting_since = (ready.frame, time.monotonic())
        return None if time.monotonic() - self._waiting_since[1] < _WAIT_FOR_REGIONS_SECONDS else []
