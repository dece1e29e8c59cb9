"""The shipped models on both interpreters: the default one, and tflite-runtime in a Python 3.11 of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from device.perception.detect import Thresholds, decode
from hardware.signs import draw
from tests.support.paths import ROOT

ARTIFACTS = ROOT / "models" / "artifacts"
SCRIPT = """
import sys, numpy as np
from device.perception.interpreter import Model
crops, frame, out = np.load(sys.argv[1]), np.load(sys.argv[2]), sys.argv[3]
classifier, detector = Model(sys.argv[4]), Model(sys.argv[5], 1, frame.shape[:2])
logits = np.stack([classifier.run(crop)[0].reshape(-1) for crop in crops])
maps = detector.run(frame)
np.savez(out, logits=logits, **{f"map{n}": m for n, m in enumerate(maps)})
print(next(m for m in ("ai_edge_litert", "tflite_runtime") if m in sys.modules))
"""


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python 3.11 with tflite-runtime and numpy 1, as the lock has them, and nothing else."""
    uv = Path(sys.executable).with_name("uv")
    uv_command = str(uv) if uv.exists() else shutil.which("uv")
    if uv_command is None:
        pytest.skip("uv is not here to make the tflite-runtime environment (make setup brings it)")
    found = subprocess.run(
        [uv_command, "python", "find", "--no-python-downloads", "--no-project", "3.11"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        pytest.skip("no Python 3.11 is installed; tflite-runtime 2.14 has no wheel for a later Python")
    export = [
        "export",
        "-q",
        "--frozen",
        "--no-hashes",
        "--no-emit-project",
        "--extra",
        "tflite-runtime",
        "--python",
        "3.11",
    ]
    exported = subprocess.run([uv_command, *export], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pins = re.findall(r"^((?:numpy|tflite-runtime)==[0-9.]+)(?: ;.*)?$", exported, re.MULTILINE)
    pins = [pin for pin in pins if not pin.startswith("numpy==2")]
    folder = tmp_path_factory.mktemp("tflite") / "venv"
    quiet = {**os.environ, "UV_NO_CACHE": "1"}
    subprocess.run([uv_command, "venv", "-q", "--python", found.stdout.strip(), str(folder)], env=quiet, check=True)
    install = [uv_command, "pip", "install", "-q", "--python", str(folder / "bin" / "python"), *pins]
    subprocess.run(install, env=quiet, check=True)
    return folder / "bin" / "python"


def answers(python: Path, folder: Path, crops: Path, frame: Path) -> tuple[str, dict[str, np.ndarray]]:
    out = folder / "answers.npz"
    models = [str(ARTIFACTS / name) for name in ("classifier.tflite", "detector.tflite")]
    done = subprocess.run(
        [str(python), "-c", SCRIPT, str(crops), str(frame), str(out), *models],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with np.load(out) as loaded:
        return done.stdout.strip().splitlines()[-1], dict(loaded)


def test_both_interpreters_give_the_same_answers(other_python: Path, tmp_path: Path) -> None:
    crops = np.stack([draw(class_id, 48)[:, :, :3] for class_id in range(43)])
    size = json.loads((ARTIFACTS / "manifest.json").read_text())["detector"]["operating_points"]["fast"]["input"]
    frame = np.full((*size, 3), 110, np.uint8)
    frame[100:148, 200:248] = crops[14]
    np.save(tmp_path / "crops.npy", crops)
    np.save(tmp_path / "frame.npy", frame)
    results = []
    for name, python in (("default", Path(sys.executable)), ("other", other_python)):
        (tmp_path / name).mkdir()
        results.append(answers(python, tmp_path / name, tmp_path / "crops.npy", tmp_path / "frame.npy"))
    (first, ours), (second, theirs) = results
    assert (first, second) == ("ai_edge_litert", "tflite_runtime")
    assert np.array_equal(ours["logits"].argmax(axis=1), theirs["logits"].argmax(axis=1))
    for key in ours:  # integer kernels round differently: a step here and there, never a shift
        if ours[key].shape[-1] == 4:
            continue  # sides mean nothing where no sign is; those of the sign are compared below
        apart, scale = np.abs(ours[key] - theirs[key]), float(np.ptp(ours[key]))
        assert float(apart.mean()) <= 0.01 * scale and float(apart.max()) <= 0.1 * scale, key
    assert found(ours) == pytest.approx(found(theirs), abs=1.5)


def found(results: dict[str, np.ndarray]) -> list[float]:
    """The best detection: x, y, width, height in pixels."""
    heat, sides = (results[k] for k in sorted(("map0", "map1"), key=lambda k: results[k].shape[-1]))
    (*best, score), *_ = decode(heat[0, :, :, 0], sides[0], Thresholds(0.2))
    assert score > 0.2
    return best
