"""`python -m models.evaluate` writes every promised key for any part of the data, or says what is wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

for _extra in ("pycocotools", "sklearn", "tqdm"):
    pytest.importorskip(_extra, reason=f"{_extra} is not installed (extra `evaluate`)")

from models import evaluate  # noqa: E402
from models.classes import CLASS_NAMES  # noqa: E402
from models.data import gtsrb, splits  # noqa: E402
from models.data.source import DataSet  # noqa: E402
from models.measuring import sightings  # noqa: E402
from models.release import shipped  # noqa: E402
from tests.support.data_sets import (  # noqa: E402
    as_zip_with_a_top_folder,
    common,
    encoded,
    final_test,
    frames,
)

CLASSIFIER = {"n", "accuracy", "accuracy_float", "ece", "auroc_not_a_sign", "per_class_recall"}
DETECTOR = {"frames", "boxes", "map50", "recall_at_0_1_fp", "recall_by_width"}
END_TO_END = {"precision", "recall", "confusions"}
WIDTHS = {"16-24", "24-32", "32-64", "64+"}

TWO_SIGNS = {600: [(300, 200, 60, 14), (800, 300, 28, 1)]}


@pytest.fixture(autouse=True)
def few_negatives(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figure needs thousands of crops without a sign, a test of the keys a few."""
    monkeypatch.setattr(evaluate, "_BACKGROUNDS", 20)
    monkeypatch.setattr(evaluate, "_DRAWN", 20)


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    return common(tmp_path / "gtsrb", "Test", [14, 1, 14])


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return frames(tmp_path / "gtsdb", TWO_SIGNS | {601: []}, ".jpg")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the shipped models."""
    return Path(shutil.copytree(shipped.ARTIFACTS, tmp_path / "models"))


def _strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def _measured(tmp_path: Path, **data: Path) -> dict[str, Any]:
    """The figures that the command line writes; their keys and ranges are checked."""
    out = tmp_path / "figures.json"
    arguments = [word for name, path in data.items() for word in (f"--{name}", str(path))]
    assert evaluate.main([*arguments, "--json", str(out)]) == 0
    figures: dict[str, Any] = _strict(out.read_text())
    assert set(figures) == {"classifier", "detector", "end_to_end"}
    for name, keys in (("classifier", CLASSIFIER), ("detector", DETECTOR), ("end_to_end", END_TO_END)):
        if figures[name] is not None:
            assert keys <= set(figures[name])
            for key in keys - {"n", "frames", "boxes", "confusions"}:
                assert all(value is None or 0 <= value <= 1 for value in _numbers(figures[name][key])), key
    return figures


def _numbers(value: Any) -> Iterator[float | None]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _numbers(inner)
    else:
        assert value is None or isinstance(value, float)
        yield value


def _said(arguments: list[str | Path], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence with which the command line ends; progress bars may stand before it."""
    assert evaluate.main([str(word) for word in arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    *bars, said = shown.err.replace("\r", "\n").rstrip("\n").split("\n")
    assert all(not bar or "it/s" in bar or "%|" in bar for bar in bars), shown.err
    assert said.startswith("python -m models.evaluate: ")
    assert "Traceback" not in shown.err
    return said


@pytest.mark.slow
def test_both_data_sets_give_every_promised_key(crops: Path, scenes: Path, tmp_path: Path) -> None:
    figures = _measured(tmp_path, gtsrb=crops, gtsdb=scenes)
    classifier, detector, together = figures["classifier"], figures["detector"], figures["end_to_end"]
    assert classifier["n"] == 3
    assert set(classifier["per_class_recall"]) == {"stop", "speed limit 30"}
    assert classifier["accuracy_float"] is not None
    assert classifier["auroc_not_a_sign"] is not None
    assert (detector["frames"], detector["boxes"]) == (2, 2)
    assert set(detector["detector_alone"]) >= DETECTOR
    assert all(0 <= value <= 1 for value in detector["map50_degraded"].values())
    assert set(detector["recall_by_width"]) == WIDTHS
    assert detector["recall_by_width"]["16-24"] is None  # no sign has such a width
    assert all(detector["recall_by_width"][name] is not None for name in ("24-32", "32-64"))
    assert all({"truth", "read_as", "count"} <= set(confusion) for confusion in together["confusions"])


def test_crops_alone(tmp_path: Path) -> None:
    zipped = as_zip_with_a_top_folder(final_test(tmp_path / "gtsrb", [3, 17]), tmp_path)
    figures = _measured(tmp_path, gtsrb=zipped)
    assert (figures["detector"], figures["end_to_end"]) == (None, None)
    assert figures["classifier"]["n"] == 2


@pytest.mark.slow
def test_frames_alone(tmp_path: Path) -> None:
    zipped = as_zip_with_a_top_folder(frames(tmp_path / "gtsdb", TWO_SIGNS, ".webp", named=".ppm"), tmp_path)
    figures = _measured(tmp_path, gtsdb=zipped)
    assert figures["classifier"] is None
    assert figures["detector"]["boxes"] == 2


def test_a_single_crop(tmp_path: Path) -> None:
    figures = _measured(tmp_path, gtsrb=common(tmp_path / "gtsrb", "Test", [42], ".ppm"))["classifier"]
    assert figures["accuracy"] in (0.0, 1.0)
    assert figures["per_class_recall"] == {CLASS_NAMES[42]: figures["accuracy"]}


def test_frames_without_any_sign_have_no_recall(tmp_path: Path) -> None:
    figures = _measured(tmp_path, gtsdb=frames(tmp_path / "gtsdb", {600: [], 601: []}, ".png"))
    detector = figures["detector"]
    assert (detector["boxes"], detector["map50"], detector["recall_at_0_1_fp"]) == (0, None, None)
    assert detector["recall_by_width"] == dict.fromkeys(WIDTHS)
    assert figures["end_to_end"]["recall"] is None


def test_signs_of_which_none_is_found(scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.perception.detect.Detector.__call__", lambda self, frame: [])
    figures = _measured(tmp_path, gtsdb=scenes)
    assert (figures["detector"]["map50"], figures["detector"]["recall_at_0_1_fp"]) == (0.0, 0.0)
    assert (figures["end_to_end"]["precision"], figures["end_to_end"]["recall"]) == (None, 0.0)
    missed = {(c["truth"], c["read_as"]) for c in figures["end_to_end"]["confusions"]}
    assert missed == {("stop", "nothing"), ("speed limit 30", "nothing")}


def test_a_frame_that_is_all_sign_has_no_background_and_is_measured_all_the_same(crops: Path, tmp_path: Path) -> None:
    scenes = frames(tmp_path / "gtsdb", {600: []}, ".jpg")
    (scenes / "gt.txt").write_text("00600.jpg;0;0;1360;800;14\n")
    figures = _measured(tmp_path, gtsrb=crops, gtsdb=scenes)
    assert set(figures["classifier"]["auroc_by_kind"]) == {"foreign_signs"}


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["classifier"].update(temperature="hot"),
        lambda manifest: manifest["classifier"].update(temperature=0),
        lambda manifest: manifest["classifier"].update(crop_expand="1.2"),
        lambda manifest: manifest["detector"]["operating_points"].update(fast=3),
    ],
)
def test_a_manifest_with_a_value_that_cannot_be_is_refused(
    change: Callable[[dict[str, Any]], object], models: Path, crops: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _rewritten(models, change)
    assert "not a manifest of schema" in _said(["--gtsrb", crops, "--models", models], capsys)


def test_detections_where_there_is_nothing_but_an_unlabelled_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlabelled = np.array([[300, 200, 360, 260]], np.float32)
    monkeypatch.setattr(sightings, "unlabelled", lambda name: unlabelled)
    monkeypatch.setattr("device.perception.detect.Detector.__call__", lambda self, frame: [(305, 205, 50, 50, 0.99)])
    figures = _measured(tmp_path, gtsdb=frames(tmp_path / "gtsdb", {600: []}, ".jpg"))
    assert (figures["detector"]["map50"], figures["end_to_end"]["precision"]) == (None, None)


def test_without_a_file_the_figures_are_printed(scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["--gtsdb", str(scenes)]) == 0
    assert _strict(capsys.readouterr().out)["detector"]["frames"] == 2


def test_only_frames_that_no_training_saw_are_measured(tmp_path: Path) -> None:
    split = splits.read()
    held, seen = min(split.frames), next(n for n in range(600) if n not in split.frames)
    figures = _measured(tmp_path, gtsdb=frames(tmp_path / "gtsdb", {held: [], seen: [], 899: []}, ".jpg"))
    assert figures["detector"]["frames"] == 2


def test_frames_that_were_all_trained_on_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = next(n for n in range(600) if n not in splits.read().frames)
    folder = frames(tmp_path / "gtsdb", {seen: []}, ".jpg")
    assert f"{folder}: all its frames were trained on" in _said(["--gtsdb", folder], capsys)


def test_without_data_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        evaluate.main([])
    assert caught.value.code == 2
    assert "give --gtsrb, --gtsdb or both" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--gtsrb", "--gtsdb"])
@pytest.mark.parametrize("wrong", ["absent", "empty", "the other set", "half a zip", "no zip"])
def test_what_is_not_the_data_set_is_named(
    option: str, wrong: str, crops: Path, scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right, other = (crops, scenes) if option == "--gtsrb" else (scenes, crops)
    path = {"absent": tmp_path / "none", "the other set": other}.get(wrong, tmp_path / "data")
    if wrong == "empty":
        path.mkdir()
    elif wrong == "half a zip":
        content = as_zip_with_a_top_folder(right, tmp_path).read_bytes()
        path.write_bytes(content[: len(content) // 2])
    elif wrong == "no zip":
        path.write_text("not a zip")
    assert str(path) in _said([option, path], capsys)


BAD_ROWS = {
    "48,44,6,4,39,37,1,Test/none.png": "the image 'Test/none.png' is missing",
    "48,44,6,4,39,37,43,Test/00000.png": "the label 43 is outside 0..42",
    "48,44,6,4,39,37,-1,Test/00000.png": "the label -1 is outside 0..42",
    "48,44,6,4,48,37,1,Test/00000.png": "the ROI 6,4,48,37 is outside its 48x44 image",
    "48,44,-1,4,39,37,1,Test/00000.png": "the ROI -1,4,39,37 is outside its 48x44 image",
    "48,44,39,4,6,37,1,Test/00000.png": "the ROI 39,4,6,37 is outside its 48x44 image",
    "30,44,6,4,39,37,1,Test/00000.png": "the ROI 6,4,39,37 is outside its 30x44 image",
    "1,1,0,0,0,0,1,Test/00000.png": "the ROI 0,0,0,0 is outside its 1x1 image",
    "48,44,6,4,39,37,stop,Test/00000.png": "a number is missing or is not an integer",
    "48,44,6,4,39,37,": "a number is missing or is not an integer",
    "48,44,6,4,39,37,1,": "the image '' is missing",
    "60,60,6,4,55,55,1,Test/00000.png": "the image 'Test/00000.png' is 48x44, not 60x60 as the row says",
}


@pytest.mark.parametrize(("row", "said"), BAD_ROWS.items())
def test_a_bad_crop_row_is_named(row: str, said: str, crops: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (crops / "Test.csv").open("a") as file:
        file.write(row + "\n")
    line = _said(["--gtsrb", crops], capsys)
    assert line.startswith(f"python -m models.evaluate: {crops}: Test.csv row 5: {said}; ")


@pytest.mark.parametrize("row", list(BAD_ROWS)[:-1])
def test_a_bad_row_of_the_training_set_is_named_before_any_training(row: str, tmp_path: Path) -> None:
    folder = common(tmp_path / "gtsrb", "Train", [1, 1])
    with (folder / "Train.csv").open("a") as file:
        file.write(row.replace("Test/00000.png", "Train/1/00001_00000_00000.png") + "\n")
    scenes = DataSet(frames(tmp_path / "gtsdb", {0: []}, ".jpg"), "gt.txt")
    with pytest.raises(evaluate.DataError, match=r"Train\.csv row 4: "):
        splits.from_sources(DataSet(folder, *gtsrb.TRAIN), scenes)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("00700.jpg;1;2;30;40;5", "the frame 00700.jpg is missing"),
        ("00600.jpg;1;2;30;40;43", "the label 43 is outside 0..42"),
        ("00600.jpg;1;2;1361;40;5", "the box 1,2,1361,40 is outside the 1360x800 frame"),
        ("00600.jpg;30;2;1;40;5", "the box 30,2,1,40 is outside the 1360x800 frame"),
        ("00600.jpg;1;2;30;40", "not 'file;left;top;right;bottom;class' with five integers"),
        ("600;1;2;30;40;5", "'600' is not a frame's file name"),
    ],
)
def test_a_bad_line_of_gt_txt_is_named(row: str, said: str, scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (scenes / "gt.txt").open("a") as file:
        file.write(row + "\n")
    line = _said(["--gtsdb", scenes], capsys)
    assert line.startswith(f"python -m models.evaluate: {scenes}: gt.txt row 3: {said}; ")


@pytest.mark.parametrize("option", ["--gtsrb", "--gtsdb"])
def test_a_picture_of_one_pixel_is_named(
    option: str, crops: Path, scenes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixel = np.zeros((1, 1, 3), np.uint8)
    (crops / "Test" / "00001.png").write_bytes(encoded(pixel, ".png"))
    (scenes / "00601.jpg").write_bytes(encoded(pixel, ".jpg"))
    said = _said([option, {"--gtsrb": crops, "--gtsdb": scenes}[option]], capsys)
    if option == "--gtsrb":
        assert f"{crops}: Test.csv row 3: the image 'Test/00001.png' is 1x1, not 48x44" in said
    else:
        assert f"{scenes}: 00601.jpg is 1x1, not 1360x800" in said


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_file_that_is_not_a_picture_is_named(content: bytes, crops: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (crops / "Test" / "00001.png").write_bytes(content)
    assert f"{crops}: Test/00001.png is not an image" in _said(["--gtsrb", crops], capsys)


def test_a_picture_that_is_cut_off_ends_in_one_sentence_and_nothing_of_a_librarys(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    crops = common(tmp_path / "gtsrb", "Test", [14], ".jpg")
    picture = crops / "Test" / "00000.jpg"
    picture.write_bytes(picture.read_bytes()[:200])
    assert evaluate.main(["--gtsrb", str(crops)]) == 2
    assert "OpenCV" not in (shown := capfd.readouterr().err)
    assert "[ERROR" not in shown
    assert f"{crops}: Test/00000.jpg is not an image that can be decoded; " in shown.splitlines()[-1]


def test_bad_data_is_reported_before_any_model_is_loaded(
    crops: Path, scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scenes / "gt.txt").write_text("nonsense\n")
    said = _said(["--gtsrb", crops, "--gtsdb", scenes, "--models", tmp_path / "none"], capsys)
    wrong = "gt.txt row 1: not 'file;left;top;right;bottom;class' with five integers"
    assert said.startswith(f"python -m models.evaluate: {scenes}: {wrong}; ")


@pytest.mark.parametrize("place", ["none/figures.json", ""])
def test_a_result_that_cannot_be_written_is_reported_before_the_measuring(
    place: str, crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate, "measure", lambda *arguments: pytest.fail("measured in vain"))
    out = tmp_path / place
    said = _said(["--gtsrb", crops, "--json", out], capsys)
    assert said.startswith(f"python -m models.evaluate: {out}: cannot be written; ")


def test_an_earlier_result_stays_when_the_data_are_bad(
    crops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    out.write_text("{}\n")
    (crops / "Test.csv").write_text("Width\n1\n")
    assert "Test.csv lacks the column ClassId" in _said(["--gtsrb", crops, "--json", out], capsys)
    assert out.read_text() == "{}\n"


def _rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _swapped(folder: Path, name: str, other: str) -> None:
    """Puts the model `other` in the place of `name`, and its hash into the manifest."""
    content = (folder / f"{other}.tflite").read_bytes()
    (folder / f"{name}.tflite").write_bytes(content)
    _rewritten(folder, lambda manifest: manifest[name].update(sha256=hashlib.sha256(content).hexdigest()))


@pytest.mark.parametrize("schema", [1, 99, "2", None])
def test_a_manifest_of_another_schema_is_refused(
    schema: Any, models: Path, crops: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _rewritten(models, lambda manifest: manifest.update(schema=schema))
    said = _said(["--gtsrb", crops, "--models", models], capsys)
    assert f"{models / 'manifest.json'}: not a manifest of schema" in said


@pytest.mark.parametrize(("name", "other"), [("classifier", "detector"), ("detector", "classifier")])
def test_a_model_with_another_input_shape_is_refused(
    name: str, other: str, models: Path, crops: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _swapped(models, name, other)
    said = _said(["--gtsrb", crops, "--models", models], capsys)
    assert (
        f"{models / name}.tflite: its input is" in said
        or f"{models / name}.tflite: the TFLite interpreter refuses" in said
    )


@pytest.mark.parametrize("broken", ["another shape", "no model", "absent"])
def test_a_float_model_that_does_not_fit_is_named(
    broken: str, models: Path, crops: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = models / "classifier_float.tflite"
    if broken == "absent":
        path.unlink()
    else:
        path.write_bytes((models / "detector.tflite").read_bytes() if broken == "another shape" else b"no model")
    assert str(path) in _said(["--gtsrb", crops, "--models", models], capsys)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["classifier"].pop("not_a_sign"),
        lambda manifest: manifest["detector"]["operating_points"]["far"].pop("score_high"),
        lambda manifest: manifest["detector"]["operating_points"]["far"].pop("score_proposed"),
        lambda manifest: manifest["detector"]["operating_points"].pop("fast"),
    ],
)
def test_a_manifest_without_a_threshold_is_refused(
    change: Callable[[dict[str, Any]], object],
    models: Path,
    crops: Path,
    scenes: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _rewritten(models, change)
    said = _said(["--gtsrb", crops, "--gtsdb", scenes, "--models", models], capsys)
    assert str(models / "manifest.json") in said


def test_a_missing_split_is_named(models: Path, scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (models / "split.json").unlink()
    assert f"{models / 'split.json'}: not a split file" in _said(["--gtsdb", scenes, "--models", models], capsys)
