"""What became of the position source in a run, for `summary.json`: its own facts and verdict's. Both may be hostile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from device.channel.tracks import LEFT_OUT, PREFIX


def summarise_track(track: Mapping[str, int], places: Mapping[str, int]) -> dict[str, Any] | None:
    """The summary's `track`; None where the run had no position source.

    Args:
        track: what position said of its file when it was ready.
        places: what verdict counted: `moments`, `unplaced`, `vague`, `set_aside`.

    Returns:
        `fixes` used and `left_out` by reason; `typical_s` and `longest_gap_s` between neighbours, `breaks`; whether it
        is `cut_off`; of `moments` judged, how many were `unplaced` (no place at all) or `vague` (not known well enough
        to put a code in its place); and how many fixes were `not_believed`.
    """
    if not track.get("fixes"):
        return None
    left_out = {reason: count for reason in LEFT_OUT if (count := track.get(PREFIX + reason, 0))}
    return {
        "fixes": track["fixes"],
        "left_out": left_out,
        "typical_s": track.get("typical_ms", 0) / 1000,
        "longest_gap_s": track.get("longest_ms", 0) / 1000,
        "breaks": track.get("breaks", 0),
        "cut_off": bool(track.get("cut")),
        "moments": places.get("moments", 0),
        "unplaced": places.get("unplaced", 0),
        "vague": places.get("vague", 0),
        "not_believed": places.get("set_aside", 0),
    }
