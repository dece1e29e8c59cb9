"""Thresholds and figures are made anew for existing networks; a file that is not a manifest or figures is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

for _extra in ("torch", "pycocotools", "sklearn"):
    pytest.importorskip(_extra, reason=f"{_extra} is not installed (extra `train`)")

from models import evaluate, ship  # noqa: E402
from models.data import splits  # noqa: E402
from models.release import shipped  # noqa: E402
from tests.support.data_sets import common, frames  # noqa: E402

FIGURES = {
    "classifier": {"accuracy": 0.991, "accuracy_float": 0.992},
    "detector": {"operating_points": {"far": {"map50": 0.98, "detector_alone": {"map50": 0.97}}}},
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments with two small data sets, one frame of which is a validation frame."""
    monkeypatch.setattr(evaluate, "_BACKGROUNDS", 20)
    monkeypatch.setattr(evaluate, "_DRAWN", 20)
    common(tmp_path / "gtsrb", "Train", [14, 1])
    common(tmp_path / "gtsrb", "Test", [14, 1])
    held = min(splits.read().frames)
    scenes = frames(tmp_path / "gtsdb", {held: [(300, 200, 60, 14), (800, 300, 40, 1)]}, ".jpg")
    return ["--gtsrb", str(tmp_path / "gtsrb"), "--gtsdb", str(scenes)]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped.ARTIFACTS, tmp_path / "models"))


def _manifest(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return read


@pytest.mark.slow
def test_thresholds_and_figures_are_those_of_the_given_data_and_the_networks_stay(
    data: list[str], models: Path, tmp_path: Path
) -> None:
    before = _manifest(models)
    (tmp_path / "again.json").write_text(json.dumps(FIGURES))
    rule = {"both thresholds": {"boxes_per_frame_in_verdicts": 0.02}}
    (tmp_path / "clips.json").write_text(json.dumps({"road.mp4": {"frames": 100, "rules": rule}}))
    given = ["--again", str(tmp_path / "again.json"), "--clips", str(tmp_path / "clips.json")]
    assert ship.main([*data, "--out", str(models), *given]) == 0
    after = _manifest(models)
    assert after["metrics"]["clips"] == {"road.mp4": 0.02}
    assert after["metrics"]["classifier"]["n"] == after["metrics"]["detector"]["boxes"] == 2
    assert after["metrics"]["another_training"]["map50_detector_alone"] == 0.97
    assert after["training"]["data_sha256"] != before["training"]["data_sha256"]
    for name in ("detector", "classifier"):
        assert after[name]["sha256"] == before[name]["sha256"]
    point = after["detector"]["operating_points"]["far"]
    assert 0 < point["score_low"] <= point["score_high"] < 1
    assert ship.main([*data, "--out", str(models)]) == 0
    assert _manifest(models)["metrics"] == after["metrics"]


@pytest.mark.parametrize(("option", "command"), [("--again", "models.evaluate"), ("--clips", "models.clips")])
@pytest.mark.parametrize("content", ["[1]", "no JSON", '{"classifier": null}'])
def test_a_file_that_is_not_figures_is_named(
    option: str,
    command: str,
    content: str,
    data: list[str],
    models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "figures.json"
    path.write_text(content)
    assert ship.main([*data, "--out", str(models), option, str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"python -m models.ship: {path}: not what {command} --json writes")


def test_data_without_their_test_set_are_reported_before_any_model_is_replaced(
    data: list[str], models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gtsrb" / "Test.csv").unlink()
    monkeypatch.setattr(ship.checkpoint, "load", lambda *arguments: pytest.fail("went on without the test set"))
    assert ship.main([*data, "--out", str(models), "--checkpoints", str(tmp_path)]) == 2
    assert "Test.csv" in capsys.readouterr().err


def test_bad_data_are_not_taken_for_a_bad_manifest(
    data: list[str], models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gtsrb" / "Test.csv").unlink()
    assert ship.main([*data, "--out", str(models)]) == 2
    said = capsys.readouterr().err
    assert "Test.csv" in said and "manifest" not in said


def test_an_interrupted_measurement_leaves_the_models_as_they_were(
    data: list[str], models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    before = {file.name: file.read_bytes() for file in models.iterdir()}
    monkeypatch.setattr(ship.evaluate, "measure", interrupted)
    assert ship.main([*data, "--out", str(models)]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "python -m models.ship: interrupted"
    assert {file.name: file.read_bytes() for file in models.iterdir()} == before
    assert [path.name for path in models.parent.iterdir() if path.name.startswith(".")] == []


def test_without_networks_and_checkpoints_the_manifest_is_missed(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ship.main([*data, "--out", str(tmp_path)]) == 2
    assert f"{tmp_path / 'manifest.json'}: not a manifest that models.ship wrote" in capsys.readouterr().err
