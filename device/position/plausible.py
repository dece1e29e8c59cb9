"""Which points of a track a vehicle can have driven through, and which are left out.

Of runs (`device.position.runs`) that lie over each other in time the longest stays. Of two recordings of the same time
that contradict each other neither does: nothing tells which is of this drive.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count, groupby, pairwise, zip_longest
from typing import Final

from msgspec.structs import replace

from device.channel.messages import Fix, PlaceRepeated
from device.channel.tracks import LeftOut
from device.position.reception import accuracies_m, held_spans, still_from
from device.position.runs import MAX_PAUSE_MS, Omitted, TrackRun, joined, runs_of
from device.position.track import MAX_REPEATED, CheckedTrack, RawTrack, rounded_m
from wire.geodesy import TimedPose, between, distance_m, heading_difference
from wire.motion import MAX_GAP_MS, effort, headings

DOUBTED_MS: Final = 15_000
"""Of two runs between which no vehicle can have driven, one shorter than this is a jump of the receiver."""
MAX_COLD_MS: Final = 120_000
"""A run shorter than this, followed in its own segment by a longer one more than a day later, is of the time before
the receiver's first fix."""
CONTRADICTS_M: Final = 50.0
"""Two recordings that are further apart than this, for most of the time, are not of one vehicle."""
OTHER_WAY_DEGREES: Final = 60.0
"""A receiver's own direction of travel that differs by more from its way is of another moment or another vehicle."""
_DAY_MS: Final = 86_400_000


def checked(raw: RawTrack) -> CheckedTrack:
    """The fixes that a vehicle can have driven through, in order of time, with breaks, headings and errors."""
    out = Omitted(Counter(raw.left_out), unused=raw.unused)
    runs: list[TrackRun] = []
    off_m = rounded_m(raw.segments)
    for number, segment in enumerate(joined(_less_sure(points, off_m) for points in raw.segments)):
        runs += runs_of(number, segment, out)
    kept = _after_first_fix(runs, out)
    kept = _apart(kept, out)
    kept = _without_jumps(kept, out)
    kept = _without_repeating_before_leaps(kept, out)
    kept = kept if off_m else _without_held(kept, out)  # what is rounded tells the same place again
    jumps = _jumps(runs, kept)
    out.times.sort()
    fixes: list[Fix] = []
    contradicted = 0
    for piece in (piece for run in kept for piece in _pieces(run, jumps)):
        contradicted += _contradicted_courses(piece, raw.courses)
        fixes += _fixes(piece, raw.courses, out.times, begins=bool(fixes))
    told = [fix.utc_ms for fix in (*fixes[:1], *fixes[-1:])] + out.held
    covers = (min(told), max(told)) if told else (0, 0)
    repeated = _repeated(fixes, out.held)
    return CheckedTrack(fixes, out.counts, raw.cut, off_m, contradicted, covers, repeated, out.unused)


def _repeated(fixes: Sequence[Fix], held: Iterable[int]) -> list[PlaceRepeated]:
    """From when to when a place was only repeated, by when it was: between two fixes that is one span, and it reaches
    to those of them that are near in time."""
    times = [fix.utc_ms for fix in fixes]
    spans: list[PlaceRepeated] = []
    for index, group in groupby(sorted(held), key=lambda at: bisect_left(times, at)):
        told = list(group)
        since, until = told[0], told[-1]
        if index > 0 and since - times[index - 1] <= MAX_GAP_MS:
            since = times[index - 1]
        if index < len(times) and times[index] - until <= MAX_GAP_MS:
            until = times[index]
        spans.append(PlaceRepeated(since, until))
    longest = heapq.nlargest(MAX_REPEATED, spans, key=lambda span: span.until_utc_ms - span.from_utc_ms)
    return sorted(longest, key=lambda span: span.from_utc_ms)


def _contradicted_courses(points: Sequence[TimedPose], courses: dict[int, float]) -> int:
    """At how many points the receiver tells another direction than that of its own way."""
    told = ((courses.get(point.utc_ms), way) for point, way in zip(points, headings(points), strict=True))
    return sum(
        heading_difference(course, way) > OTHER_WAY_DEGREES
        for course, way in told
        if course is not None and way is not None
    )


def _less_sure(points: Sequence[TimedPose], off_m: float) -> Sequence[TimedPose]:
    """The points, off by this much more."""
    if not off_m:
        return points
    return [
        replace(point, pose=replace(point.pose, accuracy_m=math.hypot(point.pose.accuracy_m, off_m)))
        for point in points
    ]


def _after_first_fix(runs: list[TrackRun], out: Omitted) -> list[TrackRun]:
    """Without the runs that a receiver wrote before it knew the time."""
    kept: list[TrackRun] = []
    for run, following in zip_longest(runs, runs[1:]):
        cold = (
            following is not None
            and following.segment == run.segment
            and following.order > run.order
            and following.start - run.end > _DAY_MS
            and run.end - run.start <= MAX_COLD_MS
            and len(following.points) > len(run.points)
        )
        if cold:
            out.add(run.points, "before_fix")
        else:
            kept.append(run)
    return kept


def _apart(runs: Iterable[TrackRun], out: Omitted) -> list[TrackRun]:
    """Runs of two points and more that do not lie over each other in time, in order of time. Of two that do the longer
    stays, and of the shorter what is before and after it."""
    kept: list[TrackRun] = []
    starts: list[int] = []
    contradicted: list[tuple[int, int]] = []
    number = count()
    waiting = [(-len(run.points), run.segment, run.order, next(number), run) for run in runs]
    heapq.heapify(waiting)
    while waiting:
        run = heapq.heappop(waiting)[-1]
        first, last = max(bisect_right(starts, run.start) - 1, 0), bisect_right(starts, run.end)
        beside = [other for other in kept[first:last] if other.end >= run.start]
        if beside and len(run.points) > 1:
            contradicts = _contradicts(run, beside)
            contradicted += [(run.start, run.end)] if contradicts else []
            for part in _outside(run, beside, out, "contradicted" if contradicts else None):
                heapq.heappush(waiting, (-len(part.points), part.segment, part.order, next(number), part))
        elif beside or len(run.points) < 2:
            out.add(run.points, _why(run, kept[max(first - 1, 0) : last + 1]))
        else:
            kept.insert(last, run)
            starts.insert(last, run.start)
    return _without(kept, contradicted, out)


def _outside(run: TrackRun, beside: Sequence[TrackRun], out: Omitted, reason: LeftOut | None) -> list[TrackRun]:
    """What of a run is before, between and after the others; the rest is left out."""
    ends = [other.end for other in beside]

    def place(point: TimedPose) -> tuple[int, bool]:
        index = bisect_left(ends, point.utc_ms)
        return index, index < len(beside) and beside[index].start <= point.utc_ms

    parts: list[TrackRun] = []
    for (_, covered), points in groupby(run.points, key=place):
        if covered:
            part = list(points)
            out.add(part, reason or _why(run.cut(part), beside))
        else:
            parts.append(run.cut(list(points)))
    return parts


def _contradicts(run: TrackRun, beside: Sequence[TrackRun]) -> bool:
    """Whether a run is a second recording of the same time, of another vehicle or of none."""
    if run.end - run.start < DOUBTED_MS:
        return False
    apart: list[float] = []
    during = 0
    for other in beside:
        points = other.points  # may be many, and so may the runs that lie over them: nothing is done for each
        during += bisect_right(points, run.end, key=_time) - bisect_left(points, run.start, key=_time)
        for point in run.points:
            index = bisect_left(points, point.utc_ms, key=_time)
            if 0 < index < len(points):
                pose = between(points[index - 1], points[index], point.utc_ms)
                apart.append(distance_m(pose.lat, pose.lon, point.pose.lat, point.pose.lon))
    far = sum(metres > CONTRADICTS_M for metres in apart)
    return 2 * during >= len(run.points) and 2 * far > len(apart)


def _time(point: TimedPose) -> int:
    return point.utc_ms


def _without(runs: Sequence[TrackRun], spans: Iterable[tuple[int, int]], out: Omitted) -> list[TrackRun]:
    """The runs without what lies in these spans of time."""
    ends: dict[int, int] = {}  # of spans that do not touch, by when each begins
    begin = until = -1
    for since, end in sorted(spans):
        begin, until = (since, end) if since > until else (begin, max(until, end))
        ends[begin] = until
    begins = list(ends)

    def is_told_twice(point: TimedPose) -> bool:
        index = bisect_right(begins, point.utc_ms) - 1
        return index >= 0 and point.utc_ms <= ends[begins[index]]

    kept: list[TrackRun] = []
    for run in runs:
        for twice, points in groupby(run.points, key=is_told_twice):
            part = list(points)
            if len(part) == len(run.points) and not twice:
                kept.append(run)
            elif twice or len(part) < 2:
                out.add(part, "contradicted" if twice else "alone")
            else:
                kept.append(run.cut(part))
    return kept


def _why(run: TrackRun, beside: Sequence[TrackRun]) -> LeftOut:
    """Why a run is left out, by the runs before and after it that are kept."""
    near = [other for other in beside if max(other.start - run.end, run.start - other.end) <= MAX_PAUSE_MS]
    if not near:
        return "alone"
    if any(other.segment == run.segment for other in near) and run.parts != "alone":
        return run.parts
    return "repeated" if any(other.start <= run.end and run.start <= other.end for other in near) else "alone"


def _without_jumps(runs: list[TrackRun], out: Omitted) -> list[TrackRun]:
    """Without the short side of each jump that no vehicle can have made."""
    kept: list[TrackRun] = []
    for run in runs:
        while kept and _is_jump(kept[-1], run) and kept[-1].end - kept[-1].start < DOUBTED_MS:
            if run.end - run.start < kept[-1].end - kept[-1].start:
                break
            out.add(kept.pop().points, "impossible")
        if kept and _is_jump(kept[-1], run) and run.end - run.start < DOUBTED_MS:
            out.add(run.points, "impossible")
        else:
            kept.append(run)
    return kept


def _without_repeating_before_leaps(runs: Sequence[TrackRun], out: Omitted) -> list[TrackRun]:
    """Without the places that a receiver went on to tell after its last fix, as in a tunnel, until it leapt ahead."""
    kept = list(runs)
    for index, (run, after) in enumerate(pairwise(runs)):
        still = still_from(run.points)
        if still < len(run.points) and _is_jump(run, after):
            out.add(run.points[still:], "impossible")
            kept[index] = run.cut(run.points[:still])
    return kept


def _without_held(runs: Sequence[TrackRun], out: Omitted) -> list[TrackRun]:
    """Without the places that a receiver only repeated while the vehicle drove on."""
    kept: list[TrackRun] = []
    for run in runs:
        good = 0
        for first, end in [*held_spans(run.points), (len(run.points), len(run.points))]:
            part = run.points[good:first]
            out.add(run.points[first:end], "held")
            if len(part) > 1:
                kept.append(run if len(part) == len(run.points) else run.cut(part))
            elif part:
                out.add(part, "alone")
            good = end
    return kept


def _is_jump(before: TrackRun, after: TrackRun) -> bool:
    soon = after.start - before.end <= MAX_PAUSE_MS
    return soon and effort(before.points[-1], after.points[0], before.drove, before.over_ms) > 1.0


def _jumps(runs: Sequence[TrackRun], kept: Sequence[TrackRun]) -> list[int]:
    """When jumps of two points and more began that were left out: where the vehicle was meanwhile is not known."""
    stay = {id(run) for run in kept}
    return sorted(
        run.start for run in runs if id(run) not in stay and run.parts == "impossible" and len(run.points) > 1
    )


def _pieces(run: TrackRun, jumps: Sequence[int]) -> list[list[TimedPose]]:
    """The run's points, parted where a jump was left out."""
    pieces: list[list[TimedPose]] = [[]]
    for point in run.points:
        before = pieces[-1][-1].utc_ms if pieces[-1] else None
        if before is not None and bisect_left(jumps, before) < bisect_left(jumps, point.utc_ms):
            pieces.append([])
        pieces[-1].append(point)
    return pieces


def _fixes(
    points: Sequence[TimedPose], courses: dict[int, float], left_out: Sequence[int], *, begins: bool
) -> list[Fix]:
    told = zip(points, headings(points), accuracies_m(points, left_out), strict=True)
    return [
        Fix(
            utc_ms=point.utc_ms,
            lat=point.pose.lat,
            lon=point.pose.lon,
            heading=courses.get(point.utc_ms, heading),
            accuracy_m=accuracy,
            begins=begins and index == 0,
        )
        for index, (point, heading, accuracy) in enumerate(told)
    ]
