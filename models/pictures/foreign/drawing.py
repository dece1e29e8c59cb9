"""Drawings of road signs outside the 43 classes, to train the classifier to refuse them and to measure that it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hardware import signs
from hardware.signs.shapes import BLACK, WHITE, Canvas, Colour, Drawing, Line, Shape, coloured, moved
from models.pictures.drawings import laid
from models.pictures.foreign.faces import Kind
from models.pictures.foreign.kinds import KINDS

__all__ = ["KINDS", "Kind", "draw", "patches"]

DRAWN = 96
"""Side in pixels of the drawings that `patches` lays on its grounds."""

_CONTRAST = 150  # least sum of the differences of ink and ground in red, green and blue


def draw(kind: Kind, side: int, rng: Generator) -> NDArray[np.uint8]:
    """One sign of a kind, drawn anew: its text, pictogram, colours, widths, proportions and fading are the generator's.

    Args:
        kind: one of `KINDS`.
        side: of the square picture, in pixels, 16 and more.

    Returns:
        uint8, side x side x 4, RGBA. The sign touches two opposite edges, the rest is transparent.
    """
    square = _changed(kind, side, rng) if kind.classes else _composed(kind, side, rng)
    aspect = float(np.exp(rng.uniform(*np.log(kind.aspect))))
    wide, high = (side, max(8, round(side / aspect))) if aspect >= 1 else (max(8, round(side * aspect)), side)
    squeezed = cv2.resize(square, (wide, high), interpolation=cv2.INTER_AREA)
    result = np.zeros((side, side, 4), np.uint8)
    top, left = (side - high) // 2, (side - wide) // 2
    result[top : top + high, left : left + wide] = squeezed
    result[:, :, :3] = _weathered(result[:, :, :3], rng)
    return result


def patches(grounds: NDArray[np.uint8], count: int, rng: Generator, held_out: bool) -> NDArray[np.uint8]:
    """`count` classifier patches (N x 64 x 64 x 3, RGB) on background patches, each kind with its weight `often`.

    Args:
        grounds: N x 64 x 64 x 3, RGB.
        held_out: only the kinds that are kept from training; without it only the others.
    """
    kinds = [kind for kind in KINDS if kind.held_out == held_out for _ in range(kind.often)]
    which = rng.permutation(np.arange(count) % len(kinds))
    return laid([draw(kinds[int(kind)], DRAWN, rng) for kind in which], grounds, np.arange(count), rng)


def _changed(kind: Kind, side: int, rng: Generator) -> NDArray[np.uint8]:
    face = signs.draw(int(rng.choice(kind.classes)), side)
    return np.ascontiguousarray(kind.change(face))


def _composed(kind: Kind, side: int, rng: Generator) -> NDArray[np.uint8]:
    outline = kind.outline
    ground = kind.grounds[int(rng.integers(len(kind.grounds)))]
    inks = [ink for ink in kind.inks if _distance(ink, ground) > _CONTRAST] or [_far_from(ground)]
    ink = inks[int(rng.integers(len(inks)))]
    width = rng.normal(0, 0.025)
    drawing: list[Shape] = [
        s for colour, size in kind.rims for s in coloured(moved((outline.sheet,), scale=size), colour)
    ]
    inside = kind.inside + (width if kind.inside < 1 else 0)
    middle = outline.middle * (1 - inside) * 0.7  # a triangle's rim is even about its centre, not about its box
    drawing += coloured(moved((outline.sheet,), 0.0, middle, inside), ground)
    if kind.contents:
        content = kind.contents[int(rng.integers(len(kind.contents)))](rng)
        drawing += moved(_in_colours(content, ink, ground), 0.0, outline.middle, outline.field)
    drawing += _thicker(kind.over, float(rng.uniform(0.8, 1.25)))
    edge = kind.rims[0][0] if kind.rims else ground
    canvas, mask = Canvas(side, edge), Canvas(side, (0, 0, 0))
    canvas.paint(_tinted(drawing, rng))
    mask.paint(coloured((outline.sheet,), (255, 255, 255)))
    return np.dstack([canvas.finish(), mask.finish()[:, :, :1]])


def _distance(first: Colour, second: Colour) -> int:
    return sum(abs(a - b) for a, b in zip(first, second, strict=True))


def _far_from(ground: Colour) -> Colour:
    return BLACK if sum(ground) > 380 else WHITE


def _in_colours(content: Drawing, ink: Colour, ground: Colour) -> Drawing:
    """Black becomes the ink, white the ground; other colours stay."""
    colours = {BLACK: ink, WHITE: ground}
    return tuple(replace(shape, colour=colours.get(shape.colour, shape.colour)) for shape in content)


def _thicker(drawing: Iterable[Shape], factor: float) -> Drawing:
    return tuple(replace(s, width=s.width * factor) if isinstance(s, Line) else s for s in drawing)


def _tinted(drawing: Iterable[Shape], rng: Generator) -> Drawing:
    """Every colour a little off, the same way wherever it is."""
    drawing = tuple(drawing)
    tints: dict[Colour, Colour] = {}
    for colour in sorted({shape.colour for shape in drawing}):
        red, green, blue = (
            np.clip(np.array(colour) + rng.normal(0, 12) + rng.normal(0, 6, 3), 0, 255).astype(int).tolist()
        )
        tints[colour] = (red, green, blue)
    return tuple(replace(shape, colour=tints[shape.colour]) for shape in drawing)


def _weathered(image: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Fading towards grey or white, and dirt that grows towards one side."""
    share = rng.uniform(0, 0.25)
    faded = cv2.addWeighted(image, 1 - share, np.full_like(image, rng.integers(120, 240)), share, 0)
    dirt = np.linspace(1, rng.uniform(0.75, 1), len(image), dtype=np.float32)[:: rng.choice([-1, 1]), None, None]
    return np.asarray(faded * dirt, np.uint8)
