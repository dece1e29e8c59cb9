"""The shipped models on real data that no training saw: the model card's figures hold, through the run-time path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.paths import ARTIFACTS, SHARED_DATA


@pytest.mark.slow
def test_the_classifier_is_as_right_as_its_manifest_says_on_the_public_test() -> None:
    data = SHARED_DATA / "gtsrb.zip"
    if not data.exists():
        pytest.skip("the real crops are not beside this checkout (../shared/data/gtsrb.zip)")
    pytest.importorskip("sklearn", reason="the evaluation needs the extra evaluate")
    from models import evaluate

    figures = evaluate.measure(ARTIFACTS, data, None)["classifier"]
    told = json.loads((ARTIFACTS / "manifest.json").read_text())["metrics"]["classifier"]
    assert figures["n"] == told["n"] == 6315
    assert figures["accuracy"] >= 0.995
    assert figures["accuracy"] == pytest.approx(told["accuracy"], abs=0.002)
    assert figures["ece"] <= 0.02


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((ARTIFACTS / "manifest.json").read_text())
    return manifest


@pytest.mark.slow
def test_signs_are_found_and_read_in_real_frames_as_the_manifest_says(told: dict[str, Any]) -> None:
    data = SHARED_DATA / "gtsdb.zip"
    if not data.exists():
        pytest.skip("the real frames are not beside this checkout (../shared/data/gtsdb.zip)")
    pytest.importorskip("pycocotools", reason="the evaluation needs the extra evaluate")
    from models.data import gtsdb, splits
    from models.data.source import DataSet
    from models.measuring import sightings

    source = DataSet(data, "gt.txt")
    kept = sightings.unseen(gtsdb.load(source), splits.read(ARTIFACTS / "split.json"))
    for name, least in (("far", 0.96), ("fast", 0.92)):
        point = told["detector"]["operating_points"][name]
        looked = sightings.look(ARTIFACTS, name, point["score_proposed"], source, kept)
        figures = sightings.detector_figures(looked, point, told["classifier"]["gmac"])
        said = told["metrics"]["detector"]["operating_points"][name]
        assert figures["boxes"] == said["boxes"]
        assert figures["map50"] >= least
        for key in ("map50", "recall_at_0_1_fp"):
            assert figures[key] == pytest.approx(said[key], abs=0.01)  # other processors round otherwise
            assert figures["detector_alone"][key] == pytest.approx(said["detector_alone"][key], abs=0.02)
        if name == "far":
            assert figures["recall_by_width"]["24-32"] >= 0.9
            assert min(figures["recall_by_width"][width] for width in ("32-64", "64+")) >= 0.97
            both = sightings.end_to_end_figures(looked, gtsdb.shared_boxes(source), point["score_high"])
            assert both["recall"] == pytest.approx(told["metrics"]["end_to_end"]["recall"], abs=0.02)


def test_the_manifests_figures_keep_what_was_asked_of_the_models(told: dict[str, Any]) -> None:
    read, found = told["metrics"]["classifier"], told["metrics"]["detector"]
    assert told["classifier"]["parameters"] <= 600_000
    assert told["classifier"]["gmac"] <= 0.020
    assert found["operating_points"]["far"]["gmac_per_frame"] <= 1.6
    assert read["accuracy"] >= 0.995
    assert read["accuracy_float"] - read["accuracy"] <= 0.002
    assert read["ece"] <= 0.02
    assert read["auroc_not_a_sign"] >= 0.98
    counts = read["per_class_crops"]
    assert min(recall for name, recall in read["per_class_recall"].items() if counts[name] >= 60) >= 0.97


def test_another_training_came_near_the_shipped_models(told: dict[str, Any]) -> None:
    """The classifier within 0.3 points; the detector above its required mAP, as 90 frames measure no finer."""
    again = told["metrics"]["another_training"]
    assert again["accuracy"] == pytest.approx(told["metrics"]["classifier"]["accuracy"], abs=0.003)
    assert again["map50"] >= 0.96


def test_every_real_pass_of_a_sign_is_looked_at_enough_to_be_believed_without_a_code() -> None:
    """What docs/decisions/0012 says of `ALONE_EVIDENCE`, at a score of 0.8: all passes with 30 looks each, 59 % at half
    the size, 74 % with ten looks. The passes are the tracks of the training set."""
    data = SHARED_DATA / "gtsrb.zip"
    if not data.exists():
        pytest.skip("the real crops are not beside this checkout (../shared/data/gtsrb.zip)")
    from device.verdict.tracking.faces import ALONE_EVIDENCE
    from models.data import gtsrb
    from models.data.source import DataSet

    looks: dict[str, list[float]] = {}
    for row in gtsrb.load(DataSet(data, *gtsrb.TRAIN)):
        left, top, right, bottom = row.box
        looks.setdefault(row.track, []).append(0.8 * min((right - left) * (bottom - top) / 64**2, 1.0))
    assert len(looks) == 1306
    assert min(sum(sizes) for sizes in looks.values()) >= ALONE_EVIDENCE
    reached = [sum(sum(sizes) / 4 >= ALONE_EVIDENCE for sizes in looks.values()) / len(looks)]
    reached.append(sum(sum(sizes[::3]) >= ALONE_EVIDENCE for sizes in looks.values()) / len(looks))
    assert reached == pytest.approx([0.59, 0.74], abs=0.01)
