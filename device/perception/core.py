"""Frames to boxes, and boxes to the regions where a code panel may hang. Pure: knows no process and no socket."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import numpy as np

from device.channel.messages import MAX_BOXES, MAX_REGIONS, Box, Region
from device.perception.classify import Classifier
from device.perception.detect import Detector, Image, Thresholds
from device.perception.interpreter import Model


class PerceptionSettings(msgspec.Struct, forbid_unknown_fields=True):
    """From the models' manifest, which warden has checked, and the configuration."""

    lockstep: bool
    threads: int
    stride: int
    score_low: float
    nms_iou: float
    crop_expand: float
    temperature: float


class Perception:
    """The two networks in a row: detect, then classify each box.

    `sample` is called with ("detect" or "classify", seconds) for each frame.
    """

    def __init__(
        self, detector: bytes, classifier: bytes, settings: PerceptionSettings, sample: Callable[[str, float], None]
    ) -> None:
        thresholds = Thresholds(settings.score_low, settings.nms_iou)
        self._detector = Detector(Model(detector, settings.threads), thresholds, settings.stride)
        self._classifier = Classifier(Model(classifier, 1), settings.crop_expand, settings.temperature)
        self._sample = sample

    def warm_up(self) -> None:
        """Run everything once, so that whatever is loaded lazily is loaded before the door is shut."""
        frame = np.full((288, 512, 3), 90, np.uint8)
        self._detector(frame)
        self._classifier(frame, [(10.0, 10.0, 30.0, 30.0), (-5.0, -5.0, 90.0, 90.0)])

    def look(self, frame: Image) -> list[Box]:
        """The signs in a BGR frame, uint8 [height, width, 3], best first."""
        began = time.perf_counter()
        found = self._detector(frame)[:MAX_BOXES]
        detected = time.perf_counter()
        classes = self._classifier(frame, [d[:4] for d in found])
        self._sample("detect", detected - began)
        self._sample("classify", time.perf_counter() - detected)
        return [
            Box(x, y, w, h, min(1.0, score), c.class_id, min(1.0, c.probability))
            for (x, y, w, h, score), c in zip(found, classes, strict=True)
        ]


def code_regions(boxes: list[Box]) -> list[Region]:
    """Where the code panel of each sign may hang: from the face's middle downwards, three faces wide."""
    regions = [Region(b.x - b.w, b.y + 0.5 * b.h, 3.0 * b.w, 3.5 * b.h) for b in boxes]
    return regions[:MAX_REGIONS]
