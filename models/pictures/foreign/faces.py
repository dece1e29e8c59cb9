"""What signs outside the 43 classes are made of: outlines, and what is painted across the whole sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.signs.shapes import (
    BLACK,
    GREEN,
    GREY,
    RED,
    WHITE,
    YELLOW,
    Colour,
    Drawing,
    Ellipse,
    Line,
    Polygon,
    arc,
    box,
    disc,
)
from models.pictures.foreign.contents import Content


@dataclass(frozen=True)
class Outline:
    """The sheet of a sign in the square -1..1, and the middle (height) and half the side of the field on it."""

    sheet: Polygon | Ellipse
    middle: float = 0.0
    field: float = 0.8


def _corners(*points: float, rounding: float = 0.06) -> Polygon:
    shrink = 1 - rounding
    pairs = zip(points[::2], points[1::2], strict=True)
    return Polygon(tuple((x * shrink, y * shrink) for x, y in pairs), rounding=rounding)


DISC = Outline(disc(0, 0, 1), 0, 0.6)
SQUARE = Outline(_corners(-1, -1, 1, -1, 1, 1, -1, 1), 0, 0.78)
DIAMOND = Outline(_corners(0, -1, 1, 0, 0, 1, -1, 0), 0, 0.5)
TRIANGLE = Outline(_corners(0, -0.86, 1, 0.86, -1, 0.86), 0.26, 0.4)
TURNED_TRIANGLE = Outline(_corners(0, 0.86, 1, -0.86, -1, -0.86), -0.28, 0.42)
OCTAGON = Outline(Polygon(arc((0, 0), (1.08, 1.08), 22.5, 337.5, 7)), 0, 0.7)
HEXAGON = Outline(Polygon(arc((0, 0), (1, 1), 0, 300, 5)), 0, 0.6)
PENTAGON = Outline(_corners(0, -1, 1, -0.1, 1, 1, -1, 1, -1, -0.1), 0.22, 0.62)
SHIELD = Outline(_corners(-0.8, -1, 0.8, -1, 1, 0, 0.4, 0.8, 0, 1, -0.4, 0.8, -1, 0), -0.05, 0.62)
POINTER = Outline(_corners(-1, -1, 0.6, -1, 1, 0, 0.6, 1, -1, 1), 0, 0.7)
CROSS = Outline(
    _corners(-1, -0.7, -0.7, -1, 0, -0.3, 0.7, -1, 1, -0.7, 0.3, 0, 1, 0.7, 0.7, 1, 0, 0.3, -0.7, 1, -1, 0.7, -0.3, 0),
    0,
    0.3,
)


@dataclass(frozen=True)
class Kind:
    """One kind of sign: what it is made of, and what is drawn anew each time.

    Attributes:
        system: the country or family of signs that has it.
        outline: the sheet.
        grounds: colours of the sheet; one is drawn.
        contents: what may stand on it; one is drawn.
        inks: colours of the content; one is drawn.
        rims: colours and sizes (share of the sheet) of what lies below the ground, outermost first.
        inside: size of the ground, as a share of the sheet.
        over: painted across the content.
        aspect: width over height, from and to.
        classes: GTSRB classes whose faces are taken, and changed by `change`, in place of all that.
        held_out: never shown in training, so that refusing it can be measured.
        often: weight of the kind among the patches; above 1 for kinds that are easily taken for one of the 43.
    """

    name: str
    system: str
    outline: Outline = DISC
    grounds: tuple[Colour, ...] = (WHITE,)
    contents: tuple[Content, ...] = ()
    inks: tuple[Colour, ...] = (BLACK,)
    rims: tuple[tuple[Colour, float], ...] = ()
    inside: float = 1.0
    over: Drawing = ()
    aspect: tuple[float, float] = (1.0, 1.0)
    classes: tuple[int, ...] = ()
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = np.array
    held_out: bool = False
    often: int = 1


def stripes(colour: Colour, count: int) -> Drawing:
    """Slanted stripes across the sheet."""
    step = 2.6 / count
    lefts = [-1.3 + step * index for index in range(count)]
    return tuple(
        Polygon(((-1, y), (1, y - 0.6), (1, y + step / 2 - 0.6), (-1, y + step / 2)), colour)
        for y in (left + 0.4 for left in lefts)
    )


def chevrons(colour: Colour, count: int = 2) -> Drawing:
    """Arrow heads in a row."""
    step = 2 / count
    lefts = [-1 + step * (index + 0.1) for index in range(count)]
    half = step * 0.4
    return tuple(
        Polygon(((x, -1), (x + half, -1), (x + 2 * half, 0), (x + half, 1), (x, 1), (x + half, 0)), colour)
        for x in lefts
    )


def lamps(lit: tuple[Colour, ...]) -> Drawing:
    """The three lamps of a signal head, in a sheet that is half as wide as high."""
    return tuple(Ellipse((0, y), (0.62, 0.27), colour) for y, colour in zip((-0.64, 0, 0.64), lit, strict=True))


def spokes(count: int, colour: Colour = (60, 60, 64)) -> Drawing:
    """The gaps between the spokes of a wheel."""
    turn = 360 / count
    gaps = tuple(
        Polygon(
            (*arc((0, 0), (0.62, 0.62), a, a + turn * 0.6, 6), *arc((0, 0), (0.22, 0.22), a + turn * 0.3, a, 1)), colour
        )
        for a in (index * turn for index in range(count))
    )
    return (*gaps, disc(0, 0, 0.1, colour))


def clock() -> Drawing:
    """Twelve marks and two hands."""
    marks = tuple(
        Line((*arc((0, 0), (0.76, 0.76), a, a, 1)[:1], *arc((0, 0), (0.62, 0.62), a, a, 1)[:1]), 0.07)
        for a in range(0, 360, 30)
    )
    return (*marks, Line(((0.05, 0.1), (-0.3, -0.35)), 0.1), Line(((0.0, 0.1), (0.25, -0.6)), 0.07))


def back(colour: Colour = (140, 142, 146)) -> Drawing:
    """The post and two clamps behind a sheet."""
    post = box(-0.09, -1, 0.09, 1, colour)
    return (post, *(box(-0.6, y, 0.6, y + 0.08, (100, 102, 106)) for y in (-0.3, 0.3)))


SLASH: Drawing = (Line(((-0.6, -0.6), (0.6, 0.6)), 0.15, RED),)
CROSSED: Drawing = (*SLASH, Line(((0.6, -0.6), (-0.6, 0.6)), 0.15, RED))
END: Drawing = (Line(((-1, 1), (1, -1)), 0.14, RED),)
BAR: Drawing = (box(-0.76, -0.08, 0.76, 0.08),)
BLACK_CROSS: Drawing = (Line(((-0.65, -0.65), (0.65, 0.65)), 0.15), Line(((0.65, -0.65), (-0.65, 0.65)), 0.15))
BANNED: Drawing = (Line(arc((0, 0), (0.78, 0.78), 0, 360, 40), 0.14, RED), *SLASH)
ZONE: Drawing = (Line(arc((0, -0.2), (0.72, 0.6), 0, 360, 40), 0.12, RED),)
TENT: Drawing = (Polygon(((0, -0.8), (0.85, 0.75), (-0.85, 0.75)), WHITE),)
DEAD_END: Drawing = (box(-0.15, -0.6, 0.15, 0.8, WHITE), box(-0.5, -0.75, 0.5, -0.4, RED))
STOP_AHEAD: Drawing = (Polygon(arc((0, 0), (0.55, 0.55), 22.5, 337.5, 7), RED),)
RINGS: Drawing = (disc(0, 0, 0.55, WHITE), disc(0, 0, 0.25, RED))
LIT = (RED, YELLOW, GREEN)
DARK = ((70, 20, 22), (80, 66, 20), (20, 60, 40))
GREYS = (GREY, (180, 182, 185))
