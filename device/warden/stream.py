"""When the stream begins, and how sure that is: one claim made of all that say something about it.

What capture and position say of their inputs is hostile, what files say of themselves is often wrong. A camera writes
local time and labels it UTC; the time may be that of the recording's end; the clock is minutes off; a clock that was
never set, or a receiver whose week number has rolled over, gives a date that cannot be. So a claim here is a start with
the *span* of all starts that are as possible, and what is said against a sign has to hold for each
(docs/decisions/0022). What narrows the span is a second source: the track, which the user says is of the same drive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from device.channel.messages import ClockSource, Go
from device.launcher.plan import RunPlan
from device.warden import meeting
from device.warden.dating import AHEAD_MS, DAY_MS, RELEASED_MS, STOOD_STILL, Present, Worth, is_before, named_ms
from device.warden.meeting import EAST_MS, UNKNOWN_LENGTH_MS, WEST_MS, Track
from device.warden.track import LeftOutPoints, left_out_points

MAX_FACT = 2**48  # what `Milliseconds` and `FrameNumber` hold
GIVEN_ERROR_MS: Final = 500
"""A time that a person wrote, to the second."""
LABEL_ERROR_MS: Final = 1000
"""Containers and names keep whole seconds."""
DRIFT_MS: Final = 15 * 60_000
"""How far a camera's clock that was set once may have gone wrong."""
UNCONFIRMED_MS: Final = 30 * DAY_MS
"""How far a date that nothing confirms may be off before it accuses a code of being out of its time."""
DRIFT_PPM: Final = 5000
"""How much faster or slower than the track's clock a video's may run: frames that were dropped and not counted, a rate
that was rounded. A crystal is better by far."""
NOMINAL_PPM: Final = 250_000
"""The same for a file that keeps one rate and no times: many writers put there what was asked of the camera."""
TIGHT_MS: Final = 5000
"""A track that covers the video, and is longer by no more than this, was recorded together with it."""
SHORTEST_MS: Final = 2500
"""A shorter video fits too much."""

MUCH_LEFT_OUT: Final = 0.25
"""A track of which more is left out than this share of its fixes may have been recorded for longer than it seems."""

Doubt = Literal[
    "time_missing",
    "time_impossible",
    "time_ahead",
    "time_old",
    "start_guessed",
    "start_with_track",
    "label_unsure",
    "track_impossible",
    "track_ahead",
    "track_rollover",
    "clock_unsynchronised",
    "clock_impossible",
]
"""Why a stream's start is not sure. The words go into telemetry; their sentences stand in `device.warden.notes`."""


@dataclass(frozen=True)
class StreamClock:
    """When the stream's first frame was, by whom, and what else is possible.

    Attributes:
        utc_ms: unix milliseconds, 0 where not known.
        span: from the earliest to the latest start that is possible, in milliseconds from `utc_ms`, which is in it.
        dated: whether the date is known; otherwise `utc_ms` only aligns the stream with the track.
        wall: whether this machine's clock may be used.
        rated: whether the rate of the frames is known; otherwise only the first frame has a time.
        drift_ppm: how much faster or slower than the track's clock the video's may run, parts per million.
        date_doubt: how much earlier and later than `span` says the *date* may be: accusations hold for that too.
        doubts: why it is not sure, the gravest first.
    """

    utc_ms: int = 0
    source: ClockSource = "none"
    span: tuple[int, int] = (0, 0)
    dated: bool = True
    wall: bool = True
    rated: bool = True
    drift_ppm: int = 0
    date_doubt: tuple[int, int] = (0, 0)
    doubts: tuple[Doubt, ...] = ()

    @property
    def error_ms(self) -> int:
        """How far the farthest possible start lies."""
        return max(-self.span[0], self.span[1])

    def go(self, elapsed_ms: int) -> Go:
        """The word to start."""
        earliest, latest = max(-MAX_FACT, self.span[0]), min(MAX_FACT, self.span[1])
        earlier, later = (min(MAX_FACT, doubt) for doubt in self.date_doubt)
        return Go(
            self.utc_ms,
            elapsed_ms,
            self.source,
            earliest,
            latest,
            self.dated,
            self.wall,
            self.rated,
            self.drift_ppm,
            earlier,
            later,
        )


@dataclass(frozen=True)
class _Recording:
    """What is said about a recording: its own time (0: none), its length (0: not known), and the track's ends.

    `unset`: it has a time, of a clock that was never set. `left_out`: points of the track that say nothing.
    """

    label_ms: int
    source: ClockSource
    zoned: bool
    length_ms: int
    track: Track | None
    unset: bool = False
    left_out: LeftOutPoints | None = None


def claim(plan: RunPlan, stream: Mapping[str, int], track: Mapping[str, int], now_ms: int) -> StreamClock:
    """The stream's start, from the plan, the file's own time, its name and the track.

    Args:
        stream: capture's facts: `utc_ms`, `zoned`, `unset`, `length_ms`, `frames`, `milli_fps`, `unrated`, `nominal`; 0
            where the file does not tell.
        track: position's facts: `fixes`, `first_utc_ms`, `last_utc_ms`.
        now_ms: this machine's clock.

    Raises:
        StartError: the track has no moment in common with the video, and neither is known to be wrong.
    """
    present = Present.of(plan, now_ms)
    if plan.kind == "camera":
        return _live(plan, present)
    said = _recording(plan, stream, track, present)
    kept, doubts = _without_wrong(plan, said, present)
    by_person = plan.start.isdigit()
    if by_person:
        made = _given(plan, kept, int(plan.start))
    elif plan.start == "gps" and kept.track is not None:
        made = _with_track(kept, kept.track)
    elif kept.label_ms:
        made = _labelled(plan, kept)
    else:
        made = _guessed(plan, kept)
    if made.source == "given" and not kept.label_ms:
        doubts = [doubt for doubt in doubts if doubt not in ("time_impossible", "time_ahead")]  # it was not used
    worth = present.worth(made.utc_ms) if made.utc_ms and not by_person else Worth.POSSIBLE
    if worth is Worth.WRONG or (worth is Worth.AHEAD and kept.track is None):
        made = replace(made, dated=False, doubts=() if kept.track is None else made.doubts)  # nothing rests on it
    date_doubt = (0, 0) if by_person or not made.dated else _date_doubt(made.utc_ms, kept, present)
    unused = {"label_unsure"} if kept.track is None and said.track is not None else set()  # a good track may settle it
    found = tuple(dict.fromkeys(doubt for doubt in (*doubts, *made.doubts) if doubt not in unused))
    rated, drift_ppm = not stream.get("unrated", 0), NOMINAL_PPM if stream.get("nominal", 0) else DRIFT_PPM
    return replace(made, wall=present.wall, rated=rated, drift_ppm=drift_ppm, date_doubt=date_doubt, doubts=found)


def _live(plan: RunPlan, present: Present) -> StreamClock:
    """A camera: by this machine's clock."""
    if not present.wall:
        return StreamClock(0, "system", dated=False, wall=False, doubts=("clock_impossible",))
    if plan.clock_error_ms is None:
        return StreamClock(present.utc_ms, "system", STOOD_STILL, doubts=("clock_unsynchronised",))
    return StreamClock(present.utc_ms, "system", (-plan.clock_error_ms, plan.clock_error_ms))


def _recording(plan: RunPlan, stream: Mapping[str, int], track: Mapping[str, int], present: Present) -> _Recording:
    stream = {key: min(value, MAX_FACT) for key, value in stream.items()}
    track = {key: min(value, MAX_FACT) for key, value in track.items()}
    told: list[tuple[int, ClockSource]] = [(stream.get("utc_ms", 0), "container"), (named_ms(plan.shown), "file")]
    labels = sorted((one for one in told if one[0]), key=lambda one: present.worth(one[0]))  # else in this order
    label, source = labels[0] if labels else (0, told[1][1])
    by_frames = stream.get("frames", 0) * 1_000_000 // max(1, stream.get("milli_fps", 0))
    length = 0 if stream.get("unrated", 0) else min(MAX_FACT, max(by_frames, stream.get("length_ms", 0)))
    first = track.get("first_utc_ms", 0)
    ends = (first, max(first, track.get("last_utc_ms", 0))) if track.get("fixes") else None
    zoned, unset = bool(stream.get("zoned", 0)) and source == "container", bool(stream.get("unset", 0)) and not label
    left_out = left_out_points(track)
    if left_out is not None and left_out.total <= MUCH_LEFT_OUT * track.get("fixes", 0):
        left_out = None
    return _Recording(label, source, zoned, length, ends, unset, left_out)


def _without_wrong(plan: RunPlan, said: _Recording, present: Present) -> tuple[_Recording, list[Doubt]]:
    """Without what is known to be wrong, whatever the wrong date: the other is used as far as it goes.

    Where both are wrong alike they may still fit each other, and give a place without a date. Where they do not, the
    track is kept: it alone tells a place.
    """
    start = _as_said(plan, said)
    label = present.worth(start) if start else None
    track = present.worth(said.track[1]) if said.track is not None else None
    of_label: list[Doubt] = [] if plan.start != "file" or label is None else _DOUBTS_OF_LABEL[label]
    of_label = ["time_impossible"] if said.unset and plan.start == "file" else of_label
    of_track: list[Doubt] = [] if track is None else _DOUBTS_OF_TRACK[track]
    if track is not Worth.POSSIBLE and said.track is not None and present.rolled_over(said.track):
        of_track = ["track_rollover"]
    both = [*of_label, *of_track]
    if label is None or track is None:
        return said, both
    alike = label == track or Worth.WRONG not in (label, track)
    if label == track == Worth.POSSIBLE or (alike and meeting.overlaps(said.track, start, said.length_ms)):
        return said, both
    if label < track:
        return replace(said, track=None), both
    return (said, both) if plan.start.isdigit() else (replace(said, label_ms=0), both)


_DOUBTS_OF_LABEL: Final[dict[Worth, list[Doubt]]] = {
    Worth.POSSIBLE: [],
    Worth.AHEAD: ["time_ahead"],
    Worth.WRONG: ["time_impossible"],
}
_DOUBTS_OF_TRACK: Final[dict[Worth, list[Doubt]]] = {
    Worth.POSSIBLE: [],
    Worth.AHEAD: ["track_ahead"],
    Worth.WRONG: ["track_impossible"],
}


def _as_said(plan: RunPlan, said: _Recording) -> int:
    """The start by a person or by the file, with its correction; 0 where there is none."""
    if plan.start.isdigit():
        return int(plan.start)
    return max(1, said.label_ms + (plan.offset_ms or 0)) if said.label_ms and plan.start == "file" else 0


def _date_doubt(utc_ms: int, said: _Recording, present: Present) -> tuple[int, int]:
    """How far the date may be off, where nothing confirms it.

    A date that is later than this machine's clock, which nothing keeps right: one of the two is wrong. If it is the
    date, the recording may be as old as the first release.
    """
    if utc_ms > present.utc_ms + AHEAD_MS:
        return max(0, utc_ms - RELEASED_MS), 0
    return (0, 0) if said.track is not None else (UNCONFIRMED_MS, UNCONFIRMED_MS)


def _given(plan: RunPlan, said: _Recording, utc_ms: int, *, labelled: bool = False) -> StreamClock:
    """The user says it."""
    meeting.check(plan, said.track, utc_ms, said.length_ms, labelled=labelled, left_out=said.left_out)
    return StreamClock(utc_ms, "given", (-GIVEN_ERROR_MS, GIVEN_ERROR_MS))


def _with_track(said: _Recording, track: Track) -> StreamClock:
    """The user says that the stream begins with the track: with its first fix, as far as anybody saw that."""
    span = _together(said, track[0])
    doubts: tuple[Doubt, ...] = () if span is not None else ("start_with_track",)
    return StreamClock(track[0], "gps", span or _anywhere(said, track), doubts=doubts)


def _anywhere(said: _Recording, track: Track) -> tuple[int, int]:
    """Every start, from the track's begin, for which the two have a moment in common."""
    return -(said.length_ms or UNKNOWN_LENGTH_MS), track[1] - track[0]


def _guessed(plan: RunPlan, said: _Recording) -> StreamClock:
    """Nobody says it: the stream is taken to begin with the track, and may have begun anywhere on it."""
    if said.track is None:
        doubts: tuple[Doubt, ...] = () if said.unset else ("time_missing",)
        return StreamClock(0, "none", dated=False, doubts=doubts)
    first = said.track[0]
    if plan.offset_ms is not None:
        return _given(plan, said, max(1, first + plan.offset_ms))
    return StreamClock(
        first, "guessed", _together(said, first) or _anywhere(said, said.track), doubts=("start_guessed",)
    )


def _labelled(plan: RunPlan, said: _Recording) -> StreamClock:
    """The file says it, and may mean another zone, or the recording's end, and its clock may be off."""
    utc_ms, confirmed = said.label_ms, said.track is not None
    old = is_before(utc_ms + (plan.offset_ms or 0), plan) and not confirmed
    doubts: tuple[Doubt, ...] = ("time_old",) if old else ()
    if plan.offset_ms is not None:
        made = _given(plan, said, max(1, utc_ms + plan.offset_ms), labelled=True)
        return replace(made, dated=not old, doubts=doubts)
    meeting.check(plan, said.track, utc_ms, said.length_ms, labelled=True, left_out=said.left_out)
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
