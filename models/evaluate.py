"""Command line: `python -m models.evaluate --gtsrb PATH --gtsdb PATH --json FILE`: figures of the shipped models.

The classifier is measured on all rows of `Test.csv`, cut as at run time (ROI expanded by `crop_expand`). The detector
is measured on the frames that no training saw: the split's validation frames, and any from 00600 on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from device.perception.classify import Classifier
from device.perception.detect import Detector
from models import calibration, detection_scores, gtsdb, gtsrb, shipped, splits
from models.classes import CLASS_NAMES
from models.crops import INPUT_SIZE, load_patches
from models.detection_scores import Found
from models.errors import ModelsError
from models.source import Source

_TRAINING_FRAMES = 600


def probabilities(classifier: Classifier, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Calibrated probabilities (N x 43) of RGB crops (N x 48 x 48 x 3)."""
    bar = tqdm(crops, desc="classify", unit="crop", mininterval=2)
    return np.stack([classifier.classify(crop).probabilities for crop in bar])


def classifier_figures(found: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy, calibration error, recall of each class. `accuracy_float` is null: the float network is not shipped."""
    right = found.argmax(1) == labels
    present = sorted(set(labels.tolist()))
    return {
        "n": len(labels),
        "accuracy": float(right.mean()),
        "accuracy_float": None,
        "ece": calibration.expected_error(found, labels),
        "per_class_recall": {CLASS_NAMES[c]: float(right[labels == c].mean()) for c in present},
    }


def detections(detector: Detector, source: Source, scenes: Sequence[gtsdb.Scene]) -> list[Found]:
    """Runs the detector on scenes, through the run-time path: BGR frame, letterbox, network, decoding."""
    found = []
    for scene in tqdm(scenes, desc="detect", unit="frame", mininterval=2):
        frame = np.asarray(cv2.cvtColor(gtsdb.frame(source, scene), cv2.COLOR_RGB2BGR), np.uint8)
        found.append(Found(detector(frame), scene.corners))
    return found


def detector_figures(found: Sequence[Found], low: float, high: float) -> dict[str, Any]:
    """mAP at IoU 0.5, recall by width of sign at the lower threshold, precision and recall at both thresholds."""
    result: dict[str, Any] = {
        "frames": len(found),
        "boxes": sum(len(frame.truth) for frame in found),
        "map50": detection_scores.map50(found),
        "recall_by_width": detection_scores.recall_by_width(found, low),
    }
    for name, score in (("score_low", low), ("score_high", high)):
        precision, recall = detection_scores.precision_recall(found, score)
        result[f"at_{name}"] = {"score": score, "precision": precision, "recall": recall}
    return result


def unseen(scenes: Sequence[gtsdb.Scene], split: splits.Split) -> list[gtsdb.Scene]:
    """The scenes that no training saw."""
    return [scene for scene in scenes if scene.number in split.frames or scene.number >= _TRAINING_FRAMES]


def measure(folder: Path, crops: Path | None, scenes: Path | None) -> dict[str, Any]:
    """All figures of the models in `folder`; a data set that is not given gives null."""
    models = shipped.load(folder, score=0.01)
    result: dict[str, Any] = {"classifier": None, "detector": None}
    if crops is not None:
        source = Source(crops, "Test.csv")
        rows = gtsrb.load(source, "Test.csv")
        patches = load_patches(source, rows, models.manifest["classifier"]["crop_expand"], INPUT_SIZE)
        labels = np.array([row.class_id for row in rows], np.int64)
        result["classifier"] = classifier_figures(probabilities(models.classifier, patches), labels)
    if scenes is not None:
        source = Source(scenes, "gt.txt")
        kept = unseen(gtsdb.load(source), splits.read(folder / splits.SPLIT_FILE.name))
        entry = models.manifest["detector"]
        found = detections(models.detector, source, kept)
        result["detector"] = detector_figures(found, entry["score_low"], entry["score_high"])
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and writes JSON; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gtsrb", type=Path, help="folder or zip with Test.csv")
    parser.add_argument("--gtsdb", type=Path, help="folder or zip with gt.txt")
    parser.add_argument(
        "--models", type=Path, default=shipped.ARTIFACTS, help="folder of the models and their manifest"
    )
    parser.add_argument("--json", type=Path, help="file to write (default: print)")
    options = parser.parse_args(arguments)
    if options.gtsrb is None and options.gtsdb is None:
        parser.error("give --gtsrb, --gtsdb or both")
    try:
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
