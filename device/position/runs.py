"""The runs of a track: the points of each segment, in order of time, parted where no vehicle can have gone on.

Each point goes on with the run that it follows with the least effort, or begins another. A receiver's slip, a jump of
six seconds or a wrong clock thus makes a short run beside the long one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from device.channel.tracks import LeftOut
from device.position.track import Span, wider
from wire.geodesy import TimedPose, distance_m
from wire.motion import MAX_GAP_MS, MAX_SPEED_M_S, NOISE, Velocity, effort, held

MAX_OPEN: Final = 4
"""So many runs of a segment may be gone on with."""
MAX_PAUSE_MS: Final = 60_000
"""A run goes on after this long at most; a jump that lasts longer is believed, with a break on both sides."""
OUTLYING: Final = 10
"""One in so many points of a segment may be of another time."""
WRITTEN_S: Final = 1.0
"""Many write times in whole seconds, however often."""


@dataclass(eq=False)
class TrackRun:
    """Points that follow each other. `order`: where its first point stands in its segment; `parts`: how it left the
    run before it, if that stays and this does not."""

    segment: int
    order: int
    points: list[TimedPose]
    parts: LeftOut = "alone"
    drove: Velocity | None = None
    over_ms: int = 0

    @property
    def start(self) -> int:
        return self.points[0].utc_ms

    @property
    def end(self) -> int:
        return self.points[-1].utc_ms

    def goes_on(self, point: TimedPose) -> float:
        """The effort to go on with `point`; more than 1: it does not."""
        return effort(self.points[-1], point, self.drove, self.over_ms) if self._soon(point) else 2.0

    def add(self, point: TimedPose) -> None:
        self.points.append(point)
        self.drove, self.over_ms = held(self.points)

    def cut(self, points: list[TimedPose]) -> TrackRun:
        """A part of this run, as it stands among the others."""
        return TrackRun(self.segment, self.order, points, self.parts)

    def _soon(self, point: TimedPose) -> bool:
        return 0 < point.utc_ms - self.end <= MAX_PAUSE_MS


@dataclass
class Omitted:
    """What is left out: how many by reason, when no vehicle can have driven so, and when a place was only repeated."""

    counts: Counter[LeftOut]
    times: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    unused: Span = (0, 0)

    def add(self, points: Sequence[TimedPose], reason: LeftOut) -> None:
        self.counts[reason] += len(points)
        for point in points:
            self.unused = wider(self.unused, point.utc_ms)
        if reason in ("impossible", "alone"):
            self.times += [point.utc_ms for point in points]
        elif reason == "held":
            self.held += [point.utc_ms for point in points]


def joined(segments: Iterable[Sequence[TimedPose]]) -> list[list[TimedPose]]:
    """The segments in order of time; those that lie over each other for the most part are one."""
    found: list[list[TimedPose]] = []
    until: float = -math.inf
    spans = [(*_span(segment), segment) for segment in segments if segment]
    for begins, ends, segment in sorted(spans, key=lambda span: span[:2]):
        if begins < until:
            found[-1].extend(segment)
        else:
            found.append(list(segment))
        until = max(until, ends)
    return found


def _span(segment: Sequence[TimedPose]) -> tuple[int, int]:
    """From when to when a segment lasts, without its earliest and latest points: few may have a wrong time."""
    times = sorted(point.utc_ms for point in segment)
    outlying = len(times) // OUTLYING
    return times[outlying], times[-1 - outlying]


def runs_of(segment: int, points: Sequence[TimedPose], out: Omitted) -> list[TrackRun]:
    """The runs of one segment, in the order in which they begin."""
    runs: list[TrackRun] = []
    open_runs: list[TrackRun] = []  # the last gone on with at the end
    for order, point in sorted(enumerate(points), key=lambda told: told[1].utc_ms):
        if any(_repeats(run.points[-1], point) for run in open_runs):
            out.add([point], "repeated")
            continue
        best = min(reversed(open_runs), key=lambda run: run.goes_on(point), default=None)
        if best is not None and best.goes_on(point) <= 1.0:
            best.add(point)
            open_runs.remove(best)
        else:
            best = _parted(TrackRun(segment, order, [point]), open_runs[-1] if open_runs else None)
            runs.append(best)
        open_runs = [*open_runs, best][-MAX_OPEN:]
    return runs


def _parted(run: TrackRun, before: TrackRun | None) -> TrackRun:
    """A run of one point as it parts from the run that was gone on with until then."""
    if before is not None:
        gap = run.start - before.end
        run.parts = "impossible" if gap else "repeated"
        before.parts = run.parts if before.parts == "alone" else before.parts
        if gap <= MAX_GAP_MS:
            run.drove, run.over_ms = before.drove, before.over_ms  # as it drove until then, elsewhere
    return run


def _repeats(before: TimedPose, point: TimedPose) -> bool:
    """Whether a point is one more of the same moment: of another receiver, or of a logger that writes whole seconds."""
    here, there = before.pose, point.pose
    near = NOISE * math.hypot(here.accuracy_m, there.accuracy_m) + MAX_SPEED_M_S * WRITTEN_S
    return before.utc_ms == point.utc_ms and distance_m(here.lat, here.lon, there.lat, there.lon) <= near
