"""The shipped models with the wheels that a Raspberry Pi installs, emulated: the same classes, the same boxes."""

from __future__ import annotations

import json
import platform
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from device.perception.detect import Letterbox
from hardware.rig import assembly, panel, scene
from hardware.rig.camera import Camera
from hardware.rig.codes import Coded
from hardware.rig.drive import RoadWorld, Stage
from hardware.signs import NUMBER_OF_SIGNS, draw
from models.pictures import augment
from models.release.shipped import load_manifest
from tests.support.arm64 import BOARDS, Board, Emulated, UnavailableError
from tests.support.paths import ROOT

ARTIFACTS = ROOT / "models" / "artifacts"
VERSIONS = 4
SIDE = 48
pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1500)]  # a busy machine emulates for minutes
SCRIPT = """
import json, platform, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from device.perception.classify import Classifier
from device.perception.detect import Detector, Letterbox, Thresholds
from device.perception.interpreter import Model

given, out, told = np.load(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
model, network = Model(told["classifier"]), Model(told["detector"], input_size=tuple(told["input"]))
logits = np.stack([model.run(crop)[0].reshape(-1) for crop in given["crops"]])
step = Interpreter(told["classifier"]).get_output_details()[0]["quantization"][0]
first, second = network.run(given["scaled"])
frame = given["frame"]
scaled = Letterbox(frame.shape[:2], tuple(told["input"])).fill(frame)
found = Detector(network, Thresholds(told["score"], told["nms_iou"]), told["stride"])(frame)
seen = Classifier(model, told["expand"], told["temperature"])(frame, [box[:4] for box in found])
classes = np.array([answer.class_id for answer in seen])
found = np.array(found).reshape(-1, 5)
np.savez(out, logits=logits, step=step, first=first, second=second, scaled=scaled, found=found, classes=classes)
print(platform.machine())
"""

Answers = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    if platform.machine() != "x86_64":
        pytest.skip("this compares with the x86-64 wheel, and this machine is not x86-64")
    folder = tmp_path_factory.mktemp("arm64")
    try:
        yield Emulated(folder)
    except UnavailableError as error:
        pytest.skip(str(error))
    finally:
        shutil.rmtree(folder)  # hundreds of megabytes, which pytest would keep for three runs


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped models, so that all tests use the same files even if new models are shipped meanwhile."""
    return Path(shutil.copytree(ARTIFACTS, tmp_path_factory.mktemp("models") / "artifacts"))


@pytest.fixture(scope="module")
def given(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures for all: `VERSIONS` crops of each sign, a frame of the rig's road, and that frame scaled down."""
    path, picture = tmp_path_factory.mktemp("given") / "given.npz", frame()
    size = load_manifest(artifacts).detector.operating_points.fast.input
    scaled = Letterbox((picture.shape[0], picture.shape[1]), size).fill(picture)
    np.savez(path, crops=crops(load_manifest(artifacts).classifier.crop_expand), frame=picture, scaled=scaled)
    return path


def crops(expand: float) -> NDArray[np.uint8]:
    """Version by version, the 43 signs on a plain ground: the first as drawn, then in other light, blurred, noisy."""
    rng = np.random.default_rng(20)
    margin = round(SIDE * (1 - 1 / expand) / 2)
    pictures = []
    for index in range(VERSIONS):
        for class_id in range(NUMBER_OF_SIGNS):
            face = draw(class_id, SIDE - 2 * margin).astype(np.float32)
            picture = np.full((SIDE, SIDE, 3), rng.integers(60, 180, 3), np.uint8)
            inner, alpha = picture[margin : SIDE - margin, margin : SIDE - margin], face[:, :, 3:] / 255
            inner[:] = face[:, :, :3] * alpha + inner * (1 - alpha) + 0.5
            if index > 0:
                picture = augment.noise(augment.blur(augment.light(picture, rng, 0.5), rng, 1.0), rng)
            pictures.append(picture)
    return np.stack(pictures)


def frame() -> NDArray[np.uint8]:
    """A stop sign with a code below it, twelve metres ahead: BGR, as the camera gives it."""
    camera, rng, distance = Camera(), random.Random(5), 12.0
    place = scene.plan(5, ["uncoded"])[0]
    stands = assembly.build(assembly.face_picture(14, 512), panel.printed("NO SIGN CODE, BUT AS LONG AS ONE" * 4), rng)
    world = RoadWorld(5, camera, [Stage(place, stands, Coded(None, None))])
    return world.view(round((place.z - distance) / camera.step))


def order(artifacts: Path, given: Path, out: Path) -> list[str]:
    """The script's arguments: the device's own settings for the operating point `fast`, from the manifest."""
    manifest = load_manifest(artifacts)
    point = manifest.detector.operating_points.fast
    told = {
        "classifier": str(artifacts / manifest.classifier.file),
        "detector": str(artifacts / manifest.detector.file),
        "input": point.input,
        "score": point.score_proposed,
        "nms_iou": manifest.detector.nms_iou,
        "stride": manifest.detector.stride,
        "expand": manifest.classifier.crop_expand,
        "temperature": manifest.classifier.temperature,
    }
    return [str(given), str(out), json.dumps(told)]


@pytest.fixture(scope="module")
def here(artifacts: Path, given: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What the x86-64 wheel answers."""
    out = tmp_path_factory.mktemp("here") / "answers.npz"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, *order(artifacts, given, out)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    with np.load(out) as loaded:
        return dict(loaded)


@pytest.fixture(scope="module", params=BOARDS, ids=lambda board: board.cpu)
def there(
    request: pytest.FixtureRequest,
    emulated: Emulated,
    artifacts: Path,
    given: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Answers:
    """What the arm64 wheel answers on each board."""
    board: Board = request.param
    out, started = tmp_path_factory.mktemp(board.cpu) / "answers.npz", time.monotonic()
    machine = emulated.run(board, SCRIPT, order(artifacts, given, out), [ROOT]).split()[-1]
    print(f"{board.name} ({board.cpu}): {time.monotonic() - started:.0f} s emulated")
    assert machine == "aarch64"
    with np.load(out) as loaded:
        return dict(loaded)


def test_the_arm64_wheel_gives_the_same_classes(here: Answers, there: Answers) -> None:
    classes, others = here["logits"].argmax(axis=1), there["logits"].argmax(axis=1)
    right = int((classes == np.tile(np.arange(NUMBER_OF_SIGNS), VERSIONS)).sum())
    apart = np.abs(here["logits"] - there["logits"]) / here["step"]
    print(
        f"{int((classes == others).sum())} of {len(classes)} crops get the same class ({right} the drawn one); "
        f"logits at most {apart.max():.2f} int8 steps apart, {float((apart > 0.5).mean()):.2%} of them at all"
    )
    assert right > 0.9 * len(classes)  # if both were wrong in most classes, agreement would show little
    assert np.array_equal(classes, others)
    assert float(apart.max()) < 2.5


def test_the_arm64_wheel_gives_the_same_detector_maps_for_the_same_picture(here: Answers, there: Answers) -> None:
    for key in ("first", "second"):
        apart, scale = float(np.abs(here[key] - there[key]).max()), float(np.ptp(here[key]))
        print(f"detector map {here[key].shape}: at most {apart:.6f} apart, of a range of {scale:.1f}")
        assert apart <= 0.02 * scale


def test_perception_on_arm64_finds_the_same_signs_though_opencv_scales_otherwise(
    artifacts: Path, here: Answers, there: Answers
) -> None:
    point = load_manifest(artifacts).detector.operating_points.fast
    levels = np.abs(here["scaled"].astype(int) - there["scaled"])
    shrunk = point.input[0] / Camera().height
    pairs = [*matched(here, there, point.score_high), *matched(there, here, point.score_high)]
    worst = max(pixels for pixels, _, _ in pairs) * shrunk
    print(
        f"{(levels > 0).mean():.1%} of the scaled frame differ, by at most {levels.max()}; boxes {len(here['found'])} "
        f"and {len(there['found'])}, at most {worst:.3f} input px and {max(p[1] for p in pairs):.5f} in score apart"
    )
    assert levels.max() <= 1
    assert worst <= 1.5
    assert all(score <= 0.05 and same_class for _, score, same_class in pairs)


def matched(first: Answers, second: Answers, least: float) -> Iterator[tuple[float, float, bool]]:
    """For each sure box of `first`, the nearest of `second`: frame pixels and score apart, whether the class agrees."""
    sure = first["found"][:, 4] >= least
    assert sure.any() and len(second["found"]) > 0
    for box, class_id in zip(first["found"][sure], first["classes"][sure], strict=True):
        apart = np.abs(second["found"][:, :4] - box[:4]).max(axis=1)
        nearest = int(apart.argmin())
        score = abs(float(second["found"][nearest, 4] - box[4]))
        yield float(apart[nearest]), score, bool(second["classes"][nearest] == class_id)
