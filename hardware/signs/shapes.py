"""Flat shapes that every sign face is made of, and the supersampled canvas that they are painted on.

Coordinates are those of the face: x to the right, y down, the sign's bounding square is -1..1 on both axes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
Point: TypeAlias = tuple[float, float]
Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue, 0..255."""

RED: Colour = (190, 30, 38)
BLUE: Colour = (20, 84, 162)
YELLOW: Colour = (250, 200, 18)
GREEN: Colour = (20, 130, 82)
WHITE: Colour = (246, 246, 244)
BLACK: Colour = (24, 24, 26)
GREY: Colour = (118, 120, 124)

_OVERSAMPLING = 4
_SHIFT = 6  # fractional bits of the coordinates given to OpenCV


@dataclass(frozen=True)
class Polygon:
    """A filled polygon; `rounding` is the radius that is added around it."""

    points: tuple[Point, ...]
    colour: Colour = BLACK
    rounding: float = 0.0


@dataclass(frozen=True)
class Line:
    """A stroke of constant width with round ends."""

    points: tuple[Point, ...]
    width: float
    colour: Colour = BLACK
    closed: bool = False


@dataclass(frozen=True)
class Ellipse:
    """A filled ellipse: centre and the two radii."""

    centre: Point
    radii: Point
    colour: Colour = BLACK


Shape: TypeAlias = Polygon | Line | Ellipse
Drawing: TypeAlias = tuple[Shape, ...]


def disc(x: float, y: float, radius: float, colour: Colour = BLACK) -> Ellipse:
    """A filled circle."""
    return Ellipse((x, y), (radius, radius), colour)


def arc(centre: Point, radii: Point, start: float, end: float, steps: int = 24) -> tuple[Point, ...]:
    """Points on an ellipse from `start` to `end` degrees, counted clockwise on the screen from the positive x axis."""
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return tuple((centre[0] + radii[0] * math.cos(a), centre[1] + radii[1] * math.sin(a)) for a in angles)


def box(left: float, top: float, right: float, bottom: float, colour: Colour = BLACK) -> Polygon:
    """A filled upright rectangle."""
    return Polygon(((left, top), (right, top), (right, bottom), (left, bottom)), colour)


def moved(
    drawing: Iterable[Shape], dx: float = 0.0, dy: float = 0.0, scale: float = 1.0, flip: bool = False
) -> Drawing:
    """The drawing scaled about the origin, mirrored left to right if `flip`, then shifted."""
    sx = -scale if flip else scale

    def place(point: Point) -> Point:
        return point[0] * sx + dx, point[1] * scale + dy

    def moved_shape(shape: Shape) -> Shape:
        if isinstance(shape, Ellipse):
            radii = shape.radii[0] * scale, shape.radii[1] * scale
            return replace(shape, centre=place(shape.centre), radii=radii)
        points = tuple(place(point) for point in shape.points)
        if isinstance(shape, Line):
            return replace(shape, points=points, width=shape.width * scale)
        return replace(shape, points=points, rounding=shape.rounding * scale)

    return tuple(moved_shape(shape) for shape in drawing)


def coloured(drawing: Iterable[Shape], colour: Colour) -> Drawing:
    """The drawing with every shape in one colour."""
    return tuple(replace(shape, colour=colour) for shape in drawing)


class Canvas:
    """A square picture of `size` pixels, painted at four times that size and then averaged down.

    Args:
        size: side of the finished picture in pixels.
        colour: what the picture is filled with at first.
    """

    def __init__(self, size: int, colour: Colour) -> None:
        self._size = size
        self._half = size * _OVERSAMPLING / 2
        side = size * _OVERSAMPLING
        self._pixels = np.full((side, side, 3), colour, np.uint8)

    def paint(self, drawing: Iterable[Shape]) -> None:
        """Paints the shapes in order, later ones over earlier ones."""
        for shape in drawing:
            if isinstance(shape, Ellipse):
                self._fill(arc(shape.centre, shape.radii, 0, 360, 180), shape.colour)
            elif isinstance(shape, Polygon):
                self._fill(shape.points, shape.colour)
                if shape.rounding:
                    self._stroke((*shape.points, shape.points[0]), 2 * shape.rounding, shape.colour)
            else:
                points = (*shape.points, shape.points[0]) if shape.closed else shape.points
                self._stroke(points, shape.width, shape.colour)

    def finish(self) -> Image:
        """The finished picture: uint8, size x size x 3, RGB."""
        small = cv2.resize(self._pixels, (self._size, self._size), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    def _fixed(self, points: Sequence[Point]) -> NDArray[np.int32]:
        pixels = (np.asarray(points, np.float64) + 1.0) * self._half - 0.5
        return np.rint(pixels * (1 << _SHIFT)).astype(np.int32)

    def _fill(self, points: Sequence[Point], colour: Colour) -> None:
        cv2.fillPoly(self._pixels, [self._fixed(points)], colour, cv2.LINE_8, _SHIFT)

    def _stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        # One quadrilateral per segment and a disc at each joint: exact widths, where cv2.polylines rounds to pixels.
        radius = width / 2
        for (x0, y0), (x1, y1) in pairwise(points):
            length = math.hypot(x1 - x0, y1 - y0)
            if length > 0:
                nx, ny = (y0 - y1) / length * radius, (x1 - x0) / length * radius
                self._fill(((x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)), colour)
        for point in points:
            self._fill(arc(point, (radius, radius), 0, 360, 20), colour)
