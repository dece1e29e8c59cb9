"""Sheets of small pictures in rows, each with a line or two below it: how errors are shown."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.source import Image

CELL, COLUMNS = 120, 12
_LABEL = 26
_PAPER, _INK, _BOX = 255, (30, 30, 30), (0, 220, 0)

Tile = tuple[float, Image, str]
"""How bad it is, the picture (CELL x CELL x 3, RGB), and what is written below."""


def enlarged(patch: Image) -> Image:
    """A classifier's crop as a tile's picture, enlarged without smoothing."""
    return np.asarray(cv2.resize(patch, (CELL, CELL), interpolation=cv2.INTER_NEAREST), np.uint8)


def around(frame: Image, box: NDArray[np.floating]) -> Image:
    """The surroundings of the box, with the box drawn in."""
    middle, reach = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) * 1.2
    left, top = np.floor(middle - reach).astype(int).tolist()
    side = max(2, int(np.ceil(2 * reach)))
    room = side + 8
    padded = cv2.copyMakeBorder(frame, room, room, room, room, cv2.BORDER_CONSTANT, value=(128,) * 3)
    x, y = max(0, left + room), max(0, top + room)
    piece = cv2.resize(np.ascontiguousarray(padded[y : y + side, x : x + side]), (CELL, CELL))
    scale = CELL / side
    corners = np.round((np.asarray(box) - [left, top, left, top]) * scale).astype(int).tolist()
    cv2.rectangle(piece, tuple(corners[:2]), tuple(corners[2:]), _BOX, 1)
    return np.asarray(piece, np.uint8)


def rows(title: str, tiles: list[Tile], count: int) -> list[Image]:
    """A title with the number of tiles, and `count` rows of the worst of them."""
    width = COLUMNS * CELL
    head = np.full((_LABEL, width, 3), _PAPER, np.uint8)
    cv2.putText(head, f"{title} ({len(tiles)})", (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, _INK, 1, cv2.LINE_AA)
    result = [head]
    worst = sorted(tiles, key=lambda tile: -tile[0])[: count * COLUMNS]
    for start in range(0, len(worst), COLUMNS):
        row = np.full((CELL + _LABEL, width, 3), _PAPER, np.uint8)
        for column, (_, picture, told) in enumerate(worst[start : start + COLUMNS]):
            left = column * CELL
            row[:CELL, left : left + CELL] = picture
            for line, text in enumerate((told[:19], told[19:38])):
                place = (left + 2, CELL + 11 + 12 * line)
                cv2.putText(row, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.33, _INK, 1, cv2.LINE_AA)
        result.append(row)
    return result
