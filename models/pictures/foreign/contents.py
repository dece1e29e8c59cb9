"""What stands on road signs outside the 43 classes: texts, numbers, pictograms and blots, anew at each call.

A content is drawn in a field of -1..1 on both axes. Black stands for the ink, white for the ground behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from numpy.random import Generator

from hardware.signs.glyphs import GLYPHS
from hardware.signs.shapes import BLACK, Colour, Drawing, Line, Polygon, arc, moved
from models.pictures.foreign.pictograms import PICTOGRAMS, tenths

Content = Callable[[Generator], Drawing]


_LETTERS = {
    "A": (tenths(0, 10, 5, 0, 10, 10), tenths(2, 6, 8, 6)),
    "B": (tenths(0, 0, 0, 10, 6, 10, 10, 8, 10, 6, 7, 5, 0, 5), tenths(0, 0, 6, 0, 9, 1, 9, 4, 7, 5)),
    "C": (tenths(10, 2, 7, 0, 3, 0, 0, 3, 0, 7, 3, 10, 7, 10, 10, 8),),
    "D": (tenths(0, 0, 6, 0, 10, 3, 10, 7, 6, 10, 0, 10, 0, 0),),
    "E": (tenths(10, 0, 0, 0, 0, 10, 10, 10), tenths(0, 5, 8, 5)),
    "F": (tenths(10, 0, 0, 0, 0, 10), tenths(0, 5, 8, 5)),
    "G": (tenths(10, 2, 7, 0, 3, 0, 0, 3, 0, 7, 3, 10, 7, 10, 10, 8, 10, 5, 6, 5),),
    "H": (tenths(0, 0, 0, 10), tenths(10, 0, 10, 10), tenths(0, 5, 10, 5)),
    "I": (tenths(5, 0, 5, 10),),
    "J": (tenths(9, 0, 9, 7, 6, 10, 3, 10, 0, 8),),
    "K": (tenths(0, 0, 0, 10), tenths(10, 0, 0, 6), tenths(4, 4, 10, 10)),
    "L": (tenths(0, 0, 0, 10, 10, 10),),
    "M": (tenths(0, 10, 0, 0, 5, 6, 10, 0, 10, 10),),
    "N": (tenths(0, 10, 0, 0, 10, 10, 10, 0),),
    "Q": (tenths(3, 0, 7, 0, 10, 3, 10, 7, 7, 10, 3, 10, 0, 7, 0, 3, 3, 0), tenths(6, 7, 10, 10)),
    "R": (tenths(0, 10, 0, 0, 7, 0, 10, 2, 10, 4, 7, 6, 0, 6), tenths(5, 6, 10, 10)),
    "U": (tenths(0, 0, 0, 7, 3, 10, 7, 10, 10, 7, 10, 0),),
    "V": (tenths(0, 0, 5, 10, 10, 0),),
    "W": (tenths(0, 0, 3, 10, 5, 4, 7, 10, 10, 0),),
    "X": (tenths(0, 0, 10, 10), tenths(10, 0, 0, 10)),
    "Y": (tenths(0, 0, 5, 5, 10, 0), tenths(5, 5, 5, 10)),
    "Z": (tenths(0, 0, 10, 0, 0, 10, 10, 10),),
    "4": (tenths(7, 10, 7, 0, 0, 7, 10, 7),),
    "9": tuple(tuple((1 - x, 1 - y) for x, y in stroke) for stroke in GLYPHS["6"]),
    "k": (tenths(0, 0, 0, 10), tenths(8, 4, 0, 8), tenths(3, 6, 9, 10)),
    "m": (tenths(0, 10, 0, 4, 5, 4, 5, 10), tenths(5, 4, 10, 4, 10, 10)),
    "p": (tenths(0, 12, 0, 4, 8, 4, 9, 7, 8, 10, 0, 10),),
    "h": (tenths(0, 0, 0, 10), tenths(0, 5, 7, 4, 9, 6, 9, 10)),
    "t": (tenths(4, 0, 4, 9, 8, 10), tenths(1, 4, 8, 4)),
    "i": (tenths(5, 4, 5, 10), tenths(5, 0, 5, 1)),
    ",": (tenths(5, 9, 4, 12),),
    "-": (tenths(1, 5, 9, 5),),
    "%": (tenths(9, 0, 1, 10), tenths(0, 1, 2, 1, 2, 3, 0, 3, 0, 1), tenths(8, 7, 10, 7, 10, 9, 8, 9, 8, 7)),
    " ": (),
}
_STROKES = {**GLYPHS, **_LETTERS}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def row(
    text: str, rng: Generator, middle: float = 0.0, high: float = 1.4, wide: float = 2.0, bold: float = 0.1
) -> Drawing:
    """A row of text about height `middle`, at most `wide` and `high`; strokes take at least `bold` of a letter."""
    pitch = min(high * rng.uniform(0.55, 0.85), wide / len(text))
    width, stroke = pitch * rng.uniform(0.68, 0.8), pitch * rng.uniform(bold, bold + 0.12)
    height = min(high, width * 2.4) - stroke
    lines = []
    for index, character in enumerate(text):
        left = (index - len(text) / 2) * pitch + (pitch - width) / 2 + stroke / 2
        for points in _STROKES[character]:
            placed = tuple((left + x * (width - stroke), middle + (y - 0.5) * height) for x, y in points)
            lines.append(Line(placed, stroke))
    return tuple(lines)


def words(*choices: str) -> Content:
    """One of several texts; a slash separates its rows."""

    def drawn(rng: Generator) -> Drawing:
        rows = str(rng.choice(choices)).split("/")
        high = 1.9 / len(rows)
        return tuple(s for i, r in enumerate(rows) for s in row(r, rng, (i - (len(rows) - 1) / 2) * high, high * 0.85))

    return drawn


def limit(rng: Generator, *numbers: int, below: str = "") -> Drawing:
    """A speed, with the unit `below` it if given."""
    number = str(rng.choice(numbers))
    if below:
        return (*row(number, rng, -0.2, 1.1, 1.7, 0.15), *row(below, rng, 0.75, 0.45, 0.9))
    return row(number, rng, rng.uniform(-0.04, 0.04), rng.uniform(1.0, 1.4), rng.uniform(1.6, 1.95), 0.15)


def number(*numbers: int, below: str = "") -> Content:
    """A content of one of some numbers."""
    return lambda rng: limit(rng, *numbers, below=below)


def random_text(rows: int, longest: int, characters: str = LETTERS) -> Content:
    """Rows of random letters: names of places, of roads, of firms."""

    def drawn(rng: Generator) -> Drawing:
        texts = ["".join(rng.choice(list(characters), int(rng.integers(2, longest + 1)))) for _ in range(rows)]
        return words("/".join(texts))(rng)

    return drawn


def characters(count: int) -> Content:
    """Something like Chinese characters: upright and level strokes, a few slanted ones."""

    def drawn(rng: Generator) -> Drawing:
        side, lines = 1.9 / count, []
        for index in range(count):
            left = -0.95 + index * side
            for _ in range(int(rng.integers(6, 10))):
                (x, y), reach, kind = rng.uniform(0.1, 0.9, 2), rng.uniform(0.3, 0.9), rng.integers(5)
                dx, dy = ((reach, 0), (reach, 0), (0, reach), (0, reach), (reach * 0.4, reach * 0.5))[kind]
                ends = ((max(x - dx / 2, 0), max(y - dy / 2, 0)), (min(x + dx / 2, 1), min(y + dy / 2, 1)))
                points = tuple((left + px * side * 0.9, (py - 0.5) * min(1.8, 2.2 * side)) for px, py in ends)
                lines.append(Line(points, side * rng.uniform(0.06, 0.11)))
        return tuple(lines)

    return drawn


def picture(*names: str, flip: bool = True) -> Content:
    """One of some pictograms, its size, place and corners a little off, mirrored or not."""

    def drawn(rng: Generator) -> Drawing:
        chosen = PICTOGRAMS[str(rng.choice(names))]
        dx, dy = rng.normal(0, 0.03, 2)
        return moved(chosen, dx, dy, rng.uniform(0.82, 1.05), flip=flip and bool(rng.random() < 0.5))

    return drawn


def blot(rng: Generator) -> Drawing:
    """A pictogram of nothing: a random outline and a few strokes."""
    turns = sorted(rng.uniform(0, 360, int(rng.integers(4, 9))))
    outline = tuple(arc((0.0, 0.0), (r, r), t, t, 1)[0] for t, r in zip(turns, rng.uniform(0.5, 0.95, 9), strict=False))
    strokes: Sequence[Line] = [
        Line(tuple((float(x), float(y)) for x, y in rng.uniform(-0.9, 0.9, (3, 2))), rng.uniform(0.08, 0.22))
        for _ in range(int(rng.integers(0, 4)))
    ]
    return (Polygon(outline), *strokes)


def both(*contents: tuple[Content, float, float, float]) -> Content:
    """Several contents in one field: each with its place (x, y) and its scale."""
    return lambda rng: tuple(s for content, x, y, scale in contents for s in moved(content(rng), x, y, scale))


def fixed(drawing: Drawing) -> Content:
    """A content that is always the same."""
    return lambda rng: drawing


def inked(content: Content, colour: Colour) -> Content:
    """The content with `colour` in place of the sign's ink."""
    return lambda rng: tuple(replace(s, colour=colour) if s.colour == BLACK else s for s in content(rng))
