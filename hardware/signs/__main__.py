"""`python -m hardware.signs --sheet OUT.png`: all faces on one picture."""

from __future__ import annotations

import sys

import cv2
import numpy as np

import program
from hardware.signs import NUMBER_OF_SIGNS, draw
from hardware.signs.shapes import Image
from program import outputs
from program.arguments import new_parser, place, whole

_COLUMNS = 9
_BACKGROUND = 96
_MARGIN = 0.08


def sheet(size: int) -> Image:
    """A contact sheet of all faces, `size` pixels each: uint8, height x width x 3, RGB."""
    margin = round(size * _MARGIN)
    cell = size + 2 * margin
    rows = -(-NUMBER_OF_SIGNS // _COLUMNS)
    picture = np.full((rows * cell, _COLUMNS * cell, 3), _BACKGROUND, np.uint8)
    for class_id in range(NUMBER_OF_SIGNS):
        face = draw(class_id, size)
        top, left = class_id // _COLUMNS * cell + margin, class_id % _COLUMNS * cell + margin
        alpha = face[:, :, 3:].astype(np.float32) / 255
        place = picture[top : top + size, left : left + size]
        place[:] = np.rint(place * (1 - alpha) + face[:, :, :3] * alpha).astype(np.uint8)
    return picture


def main() -> int:
    """Writes the contact sheet; returns the exit status."""
    return program.run("python -m hardware.signs", _work)


def _work() -> int:
    parser = new_parser(prog="python -m hardware.signs", description="Draw the sign faces.")
    parser.add_argument("--sheet", type=place, required=True, metavar="OUT.png", help="where the picture goes")
    parser.add_argument("--size", type=whole(8, 512), default=160, help="pixels per face (default: 160)")
    arguments = parser.parse_args()
    _, data = cv2.imencode(".png", sheet(arguments.size)[:, :, ::-1])
    outputs.write(arguments.sheet, data.tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
