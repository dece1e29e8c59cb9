"""The work of perception, frame by frame: boxes go to verdict and the recorder, regions to codes."""

from __future__ import annotations

import time
from typing import Final

from device.channel.compartment import Compartment
from device.channel.frames import FrameStream
from device.channel.messages import FrameReady, Regions, Sightings
from device.channel.overload import Overload
from device.perception.blank import BlankCheck
from device.perception.core import Recogniser

LEAST_FPS: Final = 8.0
"""Below this rate frames are seen at `fast`. At 43 km/h 4 frames a second are enough for each sign of the demo's drive
(`bench.steps`), so that this is enough at 86 km/h."""


class PerceptionService:
    """Looks at the frames that are announced (in realtime the newest), and tells what it saw, and the end.

    Args:
        lockstep: every frame is waited for, so no frame gets less than the whole work.
    """

    def __init__(self, me: Compartment, perception: Recogniser, stream: FrameStream, *, lockstep: bool) -> None:
        self._perception, self._stream, self._lockstep = perception, stream, lockstep
        self._verdict, self._recorder, self._codes = me.link("verdict"), me.link("recorder"), me.link("codes")
        self._overload, self._is_blank = Overload(LEAST_FPS), BlankCheck()
        self._seen: FrameReady | None = None  # looked at, and not answered yet

    def step(self) -> None:
        """Look at the frame that waits, when what was seen in the frame before is sent."""
        if self._stream.waits_for(self._verdict, self._recorder):
            return
        if self._seen is not None:
            answered, self._seen = self._seen, None
            self._stream.done(answered)
        ready = self._stream.pending
        if ready is None:
            if (end := self._stream.end_to_tell()) is not None:
                self._verdict.try_send(end)
                self._recorder.try_send(end)
            return
        began = time.monotonic()
        frame = self._stream.view(ready)
        if frame is None:
            self._stream.done(ready)
            return
        point = self._perception.point
        blank, seen = self._is_blank(frame), self._perception.look(frame)
        if self._stream.intact(ready):
            self._codes.try_send(Regions(ready.frame, ready.t_ms, seen.regions))
            sightings = Sightings(
                ready.frame, ready.t_ms, frame.shape[1], frame.shape[0], seen.boxes, point, ready.timed, blank
            )
            self._verdict.post(sightings)
            self._recorder.post(sightings)
            self._stream.judged(ready)
            if not self._lockstep:
                self._stream.keep_up(ready, self._overload, time.monotonic() - began)
                self._perception.light = self._overload.light
        if self._stream.waits_for(self._verdict, self._recorder):
            self._seen = ready
        else:
            self._stream.done(ready)
