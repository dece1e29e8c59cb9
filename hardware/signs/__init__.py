"""The project's own vector drawings of the 43 GTSRB sign classes, after the German catalogue.

`draw` gives one face as a picture with an alpha channel: the alpha is the sign's mask. Nothing here is taken from
a data set; the faces may be printed, rendered and published.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hardware.signs.errors import NoSuchSignError
from hardware.signs.faces import FACES
from hardware.signs.shapes import Canvas, Image, coloured

__all__ = ["NUMBER_OF_SIGNS", "NoSuchSignError", "draw"]

NUMBER_OF_SIGNS = len(FACES)
MAX_SIZE = 2048


@lru_cache(maxsize=64)
def _drawn(class_id: int, size: int) -> Image:
    face = FACES[class_id]
    canvas, mask = Canvas(size, face.edge), Canvas(size, (0, 0, 0))
    canvas.paint(face.drawing)
    mask.paint(coloured((face.outline,), (255, 255, 255)))
    picture = np.dstack([canvas.finish(), mask.finish()[:, :, :1]])
    picture.flags.writeable = False
    return picture


def draw(class_id: int, size: int) -> Image:
    """The face of a sign, anti-aliased.

    Args:
        class_id: GTSRB class, 0..42.
        size: side of the square picture in pixels, 8..2048. The sign fills the square.

    Returns:
        uint8, size x size x 4: red, green, blue, alpha. Alpha is the sign's mask, 255 inside; colours are not
        premultiplied and go on beyond the outline, so that scaling brings in no dark fringe. The caller's own copy.

    Raises:
        NoSuchSignError: the class or the size is out of range.
    """
    if not 0 <= class_id < NUMBER_OF_SIGNS:
        raise NoSuchSignError(f"there is no sign class {class_id}", f"give 0 to {NUMBER_OF_SIGNS - 1}")
    if not 8 <= size <= MAX_SIZE:
        raise NoSuchSignError(f"a face of {size} pixels cannot be drawn", f"give 8 to {MAX_SIZE}")
    return _drawn(class_id, size).copy()
