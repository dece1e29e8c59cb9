"""Which faces rest in the picture while a code panel goes by them: these are of no sign that stands at the way.

A face and a panel of one sign are at one distance, so that they grow and move together. A picture of a sign on the
windscreen, a logo or a reflection does neither, whatever panel comes near it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from device.verdict.state import MAX_VOTED, Beside, FaceTrack, Motion, PanelTrack
from device.verdict.tracking.motion import predicted, size

SEEN_WITHIN_MS: Final = 70
"""Only a face that was just seen is compared: where one is now that was seen once and lost, nobody knows..."""
NEAR_SIZES: Final = 4.0
"""...and only one within so many sizes of the panel."""
RESTS_SIZES: Final = 0.25
RESTS_RATIO: Final = 1.2
"""A face rests that stays within so many of its sizes, and whose width and height stay within this ratio..."""
PASSES_SIZES: Final = 0.75
PASSES_RATIO: Final = 1.5
"""...and a panel goes by it that has meanwhile moved by so many of its sizes, or grown so much: thrice as far, at
least, as the face."""


def compare(panel: PanelTrack, faces: Sequence[FaceTrack], t_ms: int) -> None:
    """Notes where the faces around a panel are that was read at this time, and which of them it has gone by."""
    known = {face.number for face in faces}
    panel.beside = {number: pair for number, pair in panel.beside.items() if number in known}
    for _, face in sorted(_around(panel, faces, t_ms), key=lambda found: (found[0], found[1].number)):
        there, here = predicted(face.motion, t_ms), predicted(panel.motion, t_ms)
        pair = panel.beside.get(face.number)
        if pair is None:
            if len(panel.beside) < MAX_VOTED:
                panel.beside[face.number] = Beside(there, here)
        elif pair.parted:
            continue
        elif not _rests(pair.face, there):
            panel.beside[face.number] = Beside(there, here)
        else:
            pair.parted = _has_passed(pair.panel, here)


def _around(panel: PanelTrack, faces: Sequence[FaceTrack], t_ms: int) -> list[tuple[float, FaceTrack]]:
    found = []
    for face in faces:
        away = math.hypot(face.motion.x - panel.motion.x, face.motion.y - panel.motion.y)
        near = away <= NEAR_SIZES * max(size(face.motion), size(panel.motion)) or face.number in panel.beside
        if near and t_ms - face.motion.t_ms <= SEEN_WITHIN_MS:
            found.append((away, face))
    return found


def _rests(home: Motion, here: Motion) -> bool:
    # width and height each: of a face at the picture's edge one grows and the other is cut off
    ratios = abs(math.log(here.w / home.w)), abs(math.log(here.h / home.h))
    return math.hypot(here.x - home.x, here.y - home.y) <= RESTS_SIZES * size(home) and max(ratios) <= math.log(
        RESTS_RATIO
    )


def _has_passed(home: Motion, here: Motion) -> bool:
    moved = math.hypot(here.x - home.x, here.y - home.y)
    return moved >= PASSES_SIZES * size(home) or abs(math.log(size(here) / size(home))) >= math.log(PASSES_RATIO)
