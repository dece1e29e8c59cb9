"""Silhouettes on the signs, simplified, in face coordinates. Black unless the sign says otherwise."""

from __future__ import annotations

import math

from hardware.signs.shapes import (
    BLACK,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    Colour,
    Drawing,
    Line,
    Point,
    Polygon,
    arc,
    box,
    disc,
    moved,
)


def arrow(path: tuple[Point, ...], width: float, head: float, colour: Colour = WHITE) -> Drawing:
    """A stroke along `path` whose last segment ends in a solid arrow head, `head` wide and 0.8 `head` long."""
    (x0, y0), (x1, y1) = path[-2:]
    length = math.hypot(x1 - x0, y1 - y0)
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    base = x1 - ux * head * 0.8, y1 - uy * head * 0.8
    sides = (base[0] - uy * head / 2, base[1] + ux * head / 2), (base[0] + uy * head / 2, base[1] - ux * head / 2)
    return (Line((*path[:-1], base), width, colour), Polygon(((x1, y1), sides[0], sides[1]), colour))


def open_arrow(path: tuple[Point, ...], width: float, head: float, colour: Colour = WHITE) -> Drawing:
    """A stroke along `path` whose end is a chevron, as on the blue signs: two limbs at 45 degrees."""
    (x0, y0), (x1, y1) = path[-2:]
    length = math.hypot(x1 - x0, y1 - y0)
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    limbs = tuple(
        Line(((x1, y1), (x1 - head * (ux + side * uy) * 0.5, y1 - head * (uy - side * ux) * 0.5)), width, colour)
        for side in (-1.0, 1.0)
    )
    return (Line(path, width, colour), *limbs)


CAR_REAR: Drawing = (
    Polygon(((-0.17, -0.17), (0.17, -0.17), (0.22, -0.01), (-0.22, -0.01))),
    box(-0.27, -0.02, 0.27, 0.12),
    box(-0.25, 0.12, -0.13, 0.2),
    box(0.13, 0.12, 0.25, 0.2),
    Polygon(((-0.13, -0.13), (0.13, -0.13), (0.16, -0.03), (-0.16, -0.03)), WHITE),
)

TRUCK_REAR: Drawing = (
    box(-0.26, -0.42, 0.26, 0.08),
    box(-0.22, 0.08, -0.1, 0.2),
    box(0.1, 0.08, 0.22, 0.2),
    box(-0.26, 0.08, 0.26, 0.11),
)

TRUCK_SIDE: Drawing = (
    box(-0.14, -0.3, 0.6, 0.16),
    Polygon(((-0.58, 0.16), (-0.58, 0.0), (-0.48, -0.22), (-0.18, -0.22), (-0.18, 0.16))),
    Polygon(((-0.5, -0.01), (-0.44, -0.15), (-0.32, -0.15), (-0.32, -0.01)), WHITE),
    box(-0.58, 0.12, 0.6, 0.18),
    disc(-0.38, 0.2, 0.13, WHITE),
    disc(-0.38, 0.2, 0.1),
    disc(0.3, 0.2, 0.13, WHITE),
    disc(0.3, 0.2, 0.1),
)

EXCLAMATION: Drawing = (
    Polygon(((-0.09, -0.34), (0.09, -0.34), (0.055, 0.32), (-0.055, 0.32)), rounding=0.015),
    disc(0.0, 0.5, 0.1),
)

PRIORITY_CROSSING: Drawing = (
    box(-0.13, -0.14, 0.13, 0.52),
    Polygon(((0.0, -0.34), (0.24, -0.02), (-0.24, -0.02))),
    Polygon(((-0.13, 0.5), (0.13, 0.5), (0.13, 0.62), (0.0, 0.54), (-0.13, 0.62))),
    box(-0.38, 0.17, 0.38, 0.3),
)

CURVE_LEFT: Drawing = (
    Line(((0.16, 0.52), (0.16, 0.24), *arc((-0.02, 0.24), (0.18, 0.2), 0, -90, 10), (-0.12, 0.04)), 0.15),
    Polygon(((-0.42, 0.04), (-0.12, -0.16), (-0.12, 0.24))),
)

DOUBLE_CURVE: Drawing = (
    Polygon(((-0.17, 0.02), (-0.17, -0.1), (-0.32, -0.1), (-0.1, -0.36), (0.12, -0.1), (-0.03, -0.1), (-0.03, 0.06))),
    Polygon(((-0.17, 0.3), (-0.17, -0.1), (-0.03, -0.1), (-0.03, 0.1), (0.22, 0.2), (0.22, 0.34), (0.08, 0.36))),
    Polygon(((0.08, 0.28), (0.22, 0.2), (0.22, 0.62), (0.15, 0.56), (0.08, 0.62))),
)

BUMPS: Drawing = (
    box(-0.52, 0.42, 0.52, 0.56),
    Polygon((*arc((-0.23, 0.44), (0.21, 0.22), 180, 360), (-0.02, 0.44))),
    Polygon((*arc((0.23, 0.44), (0.21, 0.22), 180, 360), (0.44, 0.44))),
)

SLIPPERY: Drawing = (
    *moved(CAR_REAR, 0.02, 0.02),
    Line(((-0.2, 0.26), (-0.3, 0.36), (-0.12, 0.44), (-0.34, 0.58)), 0.07),
    Line(((0.2, 0.26), (0.1, 0.36), (0.3, 0.44), (0.06, 0.58)), 0.07),
)

NARROWS_RIGHT: Drawing = (
    Line(((-0.16, 0.6), (-0.16, -0.22)), 0.1),
    Polygon(((0.31, 0.64), (0.21, 0.64), (0.19, 0.3), (0.02, 0.12), (0.02, -0.26), (0.12, -0.26), (0.12, 0.06))),
    Polygon(((0.12, 0.06), (0.29, 0.26), (0.31, 0.64), (0.21, 0.64))),
)

ROAD_WORKS: Drawing = (
    disc(-0.02, -0.22, 0.095),
    Line(((-0.06, -0.1), (-0.2, 0.18)), 0.16),
    Line(((-0.2, 0.18), (-0.1, 0.38), (-0.16, 0.62)), 0.1),
    Line(((-0.22, 0.18), (-0.3, 0.4), (-0.42, 0.62)), 0.1),
    Line(((-0.04, -0.06), (0.1, 0.14), (-0.02, 0.24)), 0.075),
    Line(((-0.16, 0.02), (0.24, 0.5)), 0.05),
    Polygon(((0.02, 0.64), (0.22, 0.42), (0.38, 0.36), (0.56, 0.64))),
)

SIGNALS: Drawing = (disc(0.0, -0.2, 0.14, RED), disc(0.0, 0.15, 0.14, YELLOW), disc(0.0, 0.5, 0.14, GREEN))

WALKER: Drawing = (
    disc(0.02, -0.36, 0.1),
    Polygon(((-0.1, -0.22), (0.12, -0.22), (0.14, 0.18), (-0.1, 0.18)), rounding=0.02),
    Line(((0.08, 0.16), (0.16, 0.38), (0.28, 0.6)), 0.1),
    Line(((-0.05, 0.16), (-0.1, 0.38), (-0.26, 0.6)), 0.1),
    Line(((0.12, -0.18), (0.26, 0.08)), 0.07),
    Line(((-0.1, -0.18), (-0.24, 0.1)), 0.07),
)

PEDESTRIAN: Drawing = (
    *moved(WALKER, 0.0, 0.06, 0.86),
    *(box(x - 0.055, 0.62, x + 0.055, 0.68) for x in (-0.5, -0.25, 0.0, 0.25, 0.5)),
)

_RUNNER: Drawing = (
    disc(0.06, -0.36, 0.11),
    Line(((0.02, -0.2), (-0.04, 0.12)), 0.17),
    Line(((-0.04, 0.12), (0.16, 0.28), (0.12, 0.56)), 0.1),
    Line(((-0.06, 0.12), (-0.16, 0.36), (-0.36, 0.46)), 0.1),
    Line(((0.04, -0.18), (0.22, -0.02), (0.34, -0.12)), 0.07),
    Line(((0.0, -0.18), (-0.2, -0.06), (-0.26, 0.1)), 0.07),
)

CHILDREN: Drawing = (*moved(_RUNNER, 0.2, 0.2, 0.78, flip=True), *moved(_RUNNER, -0.26, 0.33, 0.55, flip=True))

BICYCLE: Drawing = (
    Line(arc((-0.3, 0.42), (0.2, 0.2), 0, 360, 40), 0.05, closed=True),
    Line(arc((0.3, 0.42), (0.2, 0.2), 0, 360, 40), 0.05, closed=True),
    Line(((-0.3, 0.42), (-0.13, 0.13), (0.17, 0.13), (0.02, 0.42), (-0.3, 0.42)), 0.05),
    Line(((0.02, 0.42), (-0.16, 0.04)), 0.05),
    Line(((0.3, 0.42), (0.15, 0.02), (0.26, -0.03)), 0.05),
    Line(((-0.25, 0.03), (-0.08, 0.03)), 0.07),
)


def _turned(points: tuple[Point, ...], degrees: float, centre: Point) -> tuple[Point, ...]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple((centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos) for x, y in points)


def _snowflake(centre: Point) -> Drawing:
    strokes = (((0.0, 0.0), (0.0, -0.36)), ((-0.12, -0.3), (0.0, -0.18), (0.12, -0.3)))
    return tuple(Line(_turned(stroke, turn, centre), 0.065) for turn in range(0, 360, 60) for stroke in strokes)


SNOWFLAKE: Drawing = _snowflake((0.0, 0.22))

_LEAPER: Drawing = (
    Polygon(((-0.2, 0.06), (0.12, 0.14), (0.32, 0.3), (0.36, 0.4), (0.2, 0.42), (-0.02, 0.32), (-0.22, 0.24))),
    Polygon(((-0.22, 0.24), (-0.34, -0.08), (-0.22, -0.1), (-0.04, 0.12))),
    Polygon(((-0.5, -0.02), (-0.34, -0.18), (-0.2, -0.12), (-0.24, 0.0), (-0.44, 0.03)), rounding=0.01),
    Line(((-0.29, -0.16), (-0.24, -0.38)), 0.045),
    Line(((-0.27, -0.26), (-0.36, -0.36)), 0.04),
    Line(((-0.25, -0.14), (-0.1, -0.34)), 0.045),
    Line(((-0.16, -0.25), (-0.04, -0.27)), 0.04),
    Line(((-0.16, 0.26), (-0.38, 0.3), (-0.42, 0.48)), 0.06),
    Line(((-0.12, 0.3), (-0.3, 0.4), (-0.26, 0.56)), 0.06),
    Line(((0.26, 0.36), (0.3, 0.5), (0.5, 0.62)), 0.07),
    Line(((0.32, 0.36), (0.44, 0.44), (0.56, 0.5)), 0.06),
    Line(((0.34, 0.32), (0.44, 0.26)), 0.05),
)

DEER: Drawing = moved(_LEAPER, -0.01, 0.14, 0.86)

TURN_LEFT: Drawing = open_arrow(
    ((0.3, 0.62), (0.3, 0.12), *arc((0.0, 0.12), (0.3, 0.34), 0, -90, 12), (-0.52, -0.22)), 0.19, 0.62
)

AHEAD: Drawing = open_arrow(((0.0, 0.7), (0.0, -0.62)), 0.2, 0.78)

AHEAD_OR_RIGHT: Drawing = (
    *arrow(((-0.28, 0.72), (-0.28, -0.74)), 0.18, 0.52),
    *arrow(((-0.28, 0.64), (-0.28, 0.36), *arc((-0.08, 0.36), (0.2, 0.2), 180, 270, 8), (0.76, 0.16)), 0.18, 0.52),
)

KEEP_RIGHT: Drawing = open_arrow(((-0.47, -0.47), (0.5, 0.5)), 0.22, 0.8)


def _ring_arrow(start: float) -> Drawing:
    """One third of the roundabout sign: counter-clockwise on the screen, its head at the end."""
    radius = 0.56
    curve = arc((0.0, 0.0), (radius, radius), start, start - 62, 14)
    angle = math.radians(start - 60)
    tip = math.radians(start - 96)
    middle = radius * math.cos(tip), radius * math.sin(tip)
    out, inner = radius + 0.21, radius - 0.21
    outer_point = out * math.cos(angle), out * math.sin(angle)
    inner_point = inner * math.cos(angle), inner * math.sin(angle)
    return (Line(curve, 0.17, WHITE), Polygon((middle, outer_point, inner_point), WHITE))


ROUNDABOUT: Drawing = tuple(shape for start in (335, 215, 95) for shape in _ring_arrow(start))

END_BAND: Drawing = tuple(
    Line(((-0.62 + reach + d, 0.62 - reach + d), (0.62 - reach + d, -0.62 + reach + d)), 0.05, BLACK)
    for d, reach in ((-0.17, 0.03), (-0.085, 0.01), (0.0, 0.0), (0.085, 0.01), (0.17, 0.03))
)
