"""The 43 classes of GTSRB: English names and outer shapes, indexed by class id.

Source: Stallkamp et al., "The German Traffic Sign Recognition Benchmark", IJCNN 2011.
"""

from __future__ import annotations

from typing import Literal

from wire.classes import CLASS_NAMES

__all__ = ["CLASS_NAMES", "Shape", "shape_of"]

Shape = Literal["circle", "triangle", "yield", "octagon", "diamond"]

_NOT_ROUND: dict[int, Shape] = {12: "diamond", 13: "yield", 14: "octagon"}
_TRIANGLES = (11, *range(18, 32))


def shape_of(class_id: int) -> Shape:
    """The outer shape of the sign of `class_id`: what its silhouette looks like on the road."""
    return "triangle" if class_id in _TRIANGLES else _NOT_ROUND.get(class_id, "circle")
