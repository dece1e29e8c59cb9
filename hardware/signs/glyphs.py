"""Digits and letters of the signs as strokes, in the narrow upright manner of DIN 1451.

A glyph is a set of centre lines in a box of 0..1 x 0..1 (y down); `text` scales, spaces and centres them.
"""

from __future__ import annotations

from hardware.signs.shapes import BLACK, Colour, Drawing, Line, Point, arc

Strokes = tuple[tuple[Point, ...], ...]

_BOWL = 0.34  # height of a round end, in heights of the glyph

_ZERO = (*arc((0.5, _BOWL), (0.5, _BOWL), 180, 360), *arc((0.5, 1 - _BOWL), (0.5, _BOWL), 0, 180), (0.0, _BOWL))

GLYPHS: dict[str, Strokes] = {
    "0": (_ZERO,),
    "1": (((0.15, 0.22), (0.62, 0.0), (0.62, 1.0)),),
    "2": ((*arc((0.5, 0.29), (0.5, 0.29), 180, 375), (0.0, 1.0), (1.0, 1.0)),),
    "3": (
        (*arc((0.5, 0.255), (0.46, 0.255), 195, 450)[:-1], (0.4, 0.47)),
        ((0.4, 0.47), *arc((0.5, 0.735), (0.5, 0.265), 270, 525)),
    ),
    "5": (((0.92, 0.0), (0.14, 0.0), (0.07, 0.46), *arc((0.48, 0.68), (0.52, 0.32), 215, 515)),),
    "6": (((0.72, 0.0), (0.1, 0.5), *arc((0.5, 0.685), (0.5, 0.315), 190, 550)),),
    "7": (((0.0, 0.0), (1.0, 0.0), (0.34, 1.0)),),
    "8": (arc((0.5, 0.245), (0.44, 0.245), 0, 360), arc((0.5, 0.735), (0.5, 0.265), 0, 360)),
    "O": (_ZERO,),
    "P": (((0.0, 1.0), (0.0, 0.0), (0.5, 0.0), *arc((0.55, 0.28), (0.45, 0.28), 270, 450), (0.0, 0.56)),),
    "S": (
        (
            *reversed(arc((0.5, 0.26), (0.48, 0.26), 170, 335)),
            (0.12, 0.4),
            (0.88, 0.6),
            *arc((0.5, 0.74), (0.5, 0.26), 0, 165),
        ),
    ),
    "T": (((0.0, 0.0), (1.0, 0.0)), ((0.5, 0.0), (0.5, 1.0))),
}


def text(
    characters: str,
    *,
    glyph: tuple[float, float],
    stroke: float,
    gap: float,
    centre: Point = (0.0, 0.0),
    colour: Colour = BLACK,
) -> Drawing:
    """Characters in a row about `centre`.

    Args:
        characters: those of `GLYPHS`.
        glyph: outer width and height of one character, face units.
        stroke: width of the strokes.
        gap: clear distance between two characters.
        centre: middle of the whole row.
    """
    width, height = glyph
    inner_width, inner_height = width - stroke, height - stroke
    total = len(characters) * width + (len(characters) - 1) * gap
    lines: list[Line] = []
    for index, character in enumerate(characters):
        left = centre[0] - total / 2 + index * (width + gap) + stroke / 2
        top = centre[1] - height / 2 + stroke / 2
        for points in GLYPHS[character]:
            placed = tuple((left + x * inner_width, top + y * inner_height) for x, y in points)
            lines.append(Line(placed, stroke, colour))
    return tuple(lines)
