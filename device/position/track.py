"""What a track file gives before it is checked, and after."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from device.channel.messages import Fix, PlaceRepeated
from device.channel.tracks import PREFIX, LeftOut
from wire.geodesy import Pose, TimedPose

DEFAULT_ACCURACY_M: Final = 5.0
"""What a point is taken to be off by where it gives no dilution of precision, metres (a good consumer receiver)."""
MIN_ACCURACY_M: Final = 1.0
"""No point counts as better than this, whatever its dilution: a consumer receiver beside a road never is."""
SURE_M: Final = 10.0
"""A place that is less sure than this puts no code in its place (`MAX_ACCURACY_M` of verdict)."""
MOST_DECIMALS: Final = 4
"""Places that are written with so few decimals are rounded: by 8 m with four of them, by 800 m with two."""
MAX_REPEATED: Final = 64
"""Spans of a track in which a place was only repeated that verdict is told of, as many as it remembers."""
_METRES_PER_DEGREE: Final = 111_195.0
METRES_PER_HDOP: Final = 3.0
"""User equivalent range error of a consumer receiver: accuracy is about this times the horizontal dilution."""

EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01: older than any GPX file, so a receiver that says so (6 January 1980...) has had no fix yet."""
LATEST_MS: Final = 2**47  # the year 6429: beyond any receiver's clock, well inside the message's bound
MAX_LATITUDE: Final = 89.9
"""Within 11 km of a pole there is no road, and headings mean nothing."""
_NOWHERE_DEGREES: Final = 1e-4  # about 11 m around 0, 0, where receivers without a fix say they are


Span = tuple[int, int]
"""Its first and last moment, unix milliseconds; 0 where there is none."""


def wider(span: Span, utc_ms: int) -> Span:
    """The span with this moment, if it can be one."""
    if not EARLIEST_MS <= utc_ms <= LATEST_MS:
        return span
    return (min(span[0] or utc_ms, utc_ms), max(span[1], utc_ms))


@dataclass
class RawTrack:
    """The points of a file in its own order, by segment; `courses`: the direction of travel that the receiver itself
    tells, degrees by time. `left_out` counts what was no point, by reason, and `unused` is from when to when that was,
    where it has a time. `cut`: the file ends without its end."""

    segments: list[list[TimedPose]] = field(default_factory=lambda: [[]])
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    courses: dict[int, float] = field(default_factory=dict)
    cut: bool = False
    unused: Span = (0, 0)

    def add(self, utc_ms: int | None, place: tuple[float, float] | LeftOut, hdop: float | None) -> None:
        """One point of the last segment; what cannot be one is counted. `place`: degrees, or why there are none."""
        reason = place if isinstance(place, str) else unusable(utc_ms, place)
        if reason is None and utc_ms is not None and not isinstance(place, str):
            self.segments[-1].append(TimedPose(utc_ms, Pose(*place, None, accuracy_m(hdop))))
        elif reason is not None:
            self.left_out[reason] += 1
            self.unused = wider(self.unused, utc_ms or 0)

    @property
    def points(self) -> int:
        """How many points the file has, good or not."""
        return sum(map(len, self.segments)) + self.left_out.total() - self.left_out["damaged"]


@dataclass(frozen=True)
class CheckedTrack:
    """Fixes in order of time, and how many points were left out, by reason. `rounded_m`: how far places are off since
    they are rounded, 0 where they are not. `other_courses`: how many points tell another direction than their way.
    `covers`: from when to when the receiver was on, unix milliseconds: while it only repeats a place that place is no
    fix, and the recording goes on. `repeated`: from when to when it did so, in order, the longest `MAX_REPEATED`.
    `unused`: from when to when the points are that were left out, 0 where none has a time."""

    fixes: list[Fix]
    left_out: Counter[LeftOut]
    cut: bool = False
    rounded_m: float = 0.0
    other_courses: int = 0
    covers: tuple[int, int] = (0, 0)
    repeated: list[PlaceRepeated] = field(default_factory=list)
    unused: Span = (0, 0)

    def facts(self) -> dict[str, int]:
        """For warden: how many fixes from when to when, how far apart (milliseconds), and what was left out."""
        if not self.fixes:
            return {"fixes": 0}
        gaps = sorted(_gaps(self.fixes))
        return {
            "fixes": len(self.fixes),
            "first_utc_ms": min(self.covers[0] or self.fixes[0].utc_ms, self.fixes[0].utc_ms),
            "last_utc_ms": max(self.covers[1], self.fixes[-1].utc_ms),
            "breaks": sum(fix.begins for fix in self.fixes[1:]),
            "typical_ms": gaps[len(gaps) // 2] if gaps else 0,
            "longest_ms": gaps[-1] if gaps else 0,
            "cut": int(self.cut),
            "rounded_m": round(self.rounded_m),
            "other_courses": self.other_courses,
            "unused_first_utc_ms": self.unused[0],
            "unused_last_utc_ms": self.unused[1],
            "unsure": sum(fix.accuracy_m > SURE_M for fix in self.fixes),
            **{f"{PREFIX}{reason}": count for reason, count in self.left_out.items() if count},
        }


def rounded_m(segments: Iterable[Sequence[TimedPose]]) -> float:
    """How far rounded places may be off, metres: half the diagonal of a square of the grid; 0 where none is rounded."""
    angles = {angle for points in segments for point in points for angle in (point.pose.lat, point.pose.lon)}
    if not angles:
        return 0.0
    decimals = 0
    for angle in angles:
        while decimals <= MOST_DECIMALS and abs(angle - round(angle, decimals)) > 1e-9:
            decimals += 1
    return _METRES_PER_DEGREE * 10.0**-decimals / math.sqrt(2) if decimals <= MOST_DECIMALS else 0.0


def unusable(utc_ms: int | None, place: tuple[float, float]) -> LeftOut | None:
    """Why a point says nothing, by itself; None: it may be good."""
    if not (abs(place[0]) <= MAX_LATITUDE and abs(place[1]) <= 180.0):  # true for NaN too
        return "no_place"
    if utc_ms is None or utc_ms > LATEST_MS:
        return "no_time"
    nowhere = abs(place[0]) < _NOWHERE_DEGREES and abs(place[1]) < _NOWHERE_DEGREES
    return "before_fix" if utc_ms < EARLIEST_MS or nowhere else None


def accuracy_m(hdop: float | None) -> float:
    """Metres; what is no dilution of precision counts as none given."""
    if hdop is None or not 0.0 < hdop < math.inf:
        return DEFAULT_ACCURACY_M
    return min(max(hdop * METRES_PER_HDOP, MIN_ACCURACY_M), 10_000.0)


def _gaps(fixes: Iterable[Fix]) -> list[int]:
    """Milliseconds between neighbours of one segment."""
    found: list[int] = []
    before: Fix | None = None
    for fix in fixes:
        if before is not None and not fix.begins:
            found.append(fix.utc_ms - before.utc_ms)
        before = fix
    return found
