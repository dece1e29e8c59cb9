"""When the stream begins, and how sure that is: one claim made of all that say something about it.

What capture and position say of their inputs is hostile, what files say of themselves is often wrong. A camera writes
local time and labels it UTC; the time may be that of the recording's end; the clock is minutes off; a clock that was
never set, or a receiver whose week number has rolled over, gives a date long past. So a claim here is a start with the
*span* of all starts that are as possible, and what is said against a sign has to hold for each (docs/decisions/0022).
What narrows the span is a second source: the track, which the user says is of the same drive.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from device.channel.messages import ClockSource, Go
from device.launcher.errors import StartError
from device.launcher.plan import RunPlan

MAX_FACT = 2**48  # what `Milliseconds` and `FrameNumber` hold
RELEASED_MS: Final = 1000 * int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
"""The first release: nothing that Sealcam can judge was recorded before sign codes existed."""
DAY_MS: Final = 86_400_000
GIVEN_ERROR_MS: Final = 500
"""A time that a person wrote, to the second."""
LABEL_ERROR_MS: Final = 1000
"""Containers and names keep whole seconds."""
DRIFT_MS: Final = 15 * 60_000
"""How far a camera's clock that was set once may have gone wrong."""
UNKNOWN_LENGTH_MS: Final = 12 * 3_600_000
"""The longest recording, where the file does not tell its length."""
EAST_MS, WEST_MS = 14 * 3_600_000, 12 * 3_600_000
"""How far local time may be ahead of UTC, and behind it (IANA time zone database)."""
QUARTER_MS: Final = 900_000
"""Zones differ by quarters of an hour."""
TIGHT_MS: Final = 5000
"""A track that covers the video, and is longer by no more than this, was recorded together with it."""
SLACK_MS: Final = 10 * 60_000
"""How far the clocks of who made register and certificates may be ahead."""
SHORTEST_MS: Final = 2500
"""A shorter video fits too much."""
STOOD_STILL: Final = (-DAY_MS, 10 * 366 * DAY_MS)
"""A clock that nothing keeps right may have stood still for years; it hardly goes ahead."""
WEEKS_1024_MS: Final = 1024 * 7 * DAY_MS

Doubt = Literal[
    "time_missing",
    "time_impossible",
    "time_old",
    "start_guessed",
    "label_unsure",
    "track_impossible",
    "track_rollover",
    "clock_unsynchronised",
    "clock_impossible",
]
"""Why a stream's start is not sure. The words go into telemetry; their sentences stand in `device.warden.notes`."""

_NAMED = re.compile(r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_. T]?(\d\d)[-_.:]?(\d\d)[-_.:]?(\d\d)?(?!\d)")


@dataclass(frozen=True)
class StreamClock:
    """When the stream's first frame was, by whom, and what else is possible.

    Attributes:
        utc_ms: unix milliseconds, 0 where not known.
        span: from the earliest to the latest start that is possible, in milliseconds from `utc_ms`, which is in it.
        dated: whether the date is known; otherwise `utc_ms` only aligns the stream with the track.
        wall: whether this machine's clock may be used.
        doubts: why it is not sure, the gravest first.
    """

    utc_ms: int = 0
    source: ClockSource = "none"
    span: tuple[int, int] = (0, 0)
    dated: bool = True
    wall: bool = True
    doubts: tuple[Doubt, ...] = ()

    @property
    def error_ms(self) -> int:
        """How far the farthest possible start lies."""
        return max(-self.span[0], self.span[1])

    def go(self, elapsed_ms: int) -> Go:
        """The word to start."""
        earliest, latest = max(-MAX_FACT, self.span[0]), min(MAX_FACT, self.span[1])
        return Go(self.utc_ms, elapsed_ms, self.source, earliest, latest, self.dated, self.wall)


@dataclass(frozen=True)
class _Recording:
    """What is said about a recording: its own time (0: none), its length, and the track's first and last moment."""

    label_ms: int
    source: ClockSource
    zoned: bool
    length_ms: int
    track: tuple[int, int] | None


def claim(plan: RunPlan, stream: Mapping[str, int], track: Mapping[str, int], now_ms: int) -> StreamClock:
    """The stream's start, from the plan, the file's own time, its name and the track.

    Args:
        stream: capture's facts: `utc_ms`, `zoned`, `length_ms`, `frames`, `milli_fps`; 0 where the file does not tell.
        track: position's facts: `fixes`, `first_utc_ms`, `last_utc_ms`.
        now_ms: this machine's clock.

    Raises:
        StartError: the track has no moment in common with the video, and neither is known to be wrong.
    """
    wall = not _is_before(now_ms, plan)
    if plan.kind == "camera":
        return _live(plan, now_ms, wall)
    said = _recording(plan, stream, track)
    sure_ms = now_ms if wall and plan.clock_error_ms is not None else None
    kept, doubts = _without_impossible(plan, said, sure_ms)
    if plan.start.isdigit():
        made = _given(plan, kept, int(plan.start), "given")
    elif plan.start == "gps" and said.track is not None:
        made = _given(plan, replace(kept, track=said.track), said.track[0], "gps")
    elif kept.label_ms:
        made = _labelled(plan, kept)
    else:
        made = _guessed(plan, kept)
    undated = bool(made.utc_ms) and _is_impossible(made.utc_ms, sure_ms) and not plan.start.isdigit()
    if made.source in ("given", "gps"):
        doubts = [doubt for doubt in doubts if doubt != "time_impossible"]  # the file's own time was not used
    found: tuple[Doubt, ...] = (*doubts, *made.doubts, "time_impossible") if undated else (*doubts, *made.doubts)
    return replace(made, dated=made.dated and not undated, wall=wall, doubts=tuple(dict.fromkeys(found)))


def _live(plan: RunPlan, now_ms: int, wall: bool) -> StreamClock:
    """A camera: by this machine's clock."""
    if not wall:
        return StreamClock(0, "system", dated=False, wall=False, doubts=("clock_impossible",))
    if plan.clock_error_ms is None:
        return StreamClock(now_ms, "system", STOOD_STILL, doubts=("clock_unsynchronised",))
    return StreamClock(now_ms, "system", (-plan.clock_error_ms, plan.clock_error_ms))


def _recording(plan: RunPlan, stream: Mapping[str, int], track: Mapping[str, int]) -> _Recording:
    stream = {key: min(value, MAX_FACT) for key, value in stream.items()}
    track = {key: min(value, MAX_FACT) for key, value in track.items()}
    label = stream.get("utc_ms", 0)
    source: ClockSource = "container" if label else "file"
    label = label or _named_ms(plan.shown)
    by_frames = stream.get("frames", 0) * 1_000_000 // max(1, stream.get("milli_fps", 0))
    first = track.get("first_utc_ms", 0)
    span = (first, max(first, track.get("last_utc_ms", 0))) if track.get("fixes") else None
    return _Recording(
        label,
        source,
        bool(stream.get("zoned", 0)),
        min(MAX_FACT, max(by_frames, stream.get("length_ms", 0))),
        span,
    )


def _without_impossible(plan: RunPlan, said: _Recording, now_ms: int | None) -> tuple[_Recording, list[Doubt]]:
    """Without what is known to be wrong. Where video and track both are, they may still fit each other."""
    label_wrong = said.label_ms > 0 and _is_impossible(said.label_ms, now_ms)
    track_wrong = said.track is not None and _is_impossible(said.track[1], now_ms)
    if label_wrong and said.track is not None and not track_wrong:
        return replace(said, label_ms=0), ["time_impossible"]
    if label_wrong and said.track is None:
        return said, ["time_impossible"]  # told as it is, and counted for nothing
    good_ms = int(plan.start) if plan.start.isdigit() else said.label_ms
    if track_wrong and good_ms and not _is_impossible(good_ms, now_ms):
        return replace(said, track=None), ["track_rollover" if _rolled_over(said, good_ms) else "track_impossible"]
    return said, ["track_impossible"] if track_wrong else []


def _is_impossible(utc_ms: int, now_ms: int | None) -> bool:
    """Whether a recording cannot be of this time. `now_ms`: this machine's clock where that is sure."""
    return utc_ms < RELEASED_MS or (now_ms is not None and utc_ms > now_ms + DAY_MS)


def _is_before(utc_ms: int, plan: RunPlan) -> bool:
    """Whether a time is before register and certificates were made, by whose clocks too."""
    return utc_ms < 1000 * plan.newest_s - SLACK_MS


def _rolled_over(said: _Recording, start_ms: int) -> bool:
    """Whether the track would fit the video if its receiver had counted 1024 or 2048 weeks more."""
    first, last = said.track or (0, 0)
    return any(
        first + weeks <= start_ms + said.length_ms + DAY_MS and start_ms - DAY_MS <= last + weeks
        for weeks in (WEEKS_1024_MS, 2 * WEEKS_1024_MS)
    )


def _given(plan: RunPlan, said: _Recording, utc_ms: int, source: ClockSource) -> StreamClock:
    """The user says it."""
    _check_overlap(plan, said, utc_ms)
    return StreamClock(utc_ms, source, (-GIVEN_ERROR_MS, GIVEN_ERROR_MS))


def _guessed(plan: RunPlan, said: _Recording) -> StreamClock:
    """Nobody says it: the stream is taken to begin with the track, and may have begun anywhere on it."""
    if said.track is None:
        return StreamClock(0, "none", dated=False, doubts=("time_missing",))
    first, last = said.track
    if plan.offset_ms is not None:
        return _given(plan, said, max(1, first + plan.offset_ms), "given")
    anywhere = (-(said.length_ms or UNKNOWN_LENGTH_MS), last - first)
    return StreamClock(first, "guessed", _together(said, first) or anywhere, doubts=("start_guessed",))


def _labelled(plan: RunPlan, said: _Recording) -> StreamClock:
    """The file says it, and may mean another zone, or the recording's end, and its clock may be off."""
    utc_ms, confirmed = said.label_ms, said.track is not None
    old = _is_before(utc_ms, plan) and not confirmed
    doubts: tuple[Doubt, ...] = ("time_old",) if old else ()
    if plan.offset_ms is not None:
        return replace(_given(plan, said, max(1, utc_ms + plan.offset_ms), "given"), dated=not old, doubts=doubts)
    _check_overlap(plan, said, utc_ms)
    span = _together(said, utc_ms)
    if span is None:
        span, doubts = _loose(said), (*doubts, "label_unsure")
    return StreamClock(utc_ms, said.source, span, not old, doubts=doubts)


def _loose(said: _Recording) -> tuple[int, int]:
    """Every start that a label may mean: in any zone, at the begin or the end, by a clock that is off; on the track."""
    east, west = (0, 0) if said.zoned else (EAST_MS, WEST_MS)
    length = said.length_ms or UNKNOWN_LENGTH_MS
    earliest, latest = -east - length - DRIFT_MS, west + DRIFT_MS
    if said.track is not None:
        earliest = max(earliest, said.track[0] - said.label_ms - length)
        latest = min(latest, said.track[1] - said.label_ms)
    return min(0, earliest), max(0, latest)


def _together(said: _Recording, utc_ms: int) -> tuple[int, int] | None:
    """The span of starts for which the track covers the video, where that leaves hardly any room; else None.

    Two recordings that have nothing to do with each other agree then, at both ends. The room is no longer than the
    video, so that a track which goes on as long after as it began before cannot cover what comes after the video.
    """
    if said.track is None or said.length_ms < SHORTEST_MS:
        return None
    before, after = utc_ms - said.track[0], said.track[1] - utc_ms - said.length_ms
    if min(before, after) < -LABEL_ERROR_MS or before + after > min(TIGHT_MS, said.length_ms):
        return None
    return min(0, -before) - LABEL_ERROR_MS, max(0, after) + LABEL_ERROR_MS


def _overlaps(said: _Recording, utc_ms: int) -> bool:
    """Whether the video has a moment in common with the track."""
    return said.track is None or (utc_ms <= said.track[1] and said.track[0] <= utc_ms + said.length_ms)


def _check_overlap(plan: RunPlan, said: _Recording, utc_ms: int) -> None:
    """Raises StartError where the video, as it is said to begin, and its track have nothing in common."""
    if _overlaps(said, utc_ms):
        return
    first, last = said.track or (0, 0)
    zones = range(-EAST_MS, WEST_MS + 1, QUARTER_MS)
    fitting = [zone for zone in zones if _overlaps(said, utc_ms + zone)]
    hint = ""
    if said.label_ms and plan.start == "file" and plan.offset_ms is None and fitting:
        hint = f", or --offset (with {min(fitting, key=abs) // 1000:+d}, another time zone, they do)"
    raise StartError(
        f"{plan.gpx_shown} covers {_clock(first)} to {_clock(last)}, the video begins at {_clock(utc_ms)}: they do "
        "not overlap",
        f"give the matching track, or --video-start{hint}",
    )


def _named_ms(name: str) -> int:
    """The time in a file's name, as dashcams write it (20261127_101530, 2026_1127_101530, 2026-11-27-10-15), else 0."""
    found = _NAMED.search(name)
    if found is None:
        return 0
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return 0
    return round(moment.timestamp() * 1000)


def _clock(utc_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(utc_ms / 1000)) if utc_ms < 2**42 else "the far future"
