"""What a run says on the screen of its pictures: codes that were left out or not read, time in which none was seen."""

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
    unread = (pictures or {}).get("unread_codes", 0)
    if unread:
        notes.append(_unread(round(unread), round((pictures or {}).get("placed_codes", 0))))
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


def _unread(unread: int, placed: int) -> str:
    """Registered signs whose faces were seen and whose codes were not. Nobody knows whether the codes or the pictures
    are at fault, so that both are said, with what was read."""
    signs = (
        "1 registered sign was seen and its code"
        if unread == 1
        else f"{unread} registered signs were seen, their codes"
    )
    return (
        f"{signs} not read (codes that were read in their places: {placed}): SUSPECT; either a code is gone, or the "
        "picture does not show it: look whether the lens is clean and in focus"
    )
