"""What became of the position source in a run, for `summary.json`: its own facts and verdict's. Both may be hostile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from device.channel.tracks import LEFT_OUT, LEFT_OUT_REMEDIES, LEFT_OUT_WORDS, MISWRITTEN, PREFIX, LeftOut

PLACES: Final = ("moments", "unplaced", "vague", "set_aside", "remote_m", "miswritten")
"""The facts of verdict that the summary is made of."""


@dataclass(frozen=True)
class LeftOutPoints:
    """The points of a track that were left out: how many in all, and for which reason most of them."""

    total: int
    most: LeftOut
    of_most: int

    @property
    def words(self) -> str:
        """Why, for the user."""
        return f"{'most ' if self.of_most < self.total else ''}{LEFT_OUT_WORDS[self.most]}"

    @property
    def remedy(self) -> str:
        """What helps against the reason of most of them."""
        return LEFT_OUT_REMEDIES[self.most]


def left_out_points(track: Mapping[str, int]) -> LeftOutPoints | None:
    """What position says that it left out; None: nothing."""
    counts = {reason: track.get(PREFIX + reason, 0) for reason in LEFT_OUT}
    most = max(counts, key=lambda reason: counts[reason])
    return LeftOutPoints(sum(counts.values()), most, counts[most]) if counts[most] else None


def summarise_track(track: Mapping[str, int], places: Mapping[str, int]) -> dict[str, Any] | None:
    """The summary's `track`; None where the run had no position source.

    Args:
        track: what position said of its file when it was ready.
        places: what verdict counted, by `PLACES`.

    Returns:
        `fixes` used and `left_out` by reason; `typical_s` and `longest_gap_s` between neighbours, `unsure` (how many
        are not good enough to put a code in its place), `breaks`; whether it is `cut_off`; by how many metres its
        places are rounded (`rounded_m`); in how many points the receiver tells another direction than its way
        (`other_courses`); of `moments` judged, how many were `unplaced` (no place at all) or `vague` (not known well
        enough to put a code in its place); how many fixes were `not_believed`; and, where the way came near no
        registered sign, how far the nearest was (`nearest_sign_m`), and how its places may have been meant
        (`miswritten`).
    """
    if not track.get("fixes"):
        return None
    meant = places.get("miswritten", 0)
    left_out = {reason: count for reason in LEFT_OUT if (count := track.get(PREFIX + reason, 0))}
    return {
        "fixes": track["fixes"],
        "left_out": left_out,
        "typical_s": track.get("typical_ms", 0) / 1000,
        "longest_gap_s": track.get("longest_ms", 0) / 1000,
        "unsure": track.get("unsure", 0),
        "breaks": track.get("breaks", 0),
        "cut_off": bool(track.get("cut")),
        "rounded_m": track.get("rounded_m", 0) or None,
        "other_courses": track.get("other_courses", 0),
        "moments": places.get("moments", 0),
        "unplaced": places.get("unplaced", 0),
        "vague": places.get("vague", 0),
        "not_believed": places.get("set_aside", 0),
        "nearest_sign_m": places.get("remote_m") or None,
        "miswritten": MISWRITTEN[meant - 1] if 0 < meant <= len(MISWRITTEN) else None,
    }
