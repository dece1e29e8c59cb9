"""What a run says on the screen of its pictures: symbols that were left out, and time in which nothing was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_IN_FLIGHT: Final = 4
"""Frames that a perception which falls may have left without its regions."""


def picture_notes(pictures: Mapping[str, float] | None) -> list[str]:
    """The lines for the summary's `pictures`, none where nothing is to be said."""
    notes = []
    alone = (pictures or {}).get("without_regions", 0)
    if alone > _IN_FLIGHT:
        notes.append(
            f"perception did not say within a second where to look for codes in {alone:.0f} frames, which were "
            "searched without that: this machine is slower than that, or perception is at fault"
        )
    carried, blank_s = (pictures or {}).get("carried_codes", 0), (pictures or {}).get("blank_s", 0)
    if carried:
        codes = "1 code was" if carried == 1 else f"{carried:.0f} codes were"
        notes.append(f"{codes} left out: carried along by this vehicle, or by another ahead, and at no sign")
    if mirrored := (pictures or {}).get("mirrored_codes", 0):
        times = "once" if mirrored == 1 else f"{mirrored:.0f} times"
        notes.append(
            f"codes were seen mirrored {times}, as in a window or another mirror, and left out there; if the camera "
            "mirrors its whole picture, set [camera] flip"
        )
    if blank_s:
        notes.append(
            f"for {blank_s:g} s the picture was blank or stood still while the vehicle drove: no sign was seen there, "
            "and none is missing; look whether the camera is covered or the recording is damaged"
        )
    return notes
