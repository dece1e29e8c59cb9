"""Frames to boxes, and boxes to the regions where a code panel may hang. Pure: knows no process and no socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from device.channel.messages import MAX_BOXES, MAX_REGIONS, Box, Region
from device.perception.classify import Classifier
from device.perception.detect import Detection, Detector, Image, Thresholds
from device.perception.interpreter import Model


class PerceptionSettings(msgspec.Struct, forbid_unknown_fields=True):
    """From the models' manifest, which warden has checked, and the configuration."""

    lockstep: bool
    threads: int
    stride: int
    input: tuple[int, int]
    score_low: float
    nms_iou: float
    crop_expand: float
    temperature: float
    not_a_sign: float


@dataclass(frozen=True)
class Seen:
    """What one frame shows: the signs, best first, and where a code panel may hang (below refused boxes too)."""

    boxes: list[Box]
    regions: list[Region]


class Perception:
    """The two networks in a row: detect, then classify each box, and refuse what the classifier takes for no sign.

    `sample` is called with ("detect" or "classify", seconds) for each frame.
    """

    def __init__(
        self, detector: bytes, classifier: bytes, settings: PerceptionSettings, sample: Callable[[str, float], None]
    ) -> None:
        thresholds = Thresholds(settings.score_low, settings.nms_iou)
        self._detector = Detector(Model(detector, settings.threads, settings.input), thresholds, settings.stride)
        self._classifier = Classifier(Model(classifier, 1), settings.crop_expand, settings.temperature)
        self._refused = settings.not_a_sign
        self._sample = sample

    def warm_up(self) -> None:
        """Run everything once, so that whatever is loaded lazily is loaded before the door is shut."""
        frame = np.full((288, 512, 3), 90, np.uint8)
        self._detector(frame)
        self._classifier(frame, [(10.0, 10.0, 30.0, 30.0), (-5.0, -5.0, 90.0, 90.0)])

    def look(self, frame: Image) -> Seen:
        """The signs in a BGR frame, uint8 [height, width, 3]."""
        began = time.perf_counter()
        found = self._detector(frame)[:MAX_BOXES]
        detected = time.perf_counter()
        classes = self._classifier(frame, [d[:4] for d in found])
        self._sample("detect", detected - began)
        self._sample("classify", time.perf_counter() - detected)
        boxes = [
            Box(x, y, w, h, min(1.0, score), c.class_id, min(1.0, c.probability))
            for (x, y, w, h, score), c in zip(found, classes, strict=True)
            if c.not_a_sign < self._refused
        ]
        return Seen(boxes, code_regions(found))


def code_regions(found: Sequence[Detection]) -> list[Region]:
    """Where the code panel of each sign may hang: from the face's middle downwards, three faces wide."""
    regions = [Region(x - w, y + 0.5 * h, 3.0 * w, 3.5 * h) for x, y, w, h, _ in found]
    return regions[:MAX_REGIONS]
