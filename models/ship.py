"""Command line: `python -m models.ship --checkpoints DIR --gtsrb PATH --gtsdb PATH`: checkpoints -> `artifacts/`.

Exports both networks, chooses the temperature and the thresholds on validation data, and writes the manifest. The
figures in the manifest are those of the written int8 files, but for `accuracy_float` and `another_training`. Without
`--checkpoints` the networks that are there stay, with the classifier's temperature and threshold; only the detector's
thresholds and the figures are made anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import program
from device.perception.classify import evened, softmax
from device.perception.detect import Letterbox, Thresholds
from device.perception.interpreter import Model
from models import evaluate
from models.classes import CLASS_NAMES
from models.data import gtsdb, gtsrb, splits
from models.data.crops import CROP_EXPAND, INPUT_SIZE, load_patches
from models.data.source import DataSet
from models.errors import ModelsError
from models.measuring import belief, calibration, detection_scores, sightings
from models.pictures import drawings
from models.release import export, shipped
from models.release.staging import staged
from models.training import checkpoint
from models.training.nets import ClassifierNet, DetectorNet, parameters
from program.arguments import new_parser, place
from program.chatter import TFLITE, without
from wire.manifest import PointName

SIZES: dict[PointName, tuple[int, int]] = {"fast": (544, 928), "far": (672, 1152)}
LIMITS = Thresholds(0.5)
"""Limits of a detection besides its score (overlap, aspect, count): they go into the manifest."""
PROPOSALS = 5
"""Boxes a validation frame that the classifier may look at, on average: `score_proposed` is as low as that allows,
within LEAST_SCORE and 0.5."""
FALSE_HIGH = 0.05
"""False boxes a validation frame that `score_high` (within LEAST_SCORE and 0.9) allows: from there on a box is surely a
sign, and makes a track."""
PRECISION_LOW, LEAST_SCORE = 0.85, 0.1
"""Precision that `score_low` keeps: down to there, but not below LEAST_SCORE, a box is reported."""
REFUSED_SIGNS = 0.002
"""Share of validation signs that the answer `not_a_sign` may cost."""

_TOLD = ("another_training", "clips")
_UNCHOSEN = {"score_proposed": 0.2, "score_low": 0.2, "score_high": 0.5}  # until the validation frames are looked at
_CALIBRATION_CROPS, _CALIBRATION_FRAMES = 2000, 60
_PACKAGES = ("torch", "litert-torch", "ai-edge-quantizer", "ai-edge-litert", "numpy", "opencv-python-headless")


def ship(
    checkpoints: Path, out: Path, crops: DataSet, scenes: DataSet, told: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Makes the files in `out`, or leaves them as they are where it fails before the end; returns the manifest.

    Args:
        told: figures that other commands measured, for the manifest (`another_training`, `clips`).
    """
    split = splits.from_sources(crops, scenes)
    with staged(out) as stage:
        return _made(checkpoints, stage, crops, scenes, split, told or {})


def _made(
    checkpoints: Path, out: Path, crops: DataSet, scenes: DataSet, split: splits.Split, told: dict[str, Any]
) -> dict[str, Any]:
    hashes = _hashes(crops, scenes)  # reads all data: an unreadable file ends it before the long work
    splits.write(split, out / splits.SPLIT_FILE.name)
    states = {name: checkpoint.load(checkpoints / f"{name}.pt", name) for name in ("classifier", "detector")}
    network, model, before = _classifier(checkpoints / "classifier.pt", crops, split)
    (out / "classifier.tflite").write_bytes(model)
    (out / "classifier_float.tflite").write_bytes(before)
    detector, sign_maps = _detector(checkpoints / "detector.pt", scenes, split)
    (out / "detector.tflite").write_bytes(sign_maps)
    logits, labels = _validation_logits(model, crops, split)
    temperature = calibration.best_temperature(logits, labels)
    manifest: dict[str, Any] = {
        "schema": shipped.SCHEMA,
        "detector": {
            **_entry(out / "detector.tflite"),
            "stride": 8,
            "nms_iou": LIMITS.nms_iou,
            "sign_max_aspect": LIMITS.max_aspect,
            "max_detections": LIMITS.count,
            "parameters": parameters(detector),
            "operating_points": {
                point: {
                    "input": list(size),
                    "gmac": _macs(detector, size) / 1e9,
                }
                | _UNCHOSEN
                for point, size in SIZES.items()
            },
        },
        "classifier": {
            **_entry(out / "classifier.tflite"),
            "float_file": "classifier_float.tflite",
            "input": [INPUT_SIZE, INPUT_SIZE],
            "crop_expand": CROP_EXPAND,
            "parameters": parameters(network),
            "gmac": _macs(network, (INPUT_SIZE, INPUT_SIZE)) / 1e9,
            "temperature": temperature,
            "not_a_sign": _refusal(softmax(logits, temperature)[:, len(CLASS_NAMES)]),
            "class_names": list(CLASS_NAMES),
        },
        "training": {
            "plans": {name: _plan(state) for name, state in (states | _first_stage(checkpoints)).items()},
            "split": splits.SPLIT_FILE.name,
            "data_sha256": hashes,
            "commit": checkpoint.commit(),
            "environment": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        },
        "metrics": {},
    }
    return _measured(out, manifest, crops, scenes, split, told)


def ship_again(out: Path, crops: DataSet, scenes: DataSet, told: dict[str, Any] | None = None) -> dict[str, Any]:
    """Chooses the thresholds and measures anew, with the networks that are in `out`; returns the manifest."""
    path = out / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
        manifest["schema"] = shipped.SCHEMA
        training, metrics = dict(manifest["training"]), dict(manifest["metrics"])
        for entry in manifest["detector"]["operating_points"].values():
            entry |= _UNCHOSEN
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelsError(f"{path}: not a manifest that models.ship wrote ({error!r})", "give --checkpoints") from error
    manifest["training"] = training | {"data_sha256": _hashes(crops, scenes)}
    split = splits.read(out / splits.SPLIT_FILE.name)
    with staged(out) as stage:
        return _measured(stage, manifest, crops, scenes, split, metrics | (told or {}))


def _measured(
    out: Path,
    manifest: dict[str, Any],
    crops: DataSet,
    scenes: DataSet,
    split: splits.Split,
    told: dict[str, Any],
) -> dict[str, Any]:
    """Writes the manifest, with thresholds from the validation frames and the figures of what lies in `out`."""
    _write(out, manifest)
    kept = [scene for scene in gtsdb.load(scenes) if scene.number in split.frames]
    manifest["detector"]["chosen_for"] = {
        "proposals_per_frame": PROPOSALS,
        "false_boxes_per_frame": FALSE_HIGH,
        "precision": PRECISION_LOW,
        "least_score": LEAST_SCORE,
    }
    for point, entry in manifest["detector"]["operating_points"].items():
        entry |= _thresholds(out, point, scenes, kept)
    _write(out, manifest)
    manifest["metrics"] = evaluate.measure(out, crops.path, scenes.path)
    manifest["metrics"] |= {"drawings": _drawn_accuracy(out)} | {name: told.get(name) for name in _TOLD}
    _write(out, manifest)
    return manifest


def _plan(state: dict[str, Any]) -> dict[str, Any]:
    """The plan of a checkpoint, how far it came, the seconds that this took, and the code's commit (None: unknown)."""
    told: dict[str, Any] = state["plan"] | {"steps_done": state["step"]}
    return told | {name: state.get(name) for name in ("seconds", "commit")}


def _first_stage(checkpoints: Path) -> dict[str, dict[str, Any]]:
    """The checkpoint of the detector's first stage, if it lies beside that of the second stage."""
    path = checkpoints / "detector-first.pt"
    return {"detector, first stage": checkpoint.load(path, "detector")} if path.is_file() else {}


def _macs(network: nn.Module, size: tuple[int, int]) -> int:
    """Multiply-adds of one run at an input of height and width `size`."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network.eval()(torch.zeros(1, 3, *size))
    return int(counter.get_total_flops()) // 2


def _refusal(not_a_sign: NDArray[np.float64]) -> float:
    """The probability of `not_a_sign` from which a box is refused: one half, or more if that cost too many signs."""
    return float(np.clip(round(float(np.quantile(not_a_sign, 1 - REFUSED_SIGNS)), 2), 0.5, 0.95))


def _classifier(path: Path, crops: DataSet, split: splits.Split) -> tuple[ClassifierNet, bytes, bytes]:
    network = ClassifierNet()
    checkpoint.fill(network, path, "classifier")
    rows = [row for row in gtsrb.load(crops) if row.track not in split.tracks]
    chosen = np.random.default_rng(0).choice(len(rows), min(len(rows), _CALIBRATION_CROPS), replace=False)
    images = load_patches(crops, [rows[index] for index in chosen], CROP_EXPAND, INPUT_SIZE)
    size = (INPUT_SIZE, INPUT_SIZE)
    before = export.to_float_tflite(network, size)
    model = export.to_int8(before, [evened(image) for image in images])
    export.check(model, (1, *size, 3), {(1, len(CLASS_NAMES) + 1)})
    return network, model, before


def _detector(path: Path, scenes: DataSet, split: splits.Split) -> tuple[DetectorNet, bytes]:
    network = DetectorNet()
    checkpoint.fill(network, path, "detector")
    rows = [scene for scene in splits.trainable(gtsdb.load(scenes)) if scene.number not in split.frames]
    box = Letterbox((gtsdb.HEIGHT, gtsdb.WIDTH), SIZES["far"])
    images = [
        box.fill(np.asarray(gtsdb.frame(scenes, row)[:, :, ::-1], np.uint8)).copy()
        for row in rows[:: max(1, len(rows) // _CALIBRATION_FRAMES)]
    ]
    model = export.to_int8(export.to_float_tflite(network, SIZES["far"]), images, last_square_in_float=True)
    rows_out, columns_out = (side // 8 for side in SIZES["far"])
    export.check(model, (1, *SIZES["far"], 3), {(1, rows_out, columns_out, 1), (1, rows_out, columns_out, 4)})
    return network, model


def _validation_logits(
    model: bytes, crops: DataSet, split: splits.Split
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rows = [row for row in gtsrb.load(crops) if row.track in split.tracks]
    images = load_patches(crops, rows, CROP_EXPAND, INPUT_SIZE)
    with without(TFLITE):
        runner = Model(model)
    logits = np.stack([runner.run(evened(image))[0].reshape(-1) for image in images])
    return logits, np.array([row.class_id for row in rows], np.int64)


def _thresholds(out: Path, point: PointName, scenes: DataSet, kept: Sequence[gtsdb.RoadFrame]) -> dict[str, float]:
    """An operating point's thresholds: see `PROPOSALS`, `FALSE_HIGH` and `PRECISION_LOW`."""
    found = sightings.look(out, point, sightings.WEAKEST, scenes, kept)
    scores = np.sort(np.concatenate([[box[4] for box in frame.alone.detections] for frame in found]))[::-1]
    enough = scores[min(len(scores) - 1, round(PROPOSALS * len(found)))] if scores.size else 0.0
    proposed = float(np.clip(np.ceil(enough * 100) / 100, LEAST_SCORE, 0.5))
    reported = [frame.reported for frame in sightings.look(out, point, proposed, scenes, kept)]
    rare = np.ceil(detection_scores.score_at_false_rate(reported, FALSE_HIGH) * 100) / 100
    high = float(np.clip(rare, LEAST_SCORE, 0.9))
    low = min(high, detection_scores.threshold_for(reported, PRECISION_LOW))
    return {"score_proposed": proposed, "score_low": low, "score_high": high}


def _drawn_accuracy(out: Path) -> dict[str, Any] | None:
    """Accuracy on augmented drawings (20 of each class) on noise, or None without `hardware.signs`."""
    draw = drawings.available()
    if draw is None:
        return None
    rng = np.random.default_rng(7)
    grounds = np.asarray(
        np.stack([cv2.resize(rng.integers(0, 256, (4, 4, 3), np.uint8), (64, 64)) for _ in range(200)]), np.uint8
    )
    images, labels = drawings.samples(draw, grounds, 20 * len(CLASS_NAMES), rng)
    found = evaluate.answers(shipped.load(out).classifier, images).probabilities
    return {"n": len(labels), "accuracy": float((found.argmax(1) == labels).mean())}


def _entry(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _hashes(crops: DataSet, scenes: DataSet) -> dict[str, Any]:
    """SHA-256 of each table, and of all files of each data set."""
    tables = (("gtsrb", crops), ("gtsrb", DataSet(crops.path, *gtsrb.TEST)), ("gtsdb", scenes))
    told: dict[str, Any] = {
        f"{name}/{source.marker}": hashlib.sha256(source.read(source.marker)).hexdigest() for name, source in tables
    }
    return told | {"gtsrb": crops.digest(), "gtsdb": scenes.digest()}


def _tracked(path: Path) -> dict[str, float]:
    """Boxes a frame that end in a verdict, for each video that `models.clips` was given."""
    try:
        return {
            video: float(found["rules"]["both thresholds"]["boxes_per_frame_in_verdicts"])
            for video, found in json.loads(path.read_text()).items()
            if video != belief.PASSES
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelsError(
            f"{path}: not what models.clips --json writes ({error!r})", "make it with models.clips --json"
        ) from error


def _another(path: Path) -> dict[str, Any]:
    """The figures of another training that the card compares."""
    try:
        figures = json.loads(path.read_text())
        far = figures["detector"]["operating_points"]["far"]
        return {
            "accuracy": figures["classifier"]["accuracy"],
            "accuracy_float": figures["classifier"]["accuracy_float"],
            "map50": far["map50"],
            "map50_detector_alone": far["detector_alone"]["map50"],
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelsError(
            f"{path}: not what models.evaluate --json writes with both data sets ({error!r})",
            "make it with models.evaluate --gtsrb PATH --gtsdb PATH --json FILE",
        ) from error


def _write(out: Path, manifest: dict[str, Any]) -> None:
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the artifacts; returns the exit status."""
    return program.run("python -m models.ship", lambda: _work(arguments))


def _work(arguments: Sequence[str] | None = None) -> int | None:
    parser = new_parser(prog="python -m models.ship", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoints", type=place, help="folder with classifier.pt and detector.pt")
    parser.add_argument("--gtsrb", required=True, type=place)
    parser.add_argument("--gtsdb", required=True, type=place)
    parser.add_argument("--out", type=place, default=shipped.ARTIFACTS)
    parser.add_argument(
        "--again", type=place, metavar="FILE", help="what models.evaluate --json wrote of another training from scratch"
    )
    parser.add_argument(
        "--clips", type=place, metavar="FILE", help="what models.clips --json wrote of videos without a sign of the 43"
    )
    options = parser.parse_args(arguments)
    _make(options)
    return 0


def _make(options: argparse.Namespace) -> None:
    crops, scenes = DataSet(options.gtsrb, *gtsrb.TRAIN), DataSet(options.gtsdb, "gt.txt")
    told: dict[str, Any] = {} if options.again is None else {"another_training": _another(options.again)}
    if options.clips is not None:
        told["clips"] = _tracked(options.clips)
    if options.checkpoints is None:
        manifest = ship_again(options.out, crops, scenes, told)
    else:
        manifest = ship(options.checkpoints, options.out, crops, scenes, told)
    print(json.dumps(manifest["metrics"], indent=2))


if __name__ == "__main__":
    sys.exit(main())
