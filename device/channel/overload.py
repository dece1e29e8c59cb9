"""When a reader that cannot keep up with the frames does less for each of them, and when it does all again.

Skipping frames is the first step, and needs no decision: a reader gets the newest frame after each answer. Only when it
judges too few frames a second *and* skips frames for it does it lighten its work. It goes back when it judges so fast
that the whole work would leave it fast enough, by what both ways have cost so far. Both limits lie apart, and each way
is kept for a while. Nothing here depends on a clock: times are the stream's, costs are given.
"""

from __future__ import annotations

import statistics
from collections import deque
from typing import Final

WINDOW_MS: Final = 2000
"""Frames that are looked back at, in stream time; a decision rests on no less."""
SKIPPED: Final = 0.2
"""A reader that skips less than this share of the frames keeps up: the camera is slow, not the reader."""
BACK: Final = 1.3
"""How much faster than where it was lightened a reader has to be able to go with the whole work..."""
STAY_MS: Final = 5000
"""...and how long it goes on in the lighter way at least."""
_FIRST_RATIO: Final = 1.6  # what the whole work costs beside the lighter, until that is measured
_MAX_RATIO: Final = 8.0
_MAX_FRAMES: Final = 512


class Overload:
    """Whether a reader works in the lighter way.

    Args:
        least_fps: below this rate of judged frames the work is lightened, if frames are skipped.
    """

    def __init__(self, least_fps: float) -> None:
        self._least = least_fps
        self._frames: deque[tuple[int, int, float]] = deque(maxlen=_MAX_FRAMES)  # number, time, seconds of work
        self._ratio = _FIRST_RATIO
        self._whole_seconds: float | None = None
        self._since_ms = 0
        self.light = False

    def judged(self, frame: int, t_ms: int, seconds: float) -> bool:
        """Notes a frame that was judged, and how long that took. Returns whether the way of working has changed."""
        if self._frames and (frame <= self._frames[-1][0] or t_ms < self._frames[-1][1]):
            self._frames.clear()  # another stream, or nothing that can be reckoned with
        self._frames.append((frame, t_ms, seconds))
        while len(self._frames) > 2 and t_ms - self._frames[1][1] >= WINDOW_MS:
            self._frames.popleft()
        span = t_ms - self._frames[0][1]
        if span < WINDOW_MS and len(self._frames) < _MAX_FRAMES:
            return False
        return self._lighten(t_ms, span) if not self.light else self._restore(t_ms)

    def _lighten(self, t_ms: int, span: int) -> bool:
        judged, came = len(self._frames) - 1, self._frames[-1][0] - self._frames[0][0]
        if judged * 1000.0 >= self._least * span or judged > (1.0 - SKIPPED) * came:
            return False
        self._whole_seconds = self._cost()
        self._change(t_ms, light=True)
        return True

    def _restore(self, t_ms: int) -> bool:
        """By the reader's own speed, not by how many frames came: it may have been waiting for them."""
        cost = self._cost()
        if self._whole_seconds is not None:  # the first look since the change: under the same load as before it
            self._ratio = min(max(self._whole_seconds / max(cost, 1e-6), 1.0), _MAX_RATIO)
            self._whole_seconds = None
        if t_ms - self._since_ms < STAY_MS or cost * self._ratio * self._least * BACK > 1.0:
            return False
        self._change(t_ms, light=False)
        return True

    def _cost(self) -> float:
        return statistics.fmean(seconds for _, _, seconds in self._frames)

    def _change(self, t_ms: int, *, light: bool) -> None:
        self.light, self._since_ms = light, t_ms
        self._frames.clear()
