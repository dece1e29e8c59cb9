"""The figures that are reported: calibration error, temperature, matching of detections, average precision."""

from __future__ import annotations

import numpy as np
import pytest

from device.perception.classify import softmax
from models.classes import CLASS_NAMES, shape_of
from models.measuring import calibration, detection_scores
from models.measuring.detection_scores import Detected


def _found(*detections: tuple[float, float, float, float, float]) -> Detected:
    return Detected(list(detections), np.array([[10, 10, 30, 30], [100, 100, 140, 140]], np.float32))


def test_there_are_43_classes_and_each_has_its_outline() -> None:
    assert len(set(CLASS_NAMES)) == 43
    shapes = [shape_of(class_id) for class_id in (14, 13, 12, 11, 17, 25, 38)]
    assert shapes == ["octagon", "yield", "diamond", "triangle", "circle", "triangle", "circle"]


def test_the_temperature_that_blurred_the_logits_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (4000, 5))
    labels = np.array([rng.choice(5, p=p) for p in softmax(logits, 1.0)])
    assert calibration.best_temperature(logits * 2.5, labels) == pytest.approx(2.5, rel=0.1)
    assert calibration.expected_error(softmax(logits, 1.0), labels) < 0.03
    assert calibration.expected_error(softmax(logits, 0.2), labels) > 0.1


def test_a_sign_is_found_once() -> None:
    frame = _found((10, 10, 20, 20, 0.9), (11, 11, 20, 20, 0.8), (300, 300, 20, 20, 0.7))
    scores, right, found_by = detection_scores.matches(frame)
    assert scores.tolist() == [0.9, 0.8, 0.7]
    assert right.tolist() == [True, False, False]
    assert found_by.tolist() == [0.9, 0.0]


def test_precision_and_recall_follow_the_threshold() -> None:
    frames = [_found((10, 10, 20, 20, 0.9), (300, 300, 20, 20, 0.5)), _found((100, 100, 40, 40, 0.4))]
    assert detection_scores.precision_recall(frames, 0.3) == (2 / 3, 2 / 4)
    assert detection_scores.precision_recall(frames, 0.6) == (1.0, 1 / 4)
    assert detection_scores.precision_recall(frames, 0.95) == (1.0, 0.0)
    assert detection_scores.threshold_for(frames, 0.99) == pytest.approx(0.51)
    by_width = detection_scores.recall_by_width(frames, 0.3)
    assert by_width == {"16-24": 0.5, "24-32": None, "32-64": 0.5, "64+": None}
    assert detection_scores.signs_by_width(frames) == {"16-24": 2, "24-32": 0, "32-64": 2, "64+": 0}


def test_frames_without_signs_and_without_detections_count() -> None:
    empty = Detected([], np.zeros((0, 4), np.float32))
    false = Detected([(5, 5, 20, 20, 0.9)], np.zeros((0, 4), np.float32))
    assert detection_scores.precision_recall([empty, false], 0.5) == (0.0, 0.0)


def test_average_precision_is_one_for_perfect_and_falls_with_false_detections() -> None:
    pytest.importorskip("pycocotools")
    perfect = [_found((10, 10, 20, 20, 0.9), (100, 100, 40, 40, 0.8))]
    assert detection_scores.map50(perfect) == pytest.approx(1.0)
    worse = [_found((300, 300, 20, 20, 0.95), (10, 10, 20, 20, 0.9), (100, 100, 40, 40, 0.8))]
    assert detection_scores.map50(worse) < 0.8
    assert detection_scores.map50([_found()]) == 0.0


def test_the_interval_of_the_average_precision_holds_it_and_is_narrow_where_frames_agree() -> None:
    pytest.importorskip("pycocotools")
    right = _found((10, 10, 20, 20, 0.9), (100, 100, 40, 40, 0.8))
    wrong = _found((300, 300, 20, 20, 0.95), (10, 10, 20, 20, 0.7))
    assert detection_scores.map50_interval([right] * 5) == pytest.approx([1.0, 1.0])
    mixed = [right, wrong] * 10
    low, high = detection_scores.map50_interval(mixed, samples=200)
    assert low < detection_scores.map50(mixed) < high
    more_low, more_high = detection_scores.map50_interval(mixed * 10, samples=200)
    assert more_high - more_low < high - low


def test_the_interval_of_nothing() -> None:
    pytest.importorskip("pycocotools")
    nothing = Detected([(5, 5, 20, 20, 0.9)], np.zeros((0, 4), np.float32))
    assert detection_scores.map50_interval([nothing]) is None
    assert detection_scores.map50_interval([_found()]) == [0.0, 0.0]
