"""Command line: `python -m models.evaluate --gtsrb PATH --gtsdb PATH --json FILE`: figures of the shipped models.

The classifier is measured on all rows of the GTSRB test set that are given, cut as at run time (ROI expanded by
`crop_expand`). Detection is measured on the frames that no training saw: the split's validation frames, and any from
00600 on. `detector` measures the boxes that the device reports, which the detector proposes and the classifier does not
refuse, scored by both; its `detector_alone` measures the detector's boxes before that. Fractions are from 0 to 1; a
figure that needs data which is not given is null. Without GTSDB, `auroc_not_a_sign` is of drawn foreign signs alone.
Without GTSDB's overlap_with_gtsrb.csv it is not known which boxes are GTSRB crops as well: `end_to_end` says so. Needs
the extra `evaluate`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import program
from device.perception.classify import Classified, Classifier, evened
from device.perception.errors import ModelUnreadableError
from device.perception.interpreter import Model
from models.classes import CLASS_NAMES
from models.data import gtsdb, gtsrb, splits
from models.data.crops import INPUT_SIZE, PATCH_SIZE, as_cropped, load_patches
from models.data.source import DataSet
from models.errors import DataError, ModelsError
from models.measuring import calibration, detection_scores, intervals, sightings
from models.pictures import not_signs
from models.pictures.foreign import drawing as foreign
from models.release import shipped
from program import outputs
from program.arguments import new_parser, place
from program.chatter import TFLITE, without
from wire.manifest import PointName

_BACKGROUNDS, _DRAWN = 3000, 1400


@dataclass(frozen=True)
class Answers:
    """The classifier's answers to N crops: probabilities N x 43, and of `not_a_sign` N."""

    probabilities: NDArray[np.float64]
    not_a_sign: NDArray[np.float64]


def answers(classifier: Classifier, crops: NDArray[np.uint8]) -> Answers:
    """Classifies RGB crops (N x 48 x 48 x 3)."""
    found: list[Classified] = [
        classifier.classify(crop) for crop in tqdm(crops, desc="classify", unit="crop", mininterval=2, disable=None)
    ]
    return Answers(
        np.stack([answer.probabilities for answer in found]), np.array([answer.not_a_sign for answer in found])
    )


def auroc(signs: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Area under the receiver operating characteristic of the probability of `not_a_sign`."""
    from sklearn.metrics import roc_auc_score

    labels = np.r_[np.zeros(len(signs)), np.ones(len(others))]
    return float(roc_auc_score(labels, np.r_[signs, others]))


def classifier_figures(found: Answers, labels: NDArray[np.int64], refused_from: float) -> dict[str, Any]:
    """Accuracy, calibration error, recall of each class, and how many real signs are refused.

    `accuracy` compares the likeliest of the 43 classes with the label, as publications on GTSRB do; in
    `accuracy_reported` a sign that is refused counts as wrong, as on the device.
    """
    right = found.probabilities.argmax(1) == labels
    reported = right & (found.not_a_sign < refused_from)
    present = sorted(set(labels.tolist()))
    return {
        "n": len(labels),
        "accuracy": float(right.mean()),
        "accuracy_interval": intervals.wilson(int(right.sum()), len(right)),
        "accuracy_reported": float(reported.mean()),
        "accuracy_reported_interval": intervals.wilson(int(reported.sum()), len(right)),
        "accuracy_float": None,
        "ece": calibration.expected_error(found.probabilities, labels),
        "auroc_not_a_sign": None,
        "refused_signs": float((found.not_a_sign >= refused_from).mean()),
        "per_class_recall": {CLASS_NAMES[c]: float(right[labels == c].mean()) for c in present},
        "per_class_crops": {CLASS_NAMES[c]: int((labels == c).sum()) for c in present},
    }


def float_accuracy(folder: Path, entry: dict[str, Any], crops: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    """Accuracy of the classifier before it was quantised."""
    path = folder / str(entry["float_file"])
    try:
        with without(TFLITE):
            network = Model(path)
    except ModelUnreadableError as error:
        raise shipped.ManifestError(f"{path}: {error.sentence}", shipped.SHIP) from error
    if network.input_shape != (1, *crops.shape[1:]):
        raise shipped.ManifestError(
            f"{path}: its input is {network.input_shape}, not {(1, *crops.shape[1:])}", shipped.SHIP
        )
    bar = tqdm(crops, desc="classify (float)", unit="crop", mininterval=2, disable=None)
    outputs = np.stack([network.run(evened(crop))[0].reshape(-1) for crop in bar])
    return float((outputs[:, : len(CLASS_NAMES)].argmax(1) == labels).mean())


def not_sign_crops(scenes: DataSet | None, kept: Sequence[gtsdb.RoadFrame]) -> dict[str, NDArray[np.uint8]]:
    """Crops (N x 48 x 48 x 3) that hold none of the 43: background of unseen frames, and drawn signs of kinds that no
    training saw (on that background, or on noise where no frames are given)."""
    rng = np.random.default_rng(0)
    sources = {}
    grounds = np.asarray(rng.integers(0, 256, (200, PATCH_SIZE, PATCH_SIZE, 3)), np.uint8)
    if scenes is not None and kept:
        frames = [gtsdb.frame(scenes, scene) for scene in kept]
        corners = [np.concatenate([scene.corners, sightings.unlabelled(scene.name)]) for scene in kept]
        found = not_signs.background_patches(frames, corners, _BACKGROUNDS, seed=0)
        if len(found):
            sources["background"] = grounds = found
    sources["foreign_signs"] = foreign.patches(grounds, _DRAWN, rng, held_out=True)
    return {name: np.stack([as_cropped(patch) for patch in patches]) for name, patches in sources.items()}


def measure(folder: Path, crops: Path | None, scenes: Path | None) -> dict[str, Any]:
    """All figures of the models in `folder`; a data set that is not given gives null."""
    result: dict[str, Any] = {"classifier": None, "detector": None, "end_to_end": None}
    rows: list[gtsrb.Crop] = []
    images, source, kept = None, None, []
    if crops is not None:
        images = DataSet(crops, *gtsrb.TEST)
        rows = gtsrb.load(images)
    if scenes is not None:
        source = DataSet(scenes, "gt.txt")
        kept = sightings.unseen(gtsdb.load(source), splits.read(folder / splits.SPLIT_FILE.name))
        if not kept:
            raise DataError(f"{scenes}: all its frames were trained on", "give frames of the split, or from 00600 on")
    models = shipped.load(folder, point="far")
    _require_thresholds(folder, models.manifest)
    if images is not None:
        result["classifier"] = _measure_classifier(folder, models, images, rows, source, kept)
    if source is not None:
        points: dict[str, Any] = {}
        for point in get_args(PointName):
            entry = models.manifest["detector"]["operating_points"][point]
            looked = sightings.look(folder, point, entry["score_proposed"], source, kept)
            figures = sightings.detector_figures(looked, entry, models.manifest["classifier"]["gmac"])
            points[point] = {"input": entry["input"]} | figures
            if point == "far":
                shared = gtsdb.shared_boxes(source)
                told = sightings.end_to_end_figures(looked, shared, entry["score_high"])
                result["end_to_end"] = told | {"overlap_known": gtsdb.has_overlap_list(source)}
        proposed_from = models.manifest["detector"]["operating_points"]["far"]["score_proposed"]
        degraded = {
            name: detection_scores.map50(
                [frame.reported for frame in sightings.look(folder, "far", proposed_from, source, kept, name)]
            )
            for name in sightings.DEGRADED
        }
        named = {"operating_point": "far", "operating_points": points, "map50_degraded": degraded}
        result["detector"] = points["far"] | named
    return result


def _require_thresholds(folder: Path, manifest: dict[str, Any]) -> None:
    """Raises ManifestError where a value is missing that the measuring needs beyond what `shipped.load` needs."""
    points = manifest["detector"]["operating_points"]
    wanted = [(manifest["classifier"], name) for name in ("not_a_sign", "gmac")]
    names = ("gmac", "score_proposed", "score_low", "score_high")
    wanted += [(points.get(point, {}), name) for point in get_args(PointName) for name in names]
    for entry, name in wanted:
        if not isinstance(entry.get(name), int | float):
            raise shipped.ManifestError(
                f"{folder / 'manifest.json'}: its {name} is missing or is not a number", shipped.SHIP
            )


def _measure_classifier(
    folder: Path,
    models: shipped.Shipped,
    crops: DataSet,
    rows: Sequence[gtsrb.Crop],
    scenes: DataSet | None,
    kept: Sequence[gtsdb.RoadFrame],
) -> dict[str, Any]:
    entry = models.manifest["classifier"]
    patches = load_patches(crops, rows, entry["crop_expand"], INPUT_SIZE)
    labels = np.array([row.class_id for row in rows], np.int64)
    signs = answers(models.classifier, patches)
    result = classifier_figures(signs, labels, entry["not_a_sign"])
    if entry.get("float_file"):
        result["accuracy_float"] = float_accuracy(folder, entry, patches, labels)
    others = {name: answers(models.classifier, found) for name, found in not_sign_crops(scenes, kept).items()}
    together = np.concatenate([found.not_a_sign for found in others.values()])
    result["auroc_not_a_sign"] = auroc(signs.not_a_sign, together)
    result["auroc_by_kind"] = {name: auroc(signs.not_a_sign, found.not_a_sign) for name, found in others.items()}
    result["refused_others"] = float((together >= entry["not_a_sign"]).mean())
    return result


def _writable(path: Path) -> bool:
    return not path.is_dir() and os.access(path if path.exists() else path.parent, os.W_OK)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and writes JSON; returns the exit status."""
    return program.run("python -m models.evaluate", lambda: _work(arguments))


def _work(arguments: Sequence[str] | None = None) -> int | None:
    parser = new_parser(prog="python -m models.evaluate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gtsrb", type=place, help="folder or zip with Test.csv or GT-final_test.csv")
    parser.add_argument("--gtsdb", type=place, help="folder or zip with gt.txt")
    parser.add_argument(
        "--models", type=place, default=shipped.ARTIFACTS, help="folder of the models and their manifest"
    )
    parser.add_argument("--json", type=place, help="file to write (default: print)")
    options = parser.parse_args(arguments)
    if options.gtsrb is None and options.gtsdb is None:
        parser.error("give --gtsrb, --gtsdb or both")
    _write(options)
    return 0


def _write(options: argparse.Namespace) -> None:
    missing = [name for name in ("pycocotools", "sklearn") if find_spec(name) is None]
    if missing:
        raise ModelsError(f"{missing[0]} is not installed", "install the project's `evaluate` extra")
    if options.json is not None and not _writable(options.json):
        raise ModelsError(f"{options.json}: cannot be written", "name a file in a folder that you may write to")
    text = json.dumps(measure(options.models, options.gtsrb, options.gtsdb), indent=2) + "\n"
    if options.json is None:
        print(text, end="")
    else:
        outputs.write(options.json, text.encode())


if __name__ == "__main__":
    sys.exit(main())
