"""The 43 sign classes that Sealcam knows, by GTSRB number: the only table of them.

Source: Stallkamp et al., "The German Traffic Sign Recognition Benchmark", IJCNN 2011.
"""

from __future__ import annotations

from typing import TypeVar

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

NUMBER_OF_CLASSES = len(CLASS_NAMES)

_Other = TypeVar("_Other", str, None)


def class_name(class_id: int | None, otherwise: _Other) -> str | _Other:
    """The class's English name; `otherwise` where there is no class."""
    return otherwise if class_id is None else CLASS_NAMES[class_id]
