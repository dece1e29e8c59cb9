"""`python -m hardware.signs --sheet OUT.png`: all faces on one picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from hardware.signs import NUMBER_OF_SIGNS, draw
from hardware.signs.shapes import Image
from wire.errors import INTERRUPTED

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
    parser = argparse.ArgumentParser(prog="python -m hardware.signs", description="Draw the sign faces.")
    parser.add_argument("--sheet", type=Path, required=True, metavar="OUT.png", help="where the picture goes")
    parser.add_argument("--size", type=int, default=160, help="pixels per face (default: 160)")
    arguments = parser.parse_args()
    if not 8 <= arguments.size <= 512:
        parser.error("--size must be 8 to 512")
    try:
        _, data = cv2.imencode(".png", sheet(arguments.size)[:, :, ::-1])
        arguments.sheet.write_bytes(data.tobytes())
    except OSError as error:
        where = f"{arguments.sheet} cannot be written ({error.strerror})"
        print(f"{parser.prog}: {where}; give another --sheet", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
