"""Which points of a track a vehicle can have driven through, and which are left out.

The points of each segment are sorted, in the file's order, into *runs*: each point goes on with the run that it follows
with the least effort, or begins another. A receiver's slip, a jump of six seconds or a wrong clock thus makes a short
run beside the long one, and of runs that lie over each other in time the longest stays.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Final

from device.channel.messages import Fix
from device.channel.tracks import LeftOut
from device.position.track import CheckedTrack, RawTrack
from wire.geodesy import TimedPose, distance_m
from wire.motion import MAX_GAP_MS, Velocity, effort, headings, held

MAX_OPEN: Final = 4
"""So many runs of a segment may be gone on with."""
MAX_PAUSE_MS: Final = 60_000
"""A run goes on after this long at most; a jump that lasts longer is believed, with a break on both sides."""
DOUBTED_MS: Final = 15_000
"""Of two runs between which no vehicle can have driven, one shorter than this is a jump of the receiver."""
MAX_COLD_MS: Final = 120_000
"""A run shorter than this, followed in its own segment by a longer one more than a day later, is of the time before
the receiver's first fix."""
_DAY_MS: Final = 86_400_000
_SAME_PLACE_M: Final = 1.0


@dataclass(eq=False)
class _Run:
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

    def _soon(self, point: TimedPose) -> bool:
        return 0 < point.utc_ms - self.end <= MAX_PAUSE_MS


def checked(raw: RawTrack) -> CheckedTrack:
    """The fixes that a vehicle can have driven through, in order of time, with breaks and headings."""
    left_out = Counter(raw.left_out)
    runs: list[_Run] = []
    for number, segment in enumerate(raw.segments):
        runs += _runs(number, segment, left_out)
    kept = _after_first_fix(runs, left_out)
    kept = _apart(kept, left_out)
    kept = _without_jumps(kept, left_out)
    jumps = _jumps(runs, kept)
    pieces = [piece for run in kept for piece in _pieces(run, jumps)]
    fixes = [fix for index, piece in enumerate(pieces) for fix in _fixes(piece, raw.courses, begins=index > 0)]
    return CheckedTrack(fixes, left_out, raw.cut)


def _runs(segment: int, points: Sequence[TimedPose], left_out: Counter[LeftOut]) -> list[_Run]:
    """The runs of one segment, in the order in which they begin."""
    runs: list[_Run] = []
    open_runs: list[_Run] = []  # the last gone on with at the end
    for order, point in enumerate(_forward(points)):
        if any(_repeats(run.points[-1], point) for run in open_runs):
            left_out["repeated"] += 1
            continue
        best = min(reversed(open_runs), key=lambda run: run.goes_on(point), default=None)
        if best is not None and best.goes_on(point) <= 1.0:
            best.add(point)
            open_runs.remove(best)
        else:
            best = _parted(_Run(segment, order, [point]), open_runs[-1] if open_runs else None)
            runs.append(best)
        open_runs = [*open_runs, best][-MAX_OPEN:]
    return runs


def _forward(points: Sequence[TimedPose]) -> Sequence[TimedPose]:
    """The points with the oldest first: some programs write a segment backwards."""
    back = sum(after.utc_ms < before.utc_ms for before, after in pairwise(points))
    return points if 2 * back < len(points) else points[::-1]


def _parted(run: _Run, before: _Run | None) -> _Run:
    """A run of one point as it parts from the run that was gone on with until then."""
    if before is not None:
        gap = run.start - before.end
        run.parts = "impossible" if gap > 0 else "out_of_order" if gap else "repeated"
        before.parts = run.parts if before.parts == "alone" else before.parts
        if abs(gap) <= MAX_GAP_MS:
            run.drove, run.over_ms = before.drove, before.over_ms  # as it drove until then, elsewhere
    return run


def _repeats(before: TimedPose, point: TimedPose) -> bool:
    here, there = before.pose, point.pose
    return before.utc_ms == point.utc_ms and distance_m(here.lat, here.lon, there.lat, there.lon) <= _SAME_PLACE_M


def _after_first_fix(runs: list[_Run], left_out: Counter[LeftOut]) -> list[_Run]:
    """Without the runs that a receiver wrote before it knew the time."""
    kept: list[_Run] = []
    for run, following in zip_longest(runs, runs[1:]):
        cold = (
            following is not None
            and following.segment == run.segment
            and following.start - run.end > _DAY_MS
            and run.end - run.start <= MAX_COLD_MS
            and len(following.points) > len(run.points)
        )
        if cold:
            left_out["before_fix"] += len(run.points)
        else:
            kept.append(run)
    return kept


def _apart(runs: list[_Run], left_out: Counter[LeftOut]) -> list[_Run]:
    """Runs of two points and more that do not lie over each other in time, the longest first; in order of time."""
    kept: list[_Run] = []
    starts: list[int] = []
    for run in sorted(runs, key=lambda run: (-len(run.points), run.segment, run.order)):
        place = bisect_left(starts, run.start)
        free = (place == 0 or kept[place - 1].end < run.start) and (place == len(kept) or run.end < kept[place].start)
        if free and len(run.points) > 1:
            kept.insert(place, run)
            starts.insert(place, run.start)
        else:
            left_out[_why(run, kept[:place][-1:] + kept[place:][:1])] += len(run.points)
    return kept


def _why(run: _Run, beside: Sequence[_Run]) -> LeftOut:
    """Why a run is left out, by the runs before and after it that are kept."""
    near = [other for other in beside if max(other.start - run.end, run.start - other.end) <= MAX_PAUSE_MS]
    if not near:
        return "alone"
    if any(other.segment == run.segment for other in near) and run.parts != "alone":
        return run.parts
    return "repeated" if any(other.start <= run.end and run.start <= other.end for other in near) else "alone"


def _without_jumps(runs: list[_Run], left_out: Counter[LeftOut]) -> list[_Run]:
    """Without the short side of each jump that no vehicle can have made."""
    kept: list[_Run] = []
    for run in runs:
        while kept and _is_jump(kept[-1], run) and kept[-1].end - kept[-1].start < DOUBTED_MS:
            if run.end - run.start < kept[-1].end - kept[-1].start:
                break
            left_out["impossible"] += len(kept.pop().points)
        if kept and _is_jump(kept[-1], run) and run.end - run.start < DOUBTED_MS:
            left_out["impossible"] += len(run.points)
        else:
            kept.append(run)
    return kept


def _is_jump(before: _Run, after: _Run) -> bool:
    soon = after.start - before.end <= MAX_PAUSE_MS
    return soon and effort(before.points[-1], after.points[0], before.drove, before.over_ms) > 1.0


def _jumps(runs: Sequence[_Run], kept: Sequence[_Run]) -> list[int]:
    """When jumps of two points and more began that were left out: where the vehicle was meanwhile is not known."""
    stay = {id(run) for run in kept}
    return sorted(
        run.start for run in runs if id(run) not in stay and run.parts == "impossible" and len(run.points) > 1
    )


def _pieces(run: _Run, jumps: Sequence[int]) -> list[list[TimedPose]]:
    """The run's points, parted where a jump was left out."""
    pieces: list[list[TimedPose]] = [[]]
    for point in run.points:
        before = pieces[-1][-1].utc_ms if pieces[-1] else None
        if before is not None and bisect_left(jumps, before) < bisect_left(jumps, point.utc_ms):
            pieces.append([])
        pieces[-1].append(point)
    return pieces


def _fixes(points: Sequence[TimedPose], courses: dict[int, float], *, begins: bool) -> list[Fix]:
    return [
        Fix(
            utc_ms=point.utc_ms,
            lat=point.pose.lat,
            lon=point.pose.lon,
            heading=courses.get(point.utc_ms, heading),
            accuracy_m=point.pose.accuracy_m,
            begins=begins and index == 0,
        )
        for index, (point, heading) in enumerate(zip(points, headings(points), strict=True))
    ]
