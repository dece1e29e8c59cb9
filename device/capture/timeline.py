"""One continuous time line for a stream, whatever its time stamps do. Pure: numbers in, milliseconds out.

Time stamps are claims of the file. Joined clips begin again, 33-bit counters wrap, a stuck clock stands still, raw
streams have none. Here time never goes back, and goes on by the frame's own duration wherever the stamps break off:
what is one drive stays one drive, and one sign one sign. How often that was needed is counted, since nobody can know
how much time lies between two clips that were joined.

The limits are those of FFmpeg's own tools (`dts_delta_threshold`, 10 s, for MPEG streams, whose time stamps may begin
again anywhere), with an hour for other containers.
"""

from __future__ import annotations

import math

MAX_LAG_MS = 500.0
"""Stamps that lag by less are out of order or stand still: time goes on slower until they have caught up."""
HOLE_MS = 1500.0
"""A sign on the way is seen in less: at 100 km/h this is 40 m."""
HOLE_STEPS = 5.0
MAX_GAP_MS = 3_600_000.0
MAX_GAP_OF_MPEG_MS = 10_000.0
_MAX_MS = float(2**47)  # what a time in a message holds, with room for the moment when the stream began
_LEAST_STEP_MS, _MOST_STEP_MS, _PLAUSIBLE_STEP_MS = 1.0, 10_000.0, 40.0


class TimeLine:
    """Milliseconds since the first frame, never less than for the frame before.

    Args:
        step_ms: how long a frame lasts where it does not say so itself.
        max_gap_ms: a leap ahead by more is a break and no pause.

    Attributes:
        breaks: how often the stamps leapt ahead, or back, and time went on by one frame.
        guessed: frames that had no stamp of use.
        holes: how often the stamps leave out more than `HOLE_MS` where frames come much faster; `longest_hole_ms`.
    """

    def __init__(self, step_ms: float, max_gap_ms: float = MAX_GAP_MS) -> None:
        self.breaks = self.guessed = self.holes = self.longest_hole_ms = 0
        self._step = plausible_step(step_ms, _PLAUSIBLE_STEP_MS)
        self._max_gap = max_gap_ms
        self._now: float | None = None  # of the frame before
        self._stamp: float | None = None  # the newest stamp, as the file has it
        self._offset: float | None = None  # what makes a stamp a time here

    def at(self, stamp_ms: float | None, duration_ms: float | None = None) -> int:
        """The time of the next frame, in the order of showing.

        Args:
            stamp_ms: the frame's own time stamp, from any zero; None where it has none.
            duration_ms: how long the frame before is shown, None or not plausible: as long as any.
        """
        step = plausible_step(duration_ms, self._step)
        now = 0.0 if self._now is None else self._follow(self._now, stamp_ms, step)
        if stamp_ms is not None and math.isfinite(stamp_ms):
            self._stamp = stamp_ms
            self._offset = now - stamp_ms if self._offset is None else self._offset
        else:
            self.guessed += 1
        self._now = min(now, _MAX_MS)
        return round(self._now)

    def _follow(self, before: float, stamp: float | None, step: float) -> float:
        if stamp is None or not math.isfinite(stamp) or self._offset is None or self._stamp is None:
            return before + step
        there = stamp + self._offset
        if before < there <= before + self._max_gap:
            self._note_hole(there - before)
            return there
        if stamp == self._stamp and before - there <= MAX_LAG_MS:
            self.guessed += 1
            return before + step
        if before - MAX_LAG_MS <= there <= before:  # out of order, or catching up
            return before + step / 2
        self.breaks += stamp != self._stamp
        self.guessed += stamp == self._stamp
        self._offset = before + step - stamp
        return before + step

    def _note_hole(self, gap_ms: float) -> None:
        if gap_ms > max(HOLE_MS, HOLE_STEPS * self._step):
            self.holes += 1
            self.longest_hole_ms = max(self.longest_hole_ms, round(gap_ms))


def plausible_step(duration_ms: float | None, otherwise: float) -> float:
    """A frame's duration where it can be one, else `otherwise`."""
    if duration_ms is None or not _LEAST_STEP_MS <= duration_ms <= _MOST_STEP_MS:
        return otherwise
    return duration_ms
