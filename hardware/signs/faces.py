"""The 43 faces of GTSRB as data: an outline and what is painted on it.

Geometry after the German sign catalogue (VzKat 2017), redrawn; the class numbering is that of GTSRB.
"""

from __future__ import annotations

from dataclasses import dataclass

from hardware.signs import pictograms as p
from hardware.signs.glyphs import text
from hardware.signs.shapes import (
    BLACK,
    BLUE,
    GREY,
    RED,
    WHITE,
    YELLOW,
    Colour,
    Drawing,
    Ellipse,
    Polygon,
    Shape,
    arc,
    box,
    coloured,
    disc,
    moved,
)


@dataclass(frozen=True)
class Face:
    """One sign: `outline` is the sheet of metal, `drawing` is what is painted on it, first to last."""

    outline: Polygon | Ellipse
    edge: Colour
    drawing: Drawing


def _round(edge: Colour, *drawing: Shape) -> Face:
    return Face(disc(0.0, 0.0, 1.0), edge, drawing)


def _prohibits(*drawing: Shape) -> Face:
    return _round(WHITE, disc(0, 0, 0.975, RED), disc(0, 0, 0.76, WHITE), *drawing)


def _requires(*drawing: Shape) -> Face:
    return _round(WHITE, disc(0, 0, 0.965, BLUE), *drawing)


def _ends(*drawing: Shape) -> Face:
    return _round(WHITE, disc(0, 0, 0.985, GREY), disc(0, 0, 0.95, WHITE), *coloured(drawing, GREY), *p.END_BAND)


def _limit(number: str, *, glyph: tuple[float, float] = (0.52, 0.84), gap: float = 0.1) -> Drawing:
    return text(number, glyph=glyph, stroke=0.135, gap=gap)


_UP = ((0.0, -0.8), (0.93, 0.8), (-0.93, 0.8))
_UP_FIELD = ((0.0, -0.5), (0.675, 0.65), (-0.675, 0.65))
_DOWN = ((0.0, 0.8), (0.93, -0.8), (-0.93, -0.8))
_DOWN_FIELD = ((0.0, 0.46), (0.65, -0.63), (-0.65, -0.63))


def _warns(*drawing: Shape) -> Face:
    sheet = Polygon(_UP, WHITE, 0.065)
    return Face(sheet, WHITE, (Polygon(_UP, RED, 0.045), Polygon(_UP_FIELD, WHITE, 0.02), *drawing))


def _octagon(size: float, colour: Colour) -> Polygon:
    return Polygon(arc((0.0, 0.0), (size, size), 22.5, 382.5, 8)[:-1], colour)


def _diamond(size: float, colour: Colour, rounding: float) -> Polygon:
    return Polygon(((0.0, -size), (size, 0.0), (0.0, size), (-size, 0.0)), colour, rounding)


def _overtaking(left: Drawing, colour: Colour = RED) -> Drawing:
    """The overtaking vehicle in colour, its windows white, beside the black car that is overtaken."""
    painted = tuple(shape if shape.colour == WHITE else coloured((shape,), colour)[0] for shape in left)
    return (*moved(painted, -0.36, 0.04, 1.15), *moved(p.CAR_REAR, 0.36, 0.04, 1.15))


def _faded(drawing: Drawing) -> Drawing:
    """Black and red become the grey of an ended prohibition; windows stay white."""
    return tuple(coloured((shape,), WHITE if shape.colour == WHITE else GREY)[0] for shape in drawing)


def _ends_overtaking(left: Drawing) -> Face:
    return _round(WHITE, disc(0, 0, 0.985, GREY), disc(0, 0, 0.95, WHITE), *_faded(_overtaking(left)), *p.END_BAND)


_PRIORITY_ROAD: Drawing = (
    _diamond(0.93, BLACK, 0.05),
    _diamond(0.92, WHITE, 0.04),
    _diamond(0.6, YELLOW, 0.02),
)

FACES: tuple[Face, ...] = (
    _prohibits(*_limit("20")),
    _prohibits(*_limit("30")),
    _prohibits(*_limit("50")),
    _prohibits(*_limit("60")),
    _prohibits(*_limit("70")),
    _prohibits(*_limit("80")),
    _ends(*_limit("80", glyph=(0.6, 0.98), gap=0.12)),
    _prohibits(*_limit("100", glyph=(0.4, 0.8), gap=0.075)),
    _prohibits(*_limit("120", glyph=(0.4, 0.8), gap=0.075)),
    _prohibits(*_overtaking(p.CAR_REAR)),
    _prohibits(*_overtaking(p.TRUCK_REAR)),
    _warns(*p.PRIORITY_CROSSING),
    Face(_diamond(0.94, WHITE, 0.06), WHITE, _PRIORITY_ROAD),
    Face(Polygon(_DOWN, WHITE, 0.065), WHITE, (Polygon(_DOWN, RED, 0.045), Polygon(_DOWN_FIELD, WHITE, 0.02))),
    Face(
        _octagon(1.07, WHITE),
        WHITE,
        (_octagon(1.02, RED), *text("STOP", glyph=(0.36, 0.68), stroke=0.12, gap=0.07, colour=WHITE)),
    ),
    _prohibits(),
    _prohibits(*p.TRUCK_SIDE),
    _round(WHITE, disc(0, 0, 0.975, RED), box(-0.76, -0.19, 0.76, 0.19, WHITE)),
    _warns(*p.EXCLAMATION),
    _warns(*p.CURVE_LEFT),
    _warns(*moved(p.CURVE_LEFT, flip=True)),
    _warns(*moved(p.DOUBLE_CURVE, 0.02, 0.05, 0.95)),
    _warns(*p.BUMPS),
    _warns(*p.SLIPPERY),
    _warns(*p.NARROWS_RIGHT),
    _warns(*p.ROAD_WORKS),
    _warns(*p.SIGNALS),
    _warns(*p.PEDESTRIAN),
    _warns(*p.CHILDREN),
    _warns(*p.BICYCLE),
    _warns(*p.SNOWFLAKE),
    _warns(*p.DEER),
    _round(WHITE, disc(0, 0, 0.985, GREY), disc(0, 0, 0.95, WHITE), *p.END_BAND),
    _requires(*moved(p.TURN_LEFT, flip=True)),
    _requires(*p.TURN_LEFT),
    _requires(*p.AHEAD),
    _requires(*p.AHEAD_OR_RIGHT),
    _requires(*moved(p.AHEAD_OR_RIGHT, flip=True)),
    _requires(*coloured(p.KEEP_RIGHT, WHITE)),
    _requires(*coloured(moved(p.KEEP_RIGHT, flip=True), WHITE)),
    _requires(*p.ROUNDABOUT),
    _ends_overtaking(p.CAR_REAR),
    _ends_overtaking(p.TRUCK_REAR),
)
