"""Rough silhouettes for signs outside the 43 classes, in a square of -1..1; white stands for the ground behind it."""

from __future__ import annotations

from hardware.signs import pictograms as german
from hardware.signs.shapes import BLACK, WHITE, Drawing, Ellipse, Line, Point, Polygon, arc, moved


def tenths(*numbers: int) -> tuple[Point, ...]:
    """Points from x, y, x, y ... in tenths."""
    return tuple((x / 10, y / 10) for x, y in zip(numbers[::2], numbers[1::2], strict=True))


def _area(*numbers: int, ground: bool = False) -> Polygon:
    return Polygon(tenths(*numbers), WHITE if ground else BLACK)


def _line(width: float, *numbers: int) -> Line:
    return Line(tenths(*numbers), width / 10)


def _spot(x: float, y: float, radius: float, ground: bool = False) -> Ellipse:
    return Ellipse((x / 10, y / 10), (radius / 10, radius / 10), WHITE if ground else BLACK)


def _wheel(x: float, y: float, radius: float) -> Line:
    return Line(arc((x / 10, y / 10), (radius / 10, radius / 10), 0, 360, 20), 0.12, closed=True)


def _curl(start: float, end: float, radius: float = 0.6, width: float = 0.24) -> Drawing:
    """A bent arrow: an arc counted clockwise, with its head at the end."""
    points = arc((0.0, 0.0), (radius, radius), start, end, 14)
    return german.arrow((*points[:-3], points[-1]), width, 2.3 * width, BLACK)


def _straight(*numbers: int, width: float = 0.24) -> Drawing:
    return german.arrow(tenths(*numbers), width, 2.5 * width, BLACK)


_BODY: Drawing = (_area(-6, -2, 5, -3, 6, 2, -6, 2), *(_line(1.3, x, 1, x, 8) for x in (-5, -3, 3, 5)))

PICTOGRAMS: dict[str, Drawing] = {
    "car": (
        *(_area(-6, -5, 6, -5, 9, 0, 9, 5, -9, 5, -9, 0), _area(-4, -4, 4, -4, 6, 0, -6, 0, ground=True)),
        *(
            _spot(-6, 2, 1, True),
            _spot(6, 2, 1, True),
            _area(-8, 5, -5, 5, -5, 8, -8, 8),
            _area(5, 5, 8, 5, 8, 8, 5, 8),
        ),
    ),
    "motorcycle": (
        *(_wheel(-6, 4, 3), _wheel(6, 4, 3), _area(-6, 1, -4, -2, 3, -1, 6, 3, 0, 4), _line(1, 6, 4, 3, -4, 1, -4)),
        *(_line(2.2, -3, -2, -1, -6), _line(1.2, -1, -5, 3, -3), _spot(0, -8, 1.7)),
    ),
    "tractor": (
        *(_spot(-4, 3, 5), _spot(-4, 3, 2, True), _spot(6, 5, 3), _area(-3, -2, 8, -2, 8, 3, -3, 3)),
        *(_line(1, -6, -3, -6, -8, 1, -8, 1, -2), _line(1, 6, -2, 6, -6)),
    ),
    "bus": (
        *(_area(-8, -8, 8, -8, 8, 6, -8, 6), _area(-6, -5, 6, -5, 6, 0, -6, 0, ground=True), _spot(-5, 3, 1, True)),
        *(_spot(5, 3, 1, True), _area(-7, 6, -4, 6, -4, 9, -7, 9), _area(4, 6, 7, 6, 7, 9, 4, 9)),
    ),
    "tram": (
        *(_area(-5, -5, 5, -5, 6, 5, -6, 5), _area(-4, -4, 4, -4, 4, 0, -4, 0, ground=True), _spot(0, 3, 1.3, True)),
        *(_line(1, -3, -9, 3, -9), _line(1, 0, -9, -2, -5), _line(1, -4, 5, -7, 9), _line(1, 4, 5, 7, 9)),
    ),
    "locomotive": (
        *(_area(-8, -6, -2, -6, -2, -2, 8, -2, 8, 4, -8, 4), _area(-7, -5, -4, -5, -4, -2, -7, -2, ground=True)),
        *(_area(4, -7, 7, -7, 6, -2, 5, -2), _spot(-5, 5, 2.2), _spot(0, 5, 2.2), _spot(5, 5, 2.2), _spot(3, -8, 1.3)),
    ),
    "fence": (
        *(_area(x - 2, 8, x - 2, -5, x, -8, x + 2, -5, x + 2, 8) for x in (-6, 0, 6)),
        *(_line(1.8, -9, -2, 9, -2), _line(1.8, -9, 4, 9, 4)),
    ),
    "windsock": (_line(1.2, -8, -8, -8, 9), _area(-8, -7, 8, -3, 8, 1, -8, 3), _line(1.6, 0, -5, 0, 2)),
    "rocks": (_area(-9, 9, -9, -9, -4, -6, -3, 0, 0, 3, 0, 9), _spot(2, -4, 2), _spot(6, 1, 1.6), _spot(4, 7, 2)),
    "quay": (
        *(_area(-9, 2, -1, 2, -1, 9, -9, 9), _line(1.2, 0, 8, 3, 6, 6, 8, 9, 6)),
        *(_area(-5, -5, 0, -7, 7, -1, 5, 3, -4, -2), _spot(-2, 0, 1.6), _spot(4, 3, 1.6)),
    ),
    "aircraft": (
        *(_area(-1, -9, 1, -9, 2, 9, -2, 9), _area(-9, 3, 0, -4, 9, 3, 9, 5, 0, 1, -9, 5), _area(-4, 9, 0, 6, 4, 9)),
    ),
    "two ways": (*_straight(-4, 8, -4, -8), *_straight(4, -8, 4, 8)),
    "tunnel": (_area(-9, 9, -9, -2, -5, -8, 5, -8, 9, -2, 9, 9), _area(-5, 9, -5, 0, 0, -4, 5, 0, 5, 9, ground=True)),
    "circle": tuple(s for start in (0, 120, 240) for s in _curl(start, start - 85, 0.7)),
    "give way": (Line(tenths(-8, -6, 8, -6, 0, 8), 0.24, closed=True),),
    "cow": (*_BODY, _area(5, -4, 8, -6, 9, -2, 6, 0), _line(0.9, 6, -5, 7, -8), _line(0.9, -6, -1, -8, 4)),
    "rider": (*_BODY, _area(4, -2, 7, -9, 9, -5, 6, 1), _line(2, -1, -3, -1, -7), _spot(0, -9, 1.3)),
    "sheep": (_spot(-2, 0, 4), _spot(2, -1, 4), _spot(7, -4, 2.2), *(_line(1.2, x, 2, x, 8) for x in (-4, 0, 3))),
    "horn": (_area(-7, -2, 0, -2, 8, -7, 8, 7, 0, 2, -7, 2), _spot(-8, 0, 2.6)),
    "camera": (_area(-9, -4, 9, -4, 9, 7, -9, 7), _area(-4, -4, -3, -7, 3, -7, 4, -4), _spot(0, 2, 3.5, True)),
    "fuel": (
        *(_area(-7, 9, -7, -9, 3, -9, 3, 9), _area(-5, -6, 1, -6, 1, -1, -5, -1, ground=True)),
        _line(1.3, 3, 0, 6, 1, 6, 7, 8, 7, 8, -3, 5, -6),
    ),
    "telephone": (_line(3, -7, 1, -7, -4, -4, -7, 4, -7, 7, -4, 7, 1), _area(-6, 8, -4, -1, 4, -1, 6, 8)),
    "bed": (
        _line(1.6, -9, -6, -9, 7),
        _line(1.6, -9, 3, 9, 3, 9, 7),
        _spot(-6, -1, 1.8),
        _area(-4, 2, -4, -2, 8, 1, 8, 2),
    ),
    "cup": (_area(-6, -3, 4, -3, 3, 6, -5, 6), _line(1.2, 4, -1, 8, 0, 7, 3, 3, 4), _line(1.4, -8, 8, 6, 8)),
    "tree": (_spot(0, -3, 5.5), _line(2, 0, 0, 0, 9), _line(1.4, -8, 9, 8, 9)),
    "house": (_area(-9, -1, 0, -9, 9, -1, 6, -1, 6, 8, -6, 8, -6, -1), _area(-2, 8, -2, 2, 2, 2, 2, 8, ground=True)),
    "cross": (_line(3.6, 0, -8, 0, 8), _line(3.6, -8, 0, 8, 0)),
    "crossroads": (_line(3, -7, -7, 7, 7), _line(3, 7, -7, -7, 7)),
    "fork": (_line(3, 0, 9, 0, 1, -6, -8), _line(3, 0, 1, 6, -8)),
    "u-turn": (*_straight(-5, -4, -5, 8), _line(2.4, 5, 8, 5, -4, 3, -7, 0, -8, -3, -7, -5, -4)),
    "turn": (*_straight(4, -1, -9, -1), _line(2.4, 4, 9, 4, -1)),
    "both sides": (*_straight(0, 0, -9, 0), *_straight(0, 0, 9, 0), _line(2.4, 0, 9, 0, 0)),
    "split": (*_straight(0, 7, -8, -7), *_straight(0, 7, 8, -7)),
    "dead end": (_line(4, 0, 9, 0, -4), _line(4.5, -7, -6, 7, -6)),
    "merge": (*_straight(0, 9, 0, -9), _line(2.2, 7, 8, 6, 3, 0, -1)),
    "motorway": (
        *(_area(-6, 9, -3, -9, -1, -9, -1, 9), _area(6, 9, 3, -9, 1, -9, 1, 9), _line(2, -9, -3, 9, -3)),
        *(_line(1.4, -8, -3, -8, 0), _line(1.4, 8, -3, 8, 0)),
    ),
    "boat": (_area(-9, 3, 9, 3, 5, 8, -5, 8), _area(-1, 2, -1, -9, 8, 2), _line(1, -9, 9, 9, 9)),
    "queue": tuple(s for y, z in ((0.75, 1.5), (0.05, 1.2), (-0.55, 0.9)) for s in moved(german.CAR_REAR, 0.0, y, z)),
    "bridge": (_line(2, -9, 8, -2, 8), _line(2, 2, 8, 9, 8), _line(2, -3, 6, -8, -7), _line(2, 3, 6, 8, -7)),
    "hand": (
        _area(-4, 9, -5, 0, 5, 0, 4, 9),
        *(_line(1.8, x, 2, x, y) for x, y in ((-4, -6), (-1, -8), (2, -7))),
    ),
    "walker": moved(german.WALKER, 0.0, -0.15, 1.6),
    "walkers": (*moved(german.WALKER, -0.35, -0.1, 1.5), *moved(german.WALKER, 0.45, 0.2, 1.05)),
    "bicycle": moved(german.BICYCLE, 0.0, -0.35, 1.7),
    "path": (
        *moved(german.WALKER, -0.48, -0.1, 1.15),
        *(_line(1, 0, -9, 0, 9), *moved(german.BICYCLE, 0.52, -0.2, 0.9)),
    ),
    "chains": (
        _wheel(0, 0, 7),
        _spot(0, 0, 3),
        _line(1.2, -9, -4, 9, 4),
        _line(1.2, -4, 9, 4, -9),
        _line(1.2, -8, 5, 8, -5),
    ),
    "cart": (_area(-8, -2, 3, -2, 3, 3, -8, 3), _wheel(-3, 4, 4), _line(1.3, 3, 2, 9, -1), _spot(0, -6, 2)),
    "face": (_wheel(0, 0, 9), _spot(-3, -3, 1.4), _spot(3, -3, 1.4), Line(arc((0.0, 0.1), (0.5, 0.4), 10, 170), 0.14)),
    "slope": (_area(-9, 9, 9, 9, 9, 1),),
    "high": (_area(-4, -10, 4, -10, 0, -6), _area(-4, 10, 4, 10, 0, 6)),
    "wide": (_area(-10, -4, -10, 4, -6, 0), _area(10, -4, 10, 4, 6, 0)),
    "lamps": (_area(-4, -9, 4, -9, 4, 9, -4, 9), *(_spot(0, y, 2, True) for y in (-6, 0, 6))),
    "up": _straight(0, 9, 0, -9),
    "down": _straight(0, -9, 0, 9),
    "long arrow": _straight(-9, 0, 9, 0, width=0.36),
}
