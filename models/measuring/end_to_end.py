"""Detection and class right together, on boxes that no training saw; the confusions that matter most come first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classes import CLASS_NAMES
from models.measuring.detection_scores import IGNORED, Detected, assigned

CRITICAL = (14, 13, 17)
"""Stop, yield, no entry: to miss one of them or take it for anything else is the worst."""


@dataclass(frozen=True)
class Read:
    """One frame: what was found and is true, the true classes, and the class of each detection (-1: refused)."""

    found: Detected
    class_ids: NDArray[np.int64]
    read_as: NDArray[np.int64]


def figures(frames: Sequence[Read]) -> dict[str, Any]:
    """Precision and recall of box and class together, and the confusions.

    A detection counts as right if its IoU with a labelled sign is 0.5 or more and its class is the label. A refused
    detection claims nothing, and leaves its sign to others.
    """
    right = claimed = signs = 0
    confused: Counter[tuple[str, str]] = Counter()
    for frame in frames:
        claims = [
            (box, read) for box, read in zip(frame.found.detections, frame.read_as.tolist(), strict=True) if read >= 0
        ]
        _, which, _ = assigned(replace(frame.found, detections=[box for box, _ in claims]))
        signs += len(frame.class_ids)
        missed = set(range(len(frame.class_ids)))
        for sign, (_, read) in zip(which.tolist(), claims, strict=True):
            if sign == IGNORED:
                continue
            claimed += 1
            if sign < 0:
                confused["nothing", CLASS_NAMES[read]] += 1
                continue
            missed.discard(sign)
            truth = int(frame.class_ids[sign])
            right += read == truth
            if read != truth:
                confused[CLASS_NAMES[truth], CLASS_NAMES[read]] += 1
        for sign in missed:
            confused[CLASS_NAMES[int(frame.class_ids[sign])], "nothing"] += 1
    return {
        "boxes": signs,
        "precision": right / claimed if claimed else None,
        "recall": right / signs if signs else None,
        "confusions": _ordered(confused),
    }


def _ordered(confused: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    worst = {CLASS_NAMES[class_id] for class_id in CRITICAL}

    def rank(item: tuple[tuple[str, str], int]) -> tuple[int, int, tuple[str, str]]:
        (truth, read), count = item
        return (0 if truth in worst else 1 if "nothing" not in (truth, read) else 2), -count, (truth, read)

    return [
        {"truth": truth, "read_as": read, "count": count, "critical": truth in worst}
        for (truth, read), count in sorted(confused.items(), key=rank)
    ]
