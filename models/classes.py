"""The 43 classes of GTSRB: English names and outer shapes, indexed by class id.

Source: Stallkamp et al., "The German Traffic Sign Recognition Benchmark", IJCNN 2011.
"""

from __future__ import annotations

from typing import Literal

Shape = Literal["circle", "triangle", "yield", "octagon", "diamond"]

CLASS_NAMES: tuple[str, ...] = (
    "speed limit 20",
    "speed limit 30",
    "speed limit 50",
    "speed limit 60",
    "speed limit 70",
    "speed limit 80",
    "end of speed limit 80",
    "speed limit 100",
    "speed limit 120",
    "no overtaking",
    "no overtaking by trucks",
    "priority at next intersection",
    "priority road",
    "yield",
    "stop",
    "no vehicles",
    "no trucks",
    "no entry",
    "general caution",
    "dangerous curve left",
    "dangerous curve right",
    "double curve",
    "bumpy road",
    "slippery road",
    "road narrows on the right",
    "road works",
    "traffic signals",
    "pedestrians",
    "children crossing",
    "bicycles crossing",
    "ice or snow",
    "wild animals crossing",
    "end of all limits",
    "turn right ahead",
    "turn left ahead",
    "ahead only",
    "straight or right",
    "straight or left",
    "keep right",
    "keep left",
    "roundabout",
    "end of no overtaking",
    "end of no overtaking by trucks",
)

_NOT_ROUND: dict[int, Shape] = {12: "diamond", 13: "yield", 14: "octagon"}
_TRIANGLES = (11, *range(18, 32))


def shape_of(class_id: int) -> Shape:
    """The outer shape of the sign of `class_id`: what its silhouette looks like on the road."""
    return "triangle" if class_id in _TRIANGLES else _NOT_ROUND.get(class_id, "circle")
