"""Command line: `python -m models.evaluate --gtsrb PATH --gtsdb PATH --json FILE`: figures of the shipped models.

The classifier is measured on all rows of the GTSRB test set that are given, cut as at run time (ROI expanded by
`crop_expand`). The detector is measured on the frames that no training saw: the split's validation frames, and any from
00600 on. Fractions are from 0 to 1; what the data given cannot tell is null. Needs the extra `evaluate`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from device.perception.classify import Classified, Classifier, evened
from device.perception.detect import Detector
from device.perception.interpreter import Model, ModelUnreadableError
from models import calibration, detection_scores, end_to_end, gtsdb, gtsrb, not_signs, other_signs, shipped, splits
from models.classes import CLASS_NAMES
from models.crops import CROP_EXPAND, INPUT_SIZE, PATCH_EXPAND, PATCH_SIZE, load_patches
from models.detection_scores import Found
from models.errors import DataError, ModelsError
from models.source import Source

_TRAINING_FRAMES = 600
_BACKGROUNDS, _DRAWN = 3000, 1400
_UNLABELLED = Path(__file__).parent / "gtsdb_unlabelled.csv"


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
    return Answers(np.stack([one.probabilities for one in found]), np.array([one.not_a_sign for one in found]))


def interval(successes: int, of: int) -> list[float] | None:
    """Wilson's 95 % interval of a fraction (Wilson, JASA 1927)."""
    from scipy.stats import binomtest

    if of == 0:
        return None
    limits = binomtest(successes, of).proportion_ci(0.95, "wilson")
    return [float(limits.low), float(limits.high)]


def auroc(signs: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Area under the receiver operating characteristic of "is no sign" (the probability of `not_a_sign`)."""
    from sklearn.metrics import roc_auc_score

    labels = np.r_[np.zeros(len(signs)), np.ones(len(others))]
    return float(roc_auc_score(labels, np.r_[signs, others]))


def classifier_figures(found: Answers, labels: NDArray[np.int64], refused_from: float) -> dict[str, Any]:
    """Accuracy, calibration error, recall of each class, and how many real signs are refused."""
    right = found.probabilities.argmax(1) == labels
    present = sorted(set(labels.tolist()))
    return {
        "n": len(labels),
        "accuracy": float(right.mean()),
        "accuracy_interval": interval(int(right.sum()), len(right)),
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
        network = Model(path)
    except ModelUnreadableError as error:
        raise shipped.ManifestError(f"{path}: {error}") from error
    if network.input_shape != (1, *crops.shape[1:]):
        raise shipped.ManifestError(f"{path}: its input is {network.input_shape}, not {(1, *crops.shape[1:])}")
    bar = tqdm(crops, desc="classify (float)", unit="crop", mininterval=2, disable=None)
    outputs = np.stack([network.run(evened(crop))[0].reshape(-1) for crop in bar])
    return float((outputs[:, : len(CLASS_NAMES)].argmax(1) == labels).mean())


def not_sign_crops(scenes: Source | None, kept: Sequence[gtsdb.Scene]) -> dict[str, NDArray[np.uint8]]:
    """Crops (N x 48 x 48 x 3) that hold none of the 43: background of unseen frames, and drawn signs of kinds that no
    training saw (on that background, or on noise where no frames are given)."""
    rng = np.random.default_rng(0)
    sources = {}
    grounds = np.asarray(rng.integers(0, 256, (200, PATCH_SIZE, PATCH_SIZE, 3)), np.uint8)
    if scenes is not None and kept:
        frames = [gtsdb.frame(scenes, scene) for scene in kept]
        corners = [np.concatenate([scene.corners, unlabelled(scene.name)]) for scene in kept]
        grounds = not_signs.background_patches(frames, corners, _BACKGROUNDS, seed=0)
        sources["background"] = grounds
    sources["foreign_signs"] = other_signs.patches(grounds, _DRAWN, rng, held_out=True)
    margin = round(PATCH_SIZE * (1 - CROP_EXPAND / PATCH_EXPAND) / 2)
    inner = slice(margin, PATCH_SIZE - margin)
    side = (INPUT_SIZE, INPUT_SIZE)
    return {
        name: np.stack([np.asarray(cv2.resize(patch[inner, inner], side, interpolation=cv2.INTER_AREA)) for patch in p])
        for name, p in sources.items()
    }


def unlabelled(name: str) -> NDArray[np.float32]:
    """Corners (N x 4) of the signs in a frame that GTSDB leaves without a box: they count neither way."""
    boxes: dict[str, list[list[float]]] = defaultdict(list)
    with _UNLABELLED.open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            boxes[row["frame"]].append([float(row[side]) for side in ("left", "top", "right", "bottom")])
    return np.array(boxes.get(Path(name).stem, []), np.float32).reshape(-1, 4)


def detections(detector: Detector, source: Source, scenes: Sequence[gtsdb.Scene]) -> list[Found]:
    """Runs the detector on scenes, through the run-time path: BGR frame, letterbox, network, decoding."""
    found = []
    for scene in tqdm(scenes, desc="detect", unit="frame", mininterval=2, disable=None):
        found.append(Found(detector(_picture(source, scene)), scene.corners, unlabelled(scene.name)))
    return found


def _picture(source: Source, scene: gtsdb.Scene) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(gtsdb.frame(source, scene), cv2.COLOR_RGB2BGR), np.uint8)


def detector_figures(found: Sequence[Found], point: dict[str, Any]) -> dict[str, Any]:
    """mAP at IoU 0.5, recall at 0.1 false boxes a frame, in all and by width, and what both thresholds give."""
    score = detection_scores.score_at_false_rate(found)
    hit = np.concatenate([detection_scores.matches(frame)[2] for frame in found]) >= max(score, 1e-9)
    plain = [Found(frame.detections, frame.truth) for frame in found]
    result: dict[str, Any] = {
        "frames": len(found),
        "boxes": sum(len(frame.truth) for frame in found),
        "map50": detection_scores.map50(found),
        "map50_nothing_ignored": detection_scores.map50(plain),
        "recall_at_0_1_fp": float(hit.mean()) if hit.size else None,
        "recall_at_0_1_fp_interval": interval(int(hit.sum()), len(hit)),
        "score_at_0_1_fp": score,
        "recall_by_width": detection_scores.recall_by_width(found, max(score, 1e-9)),
        "boxes_by_width": detection_scores.signs_by_width(found),
        "ignored_unlabelled": sum(len(frame.ignored) for frame in found),
    }
    for name in ("score_low", "score_high"):
        precision, recall = detection_scores.precision_recall(found, point[name])
        result[f"at_{name}"] = {"score": point[name], "precision": precision, "recall": recall}
    return result


def end_to_end_figures(
    models: shipped.Shipped, source: Source, scenes: Sequence[gtsdb.Scene], found: Sequence[Found], score: float
) -> dict[str, Any]:
    """Detection and class together at `score`, on boxes that are not GTSRB crops as well."""
    shared = gtsdb.shared_boxes(source)
    refused_from = models.manifest["classifier"]["not_a_sign"]
    frames = []
    for scene, frame in zip(tqdm(scenes, desc="read", unit="frame", mininterval=2, disable=None), found, strict=True):
        kept = [one for one in frame.detections if one[4] >= score]
        read = models.classifier(_picture(source, scene), [one[:4] for one in kept]) if kept else []
        known = np.array([(int(c[0]), int(c[1])) in shared[scene.number] for c in scene.corners], bool)
        ignored = np.concatenate([frame.ignored, scene.corners[known]])
        frames.append(
            end_to_end.Read(
                Found(kept, scene.corners[~known], ignored),
                scene.class_ids[~known],
                np.array([-1 if one.not_a_sign >= refused_from else one.class_id for one in read], np.int64),
            )
        )
    return end_to_end.figures(frames)


def unseen(scenes: Sequence[gtsdb.Scene], split: splits.Split) -> list[gtsdb.Scene]:
    """The scenes that no training saw."""
    return [scene for scene in scenes if scene.number in split.frames or scene.number >= _TRAINING_FRAMES]


def measure(folder: Path, crops: Path | None, scenes: Path | None) -> dict[str, Any]:
    """All figures of the models in `folder`; a data set that is not given gives null."""
    result: dict[str, Any] = {"classifier": None, "detector": None, "end_to_end": None}
    rows: list[gtsrb.Crop] = []
    images, source, kept = None, None, []
    if crops is not None:
        images = Source(crops, *gtsrb.TEST)
        rows = gtsrb.load(images)
    if scenes is not None:
        source = Source(scenes, "gt.txt")
        kept = unseen(gtsdb.load(source), splits.read(folder / splits.SPLIT_FILE.name))
        if not kept:
            raise DataError(f"{scenes}: all its frames were trained on; give frames of the split, or from 00600 on")
    models = shipped.load(folder, score=0.01, point="far")
    _require_thresholds(folder, models.manifest)
    if images is not None:
        result["classifier"] = _measure_classifier(folder, models, images, rows, source, kept)
    if source is not None:
        points = {}
        for point in get_args(shipped.Point):
            at = shipped.load(folder, score=0.01, point=point)
            found = detections(at.detector, source, kept)
            entry = models.manifest["detector"]["operating_points"][point]
            points[point] = {"input": entry["input"]} | detector_figures(found, entry)
            if point == "far":
                result["end_to_end"] = end_to_end_figures(at, source, kept, found, entry["score_high"])
        result["detector"] = points["far"] | {"operating_point": "far", "operating_points": points}
    return result


def _require_thresholds(folder: Path, manifest: dict[str, Any]) -> None:
    """What is measured at, beyond what `shipped.load` needs."""
    points = manifest["detector"]["operating_points"]
    wanted = [(manifest["classifier"], "not_a_sign")]
    wanted += [
        (points.get(point, {}), name) for point in get_args(shipped.Point) for name in ("score_low", "score_high")
    ]
    for entry, name in wanted:
        if not isinstance(entry.get(name), int | float):
            raise shipped.ManifestError(f"{folder / 'manifest.json'}: its {name} is missing or is not a number")


def _measure_classifier(
    folder: Path,
    models: shipped.Shipped,
    crops: Source,
    rows: Sequence[gtsrb.Crop],
    scenes: Source | None,
    kept: Sequence[gtsdb.Scene],
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
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gtsrb", type=Path, help="folder or zip with Test.csv or GT-final_test.csv")
    parser.add_argument("--gtsdb", type=Path, help="folder or zip with gt.txt")
    parser.add_argument(
        "--models", type=Path, default=shipped.ARTIFACTS, help="folder of the models and their manifest"
    )
    parser.add_argument("--json", type=Path, help="file to write (default: print)")
    options = parser.parse_args(arguments)
    if options.gtsrb is None and options.gtsdb is None:
        parser.error("give --gtsrb, --gtsdb or both")
    missing = [name for name in ("pycocotools", "sklearn") if find_spec(name) is None]
    if missing:
        print(f"error: {missing[0]} is missing: install the project's `evaluate` extra", file=sys.stderr)
        return 2
    try:
        if options.json is not None and not _writable(options.json):
            raise ModelsError(f"{options.json}: cannot be written: no such folder, a folder itself, or not allowed")
        text = json.dumps(measure(options.models, options.gtsrb, options.gtsdb), indent=2) + "\n"
        if options.json is None:
            print(text, end="")
        else:
            options.json.write_text(text)
    except (ModelsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
