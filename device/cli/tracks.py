"""What a run says on the screen of its track: what was left out, and why places were not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from device.channel.tracks import LEFT_OUT_WORDS, MISWRITTEN_WORDS

SPARSE_S: Final = 2.0
"""From this distance between two points on, the track itself is named as what makes places unsure."""

TOO_COARSE_M: Final = 10
"""Places that are rounded by more put no code in its place."""


def track_notes(track: Mapping[str, Any] | None, name: str) -> list[str]:
    """The lines for the summary's `track`, none where nothing is to be said. `name`: the file's."""
    if not track:
        return []
    notes = []
    left_out = track["left_out"]
    if left_out:
        total = track["fixes"] + sum(left_out.values())
        reasons = ", ".join(f"{count} {LEFT_OUT_WORDS[reason]}" for reason, count in left_out.items())
        notes.append(f"{name}: {sum(left_out.values())} of {total} points left out: {reasons}")
    if track["cut_off"]:
        notes.append(f"{name} ends before its end tags, as a file that was cut off")
    rounded_m = track["rounded_m"]
    if rounded_m:
        coarse = ": too coarse to put codes in their places" if rounded_m > TOO_COARSE_M else ""
        notes.append(f"the places in {name} are rounded, by up to {rounded_m} m{coarse}")
    if track["other_courses"]:
        notes.append(
            f"{name}: in {track['other_courses']} of {track['fixes']} points the receiver tells another direction of "
            "travel than its own way: no code read there can be VERIFIED"
        )
    if track["not_believed"]:
        notes.append(f"{track['not_believed']} fixes were not believed: no vehicle can have driven so")
    unsure = track["unplaced"] + track["vague"]
    if unsure:
        notes.append(
            f"the place was not known well enough in {unsure} of {track['moments']} frames; no code read there "
            f"can be VERIFIED (place_unchecked){_why(track, name)}"
        )
    if track["nearest_sign_m"]:
        notes.append(_remote(track, name))
    return notes


def _remote(track: Mapping[str, Any], name: str) -> str:
    """That the way came near no registered sign, and how its places may have been meant."""
    metres = track["nearest_sign_m"]
    away = f"{metres / 1000:.0f} km" if metres >= 10_000 else f"{metres} m"
    hint = ""
    if track["miswritten"]:
        meant = MISWRITTEN_WORDS[track["miswritten"]]
        hint = f"; {meant} it would come near some: check how {name} was written (nothing was changed)"
    far = f"the way in {name} comes near no registered sign (the nearest is {away} away)"
    return f"{far}: none of them could be checked{hint}"


def _why(track: Mapping[str, Any], name: str) -> str:
    """What the track itself has to do with it: bad reception, points far apart, pauses and breaks."""
    breaks, unsure = track["breaks"], track["unsure"]
    if (track["rounded_m"] or 0) > TOO_COARSE_M:
        return ""
    if 2 * unsure > track["fixes"]:
        return f" ({name} is uneven or imprecise in {unsure} of its {track['fixes']} points: the reception was bad)"
    if max(track["typical_s"], track["longest_gap_s"]) < SPARSE_S and not breaks:
        return ""
    counted = f" and {breaks} break{'s' * (breaks > 1)}" if breaks else ""
    remedy = ": record a point each second" if track["typical_s"] >= SPARSE_S else ""
    gaps = f"a point each {track['typical_s']:g} s, gaps of up to {track['longest_gap_s']:g} s"
    return f" ({name} has {gaps}{counted}{remedy})"
