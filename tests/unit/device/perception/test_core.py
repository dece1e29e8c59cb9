"""Both networks in a row: what the classifier refuses is not reported, what it doubts counts less."""

from __future__ import annotations

import json

import numpy as np
import pytest

from device.perception.classify import Classified, Classifier
from device.perception.core import CODE_REGION_SCORE, PerceptionSettings, Recogniser, code_regions, scored
from device.perception.detect import Detection, Detector
from device.perception.settings import PointSettings
from tests.support.paths import ARTIFACTS

HERE, THERE = (100.0, 100.0, 40.0, 40.0), (300.0, 100.0, 40.0, 40.0)


def _read(class_id: int, not_a_sign: float) -> Classified:
    probabilities = np.zeros(43)
    probabilities[class_id] = 1 - not_a_sign
    return Classified(class_id, 1 - not_a_sign, probabilities, not_a_sign)


def test_the_joint_score_is_the_detectors_times_what_the_classifier_leaves_of_it() -> None:
    found = scored([(*HERE, 0.8)], [_read(14, 0.25)], 0.5)
    assert [(box.detection[:4], box.read.class_id) for box in found] == [(HERE, 14)]
    assert found[0].detection[4] == pytest.approx(0.6)


def test_what_the_classifier_takes_for_no_sign_is_left_out() -> None:
    found = scored([(*HERE, 0.9), (*THERE, 0.4)], [_read(14, 0.5), _read(1, 0.0)], 0.5)
    assert [box.detection[:4] for box in found] == [THERE]


def test_the_best_comes_first_by_the_joint_score() -> None:
    found = scored([(*HERE, 0.9), (*THERE, 0.7)], [_read(14, 0.4), _read(1, 0.0)], 0.5)
    assert [box.detection[:4] for box in found] == [THERE, HERE]


def test_a_code_is_looked_for_below_likely_boxes_only_and_also_below_refused_ones() -> None:
    regions = code_regions([(*HERE, CODE_REGION_SCORE), (*THERE, CODE_REGION_SCORE - 0.01)])
    assert [(region.x, region.y, region.w, region.h) for region in regions] == [(60.0, 120.0, 120.0, 140.0)]


def _perception(monkeypatch: pytest.MonkeyPatch, found: list[Detection], read: list[Classified]) -> Recogniser:
    manifest = json.loads((ARTIFACTS / "manifest.json").read_text())
    perception = Recogniser(
        (ARTIFACTS / manifest["detector"]["file"]).read_bytes(),
        (ARTIFACTS / manifest["classifier"]["file"]).read_bytes(),
        PerceptionSettings(
            lockstep=True,
            threads=1,
            stride=8,
            point=PointSettings("far", (64, 96), 0.2, 0.3),
            lighter=PointSettings("fast", (32, 64), 0.2, 0.5),
            nms_iou=0.4,
            crop_expand=1.2,
            temperature=1.0,
            not_a_sign=0.5,
        ),
        lambda stage, seconds: None,
    )
    monkeypatch.setattr(Detector, "__call__", lambda self, frame: found)
    monkeypatch.setattr(Classifier, "__call__", lambda self, frame, boxes: read)
    return perception


def test_a_box_is_reported_from_the_lower_score_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Detection] = [(*HERE, 0.5), (*THERE, 0.29)]
    seen = _perception(monkeypatch, found, [_read(14, 0.3), _read(1, 0.0)]).look(np.zeros((400, 600, 3), np.uint8))
    assert [(box.x, box.class_id) for box in seen.boxes] == [(HERE[0], 14)]
    assert seen.boxes[0].score == pytest.approx(0.35)
    assert seen.boxes[0].class_score == pytest.approx(0.7)


def test_a_refused_sign_is_not_reported_but_its_code_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _perception(monkeypatch, [(*HERE, 0.9)], [_read(14, 0.99)]).look(np.zeros((400, 600, 3), np.uint8))
    assert seen.boxes == []
    assert len(seen.regions) == 1
