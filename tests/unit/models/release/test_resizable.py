"""The shipped detector takes any input whose sides are multiples of 32, and the classifier refuses backgrounds."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from device.perception.classify import Classifier
from device.perception.detect import Detector, Thresholds
from device.perception.errors import ModelUnreadableError
from device.perception.interpreter import Model
from hardware import signs
from models.classes import CLASS_NAMES
from models.release import shipped

SIZES = [(576, 1024), (800, 1376), (672, 1184), (480, 864)]
STRIDE = 8
LEFT, TOP, SIDE = 700, 300, 96
"""Where the one sign of the frame stands, in frame pixels: large enough for each of the sizes."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, dict[str, object]]:
    return shipped.load().manifest


@pytest.fixture(scope="module")
def content(manifest: dict[str, dict[str, object]]) -> bytes:
    return (shipped.ARTIFACTS / str(manifest["detector"]["file"])).read_bytes()


def _road(height: int, width: int) -> NDArray[np.uint8]:
    """A grey road under a paler sky, BGR."""
    frame = np.full((height, width, 3), (95, 100, 98), np.uint8)
    frame[: height // 2] = (205, 190, 175)
    noise = np.random.default_rng(0).normal(0, 4, frame.shape)
    return np.asarray(np.clip(frame + noise, 0, 255), np.uint8)


def _with_sign(class_id: int) -> NDArray[np.uint8]:
    frame = _road(800, 1360)
    face = cv2.cvtColor(signs.draw(class_id, SIDE), cv2.COLOR_RGBA2BGRA)
    share = face[:, :, 3:].astype(np.float32) / 255
    place = frame[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
    place[:] = (face[:, :, :3] * share + place * (1 - share)).astype(np.uint8)
    return cv2.GaussianBlur(frame, (0, 0), 0.8)


@pytest.mark.parametrize("size", SIZES)
def test_the_maps_follow_the_input(size: tuple[int, int], content: bytes) -> None:
    model = Model(content, input_size=size)
    assert model.input_shape == (1, *size, 3)
    rows, columns = size[0] // STRIDE, size[1] // STRIDE
    outputs = model.run(np.full((*size, 3), 114, np.uint8))
    assert {output.shape for output in outputs} == {(1, rows, columns, 1), (1, rows, columns, 4)}
    assert all(np.isfinite(output).all() for output in outputs)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("class_id", [14, 17, 38])
def test_a_sign_is_found_at_its_place_whatever_the_input(class_id: int, size: tuple[int, int], content: bytes) -> None:
    detector = Detector(Model(content, input_size=size), Thresholds(0.3), STRIDE)
    x, y, w, h, _ = detector(_with_sign(class_id))[0]
    assert abs(x + w / 2 - (LEFT + SIDE / 2)) < SIDE / 8
    assert abs(y + h / 2 - (TOP + SIDE / 2)) < SIDE / 8
    assert 0.7 < w / SIDE < 1.4
    assert 0.7 < h / SIDE < 1.4


def test_each_run_of_a_resized_model_starts_afresh(content: bytes) -> None:
    detector = Detector(Model(content, input_size=SIZES[2]), Thresholds(0.3), STRIDE)
    first = detector(_with_sign(14))
    detector(_road(800, 1360))
    assert detector(_with_sign(14)) == first


def test_a_size_that_the_network_cannot_have_is_refused(content: bytes) -> None:
    with pytest.raises(ModelUnreadableError):
        Model(content, input_size=(0, 0))


def _grounds(rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Sky, wall, hedge and road: what stands behind a false detection, RGB."""
    for cells in (1, 2, 3, 4, 6, 12):
        for _ in range(6):
            coarse = rng.integers(40, 210, (cells, cells, 3), np.uint8)
            yield np.asarray(cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_CUBIC), np.uint8)


def _face(class_id: int, ground: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The face on its ground as the run-time crop shows it: five sixths of the side."""
    patch = ground.copy()
    face = signs.draw(class_id, 40)
    share = face[:, :, 3:].astype(np.float32) / 255
    patch[4:44, 4:44] = (face[:, :, :3] * share + patch[4:44, 4:44] * (1 - share)).astype(np.uint8)
    return patch


def test_the_classifier_refuses_backgrounds_rather_than_signs() -> None:
    classifier: Classifier = shipped.load().classifier
    grounds = list(_grounds(np.random.default_rng(1)))
    backgrounds = [classifier.classify(ground).not_a_sign for ground in grounds]
    faces = [
        classifier.classify(_face(class_id, grounds[class_id % len(grounds)])).not_a_sign
        for class_id in range(len(CLASS_NAMES))
    ]
    assert np.median(backgrounds) > 0.5 > np.median(faces)
    higher = np.array(backgrounds)[:, None] > np.array(faces)[None]
    assert higher.mean() > 0.8  # of any background and any sign, the background is refused sooner
