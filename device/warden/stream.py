"""When the stream begins, from what capture and position said of their inputs. Both may be hostile."""

from __future__ import annotations

import time
from collections.abc import Mapping

from device.launcher.errors import StartError
from device.launcher.plan import RunPlan

MAX_FACT = 2**48  # what `Milliseconds` and `FrameNumber` hold


def begins_at(plan: RunPlan, stream: Mapping[str, int], track: Mapping[str, int]) -> int:
    """The stream's first moment, UTC ms: as the plan says, else the file's own, else the track's, else 0 (not known).

    Args:
        stream: capture's facts: `utc_ms`, `frames`, `milli_fps`; 0 or nothing where the file does not tell.
        track: position's facts: `fixes`, `first_utc_ms`, `last_utc_ms`.

    Raises:
        StartError: the track has no moment in common with the video.
    """
    stream = {key: min(value, MAX_FACT) for key, value in stream.items()}
    track = {key: min(value, MAX_FACT) for key, value in track.items()}
    utc_ms = int(plan.start) if plan.start.isdigit() else 0 if plan.start == "gps" else stream.get("utc_ms", 0)
    if not track.get("fixes"):
        return utc_ms
    first, last = track.get("first_utc_ms", 0), track.get("last_utc_ms", 0)
    if utc_ms == 0:
        return first
    length = stream.get("frames", 0) * 1_000_000 // max(1, stream.get("milli_fps", 0))
    if last < utc_ms or (plan.kind != "camera" and first > utc_ms + length):
        raise StartError(
            f"{plan.gpx_shown} covers {_clock(first)} to {_clock(last)}, the video begins at {_clock(utc_ms)}: they do "
            "not overlap",
            "give the matching track, or --video-start",
        )
    return utc_ms


def _clock(utc_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(utc_ms / 1000)) if utc_ms < 2**42 else "the far future"
