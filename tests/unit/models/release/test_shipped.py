"""The shipped files are loaded as their manifest says, or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.perception.interpreter import InterpreterMissingError
from models.release import shipped
from models.release.shipped import ManifestError
from wire.errors import ArtifactError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts"
    shutil.copytree(shipped.ARTIFACTS, folder)
    return folder


def _changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_an_empty_road_holds_no_sign_and_a_noisy_picture_does_not_break_it(copy: Path) -> None:
    models = shipped.load(copy)
    assert models.detector(np.full((864, 1536, 3), 110, np.uint8)) == []
    noise = np.random.default_rng(0).integers(0, 256, (404, 700, 3), np.uint8)
    found = models.detector(noise)
    assert len(found) == len(models.classifier(noise, [box[:4] for box in found]))


def test_a_swapped_model_is_refused(copy: Path) -> None:
    (copy / "detector.tflite").write_bytes((copy / "classifier.tflite").read_bytes())
    with pytest.raises(ManifestError, match="SHA-256"):
        shipped.load(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("detector"),
        lambda manifest: manifest["classifier"].pop("temperature"),
        lambda manifest: manifest.update(detector=3),
    ],
)
def test_a_manifest_that_lacks_something_is_refused(copy: Path, change: Callable[[dict[str, Any]], object]) -> None:
    _changed(copy, change)
    with pytest.raises(ManifestError, match="not a manifest of schema 3"):
        shipped.load(copy)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        shipped.load(tmp_path)


def test_a_missing_interpreter_is_not_taken_for_a_bad_manifest(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object) -> None:
        raise InterpreterMissingError("interpreter_missing")

    monkeypatch.setattr(shipped, "Model", missing)
    with pytest.raises(InterpreterMissingError, match="no TFLite interpreter"):
        shipped.load(copy)


def test_evaluate_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn", reason="the evaluation needs the extra evaluate")
    from models import evaluate

    assert evaluate.main(["--gtsrb", str(tmp_path), "--json", str(tmp_path / "out.json")]) == 2
    assert "Test.csv or GT-final_test.csv is neither in it nor up to three folders below" in capsys.readouterr().err


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json cannot be read \(No such file") as caught:
        shipped.load_manifest(tmp_path)
    assert caught.value.exit_status == 2
