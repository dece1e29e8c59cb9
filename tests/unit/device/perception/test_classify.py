"""The classifier's run-time side: crops, calibrated probabilities, and the shipped files through the interpreter."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from device.perception.classify import Classifier, crop, evened, softmax
from device.perception.detect import Detector, Thresholds
from device.perception.errors import ModelUnreadableError
from device.perception.interpreter import Model
from tests.support.paths import ARTIFACTS


def test_a_crop_shows_the_box_and_a_margin() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[40:60, 40:60] = 255
    patch = crop(frame, (40, 40, 20, 20), 1.2)
    assert patch.shape == (48, 48, 3)
    assert patch[24, 24].tolist() == [255, 255, 255]
    assert patch[1, 1].tolist() == [0, 0, 0]
    assert np.isclose((patch > 127).mean(), 1 / 1.2**2, atol=0.06)


@pytest.mark.parametrize("box", [(-10.0, -10.0, 30.0, 30.0), (90.0, 85.0, 40.0, 40.0), (-50.0, -50.0, 300.0, 300.0)])
def test_a_crop_over_the_edge_repeats_the_edge(box: tuple[float, float, float, float]) -> None:
    frame = np.full((100, 100, 3), 77, np.uint8)
    frame.flags.writeable = False
    assert np.all(crop(frame, box, 1.2) == 77)


def test_a_crop_outside_the_frame_is_black() -> None:
    assert not crop(np.full((50, 50, 3), 9, np.uint8), (500, 500, 10, 10), 1.2).any()


def test_a_higher_temperature_is_less_sure() -> None:
    logits = np.array([3.0, 1.0, 0.0])
    cool, warm = softmax(logits, 0.5), softmax(logits, 2.0)
    assert cool.sum() == pytest.approx(1)
    assert cool[0] > warm[0] > 1 / 3
    assert np.isfinite(softmax(np.array([4000.0, 0.0]), 0.2)).all()


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ModelUnreadableError, match="refuses the model"):
        Model(b"TFL3 this is not a model" * 10)


def test_the_manifest_names_the_very_files() -> None:
    manifest = json.loads((ARTIFACTS / "manifest.json").read_text())
    assert len(manifest["classifier"]["class_names"]) == 43
    for name in ("detector", "classifier"):
        content = (ARTIFACTS / manifest[name]["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == manifest[name]["sha256"]


def test_the_shipped_models_keep_the_contract() -> None:
    manifest = json.loads((ARTIFACTS / "manifest.json").read_text())
    classifier = Model(ARTIFACTS / manifest["classifier"]["file"])
    point = manifest["detector"]["operating_points"]["fast"]
    detector = Model(ARTIFACTS / manifest["detector"]["file"], 1, tuple(point["input"]))
    assert detector.input_shape == (1, *point["input"], 3)
    assert classifier.input_shape == (1, *manifest["classifier"]["input"], 3)
    frame = np.random.default_rng(1).integers(0, 256, (300, 500, 3), np.uint8)
    frame.flags.writeable = False
    _, heat, sides = Detector(detector, Thresholds(0.3)).maps(frame)
    cells = tuple(side // manifest["detector"]["stride"] for side in point["input"])
    assert heat.shape == cells
    assert sides.shape == (*cells, 4)
    assert sides.min() >= 0
    reader = Classifier(classifier, manifest["classifier"]["crop_expand"], manifest["classifier"]["temperature"])
    (found,) = reader(frame, [(20.0, 30.0, 60.0, 60.0)])
    assert found.probabilities.shape == (43,)
    assert found.probabilities.sum() + found.not_a_sign == pytest.approx(1)
    assert found.probability == found.probabilities[found.class_id]


def test_the_same_pixels_give_the_same_answer_twice() -> None:
    model = Model(ARTIFACTS / "classifier.tflite")
    patch = np.random.default_rng(2).integers(0, 256, (48, 48, 3), np.uint8)
    first = model.run(patch)[0]
    assert np.array_equal(first, model.run(patch)[0])
    assert np.array_equal(first, model.run(patch.astype(np.float32))[0])


def test_a_sign_in_deep_shade_gets_the_levels_of_one_in_light() -> None:
    light = np.random.default_rng(3).integers(20, 236, (48, 48, 3), np.uint8)
    shade = (light * 0.1 + 4).astype(np.uint8)
    assert np.abs(evened(light).astype(int) - evened(shade)).mean() < 16  # a gain of 11 spreads each level
    assert not evened(np.zeros((48, 48, 3), np.uint8)).std()
    assert np.array_equal(evened(light), evened(light))
