"""Whether video and track have a moment in common, and what would make them meet where they have none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from device.launcher.errors import StartError
from device.launcher.plan import RunPlan
from device.warden.track import LeftOutPoints

UNKNOWN_LENGTH_MS: Final = 12 * 3_600_000
"""The longest recording, where the file does not tell its length."""
EAST_MS, WEST_MS = 14 * 3_600_000, 12 * 3_600_000
"""How far local time may be ahead of UTC, and behind it (IANA time zone database)."""
BESIDE_MS: Final = 3_600_000
"""Video and track that lie no further from each other may be of one drive, by clocks that disagree."""
SIMILAR: Final = 2
"""...if neither is longer than the other by more than this factor."""
_HALF_HOUR_MS: Final = 1_800_000
_ODD_ZONES_MS: Final = (20_700_000, 31_500_000, 45_900_000, 49_500_000)
"""The zones that differ from UTC by quarters of an hour: Nepal, Eucla, the Chatham Islands in winter and summer."""

Track = tuple[int, int]
"""Its first and last moment, unix milliseconds."""


def overlaps(track: Track | None, utc_ms: int, length_ms: int) -> bool:
    """Whether a video that begins then has a moment in common with the track. `length_ms`: 0 where it is not known."""
    return track is None or (utc_ms <= track[1] and track[0] <= utc_ms + (length_ms or UNKNOWN_LENGTH_MS))


def check(
    plan: RunPlan,
    track: Track | None,
    utc_ms: int,
    length_ms: int,
    *,
    labelled: bool,
    left_out: LeftOutPoints | None = None,
) -> None:
    """Raises StartError where the video, as it is said to begin, and its track have nothing in common.

    Args:
        labelled: the start is the file's own time, and not a person's.
        left_out: points of the track that say nothing: it may go on for longer than what is used of it.
    """
    if track is None or overlaps(track, utc_ms, length_ms):
        return
    meets = next(_meeting(track, utc_ms, length_ms, labelled=labelled), None)
    hint = ""
    if meets is not None and left_out is None:
        shift_ms, how = meets
        hint = f"; if they are of one drive, {option(plan, utc_ms, shift_ms)} makes them meet ({how})"
    unused, remedy = "", "give the matching track"
    if left_out is not None:
        points = "1 more point of it cannot" if left_out.total == 1 else f"{left_out.total} more points of it cannot"
        unused, remedy = f" ({points} be used: {left_out.words})", left_out.remedy
    raise StartError(
        f"{plan.gpx_shown} covers {_clock(track[0])} to {_clock(track[1])}{unused}, the video begins at "
        f"{_clock(utc_ms)}: they do not overlap",
        f"{remedy}, or --video-start TIME{hint}",
    )


def _meeting(track: Track, utc_ms: int, length_ms: int, *, labelled: bool) -> Iterator[tuple[int, str]]:
    """What the start may have to be moved by, and why, the likeliest first."""
    gap = max(utc_ms - track[1], track[0] - utc_ms - length_ms)
    known, lasts = length_ms > 0, track[1] - track[0]
    similar = known and lasts <= SIMILAR * length_ms and length_ms <= SIMILAR * lasts
    begin = track[0] - utc_ms
    if similar and gap <= BESIDE_MS:
        yield begin, "the video then begins with the track"
    if labelled:
        zones = sorted(_zones(), key=abs)
        covering = [zone for zone in zones if track[0] <= utc_ms + zone and utc_ms + zone + length_ms <= track[1]]
        meeting = [zone for zone in zones if overlaps(track, utc_ms + zone, length_ms or 1)]
        yield from ((zone, "the video's time is of another zone then") for zone in covering + meeting)
    if known and gap <= BESIDE_MS:
        yield begin, "the video then begins with the track"


def _zones() -> list[int]:
    """What turns local time that is labelled UTC into UTC, in every zone there is."""
    halves = range(-EAST_MS, WEST_MS + 1, _HALF_HOUR_MS)
    return [zone for zone in halves if zone] + [-zone for zone in _ODD_ZONES_MS]


def option(plan: RunPlan, utc_ms: int, shift_ms: int) -> str:
    """The option that moves the start by this much from `utc_ms`, where it was taken to be."""
    if plan.start == "file":
        return f"--offset {_seconds(shift_ms + (plan.offset_ms or 0))}"
    start = datetime.fromtimestamp(max(0, min(utc_ms + shift_ms, 2**42)) / 1000, UTC)
    return f"--video-start {start:%Y-%m-%dT%H:%M:%S}.{start.microsecond // 1000:03d}Z"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:+.1f}".removesuffix(".0")


def _clock(utc_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(utc_ms / 1000)) if utc_ms < 2**42 else "the far future"
