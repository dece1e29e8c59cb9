"""Frames to boxes, and boxes to the regions where a code panel may hang. Pure: knows no process and no socket.

Two networks in a row (a cascade, Viola and Jones, CVPR 2001): the detector proposes boxes from the whole frame, the
classifier looks at each closely and says which sign it is, or that it is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from device.channel.messages import MAX_BOXES, MAX_REGIONS, Box, Region, StageName
from device.perception.classify import Classified, Classifier
from device.perception.detect import Detection, Detector, Image, Thresholds
from device.perception.interpreter import Model
from device.perception.settings import PerceptionSettings, PointSettings
from wire.manifest import PointName

CODE_REGION_SCORE: Final = 0.3
"""Below a box that the detector gives at least this score a code is looked for, even if the classifier refuses it."""


@dataclass(frozen=True)
class Recognised:
    """What one frame shows: the signs, best first, and where a code panel may hang (below refused boxes too)."""

    boxes: list[Box]
    regions: list[Region]


@dataclass(frozen=True)
class ScoredBox:
    """A proposal after the classifier's look: its box, the score of both networks together, and the class."""

    detection: Detection
    read: Classified


def scored(proposed: Sequence[Detection], read: Sequence[Classified], refused_from: float) -> list[ScoredBox]:
    """Joins what both networks say of each box, best first; what the classifier takes for no sign is left out.

    The joint score is the detector's, times the probability that the classifier gives to its being one of the signs.

    Args:
        refused_from: probability of `not_a_sign` from which on a box is left out (the manifest's `not_a_sign`).
    """
    joined = [
        ScoredBox((x, y, w, h, min(1.0, score * (1.0 - classified.not_a_sign))), classified)
        for (x, y, w, h, score), classified in zip(proposed, read, strict=True)
        if classified.not_a_sign < refused_from
    ]
    return sorted(joined, key=lambda box: -box.detection[4])


class Recogniser:
    """The two networks in a row: the detector proposes, the classifier names, or refuses, each proposal.

    With a lighter operating point in the settings, the detector is loaded at both, so that `light` can be set at any
    time: nothing is loaded or opened then. `sample` is called with ("detect", seconds) and with ("classify", seconds)
    for each frame.
    """

    def __init__(
        self,
        detector: bytes,
        classifier: bytes,
        settings: PerceptionSettings,
        sample: Callable[[StageName, float], None],
    ) -> None:
        self.light = False
        self._whole = settings.point
        self._lighter = settings.lighter or settings.point
        self._detectors = {
            point.name: Detector(
                Model(detector, settings.threads, point.input),
                Thresholds(point.score_proposed, settings.nms_iou),
                settings.stride,
            )
            for point in dict.fromkeys((self._whole, self._lighter))
        }
        self._classifier = Classifier(
            Model(classifier, 1, named="classifier"), settings.crop_expand, settings.temperature
        )
        self._refused = settings.not_a_sign
        self._sample = sample

    @property
    def point(self) -> PointName:
        """The operating point of the next look."""
        return self._chosen.name

    @property
    def _chosen(self) -> PointSettings:
        return self._lighter if self.light else self._whole

    def warm_up(self) -> None:
        """Run everything once, so that whatever is loaded lazily is loaded before the run filter is in force."""
        frame = np.full((288, 512, 3), 90, np.uint8)
        for detector in self._detectors.values():
            detector(frame)
        self._classifier(frame, [(10.0, 10.0, 30.0, 30.0), (-5.0, -5.0, 90.0, 90.0)])

    def look(self, frame: Image) -> Recognised:
        """The signs in a BGR frame, uint8 [height, width, 3]."""
        began = time.perf_counter()
        found = self._detectors[self._chosen.name](frame)[:MAX_BOXES]
        detected = time.perf_counter()
        classes = self._classifier(frame, [d[:4] for d in found])
        self._sample("detect", detected - began)
        self._sample("classify", time.perf_counter() - detected)
        boxes = [
            Box(*box.detection, box.read.class_id, min(1.0, box.read.probability))
            for box in scored(found, classes, self._refused)
            if box.detection[4] >= self._chosen.score_low
        ]
        return Recognised(boxes, code_regions(found))


def code_regions(found: Sequence[Detection]) -> list[Region]:
    """Where the code panel of each sign may hang: from the face's middle downwards, three faces wide."""
    likely = [detection for detection in found if detection[4] >= CODE_REGION_SCORE]
    regions = [Region(x - w, y + 0.5 * h, 3.0 * w, 3.5 * h) for x, y, w, h, _ in likely]
    return regions[:MAX_REGIONS]
