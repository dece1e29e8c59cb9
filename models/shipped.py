"""The shipped models: their manifest, and the run-time objects it describes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.perception.classify import Classifier
from device.perception.detect import Detector, Thresholds
from device.perception.interpreter import Model
from models.errors import ModelsError

ARTIFACTS = Path(__file__).parent / "artifacts"


class ManifestError(ModelsError, ValueError):
    """The manifest is missing, malformed, or does not fit the models beside it."""


@dataclass(frozen=True)
class Shipped:
    """Both networks, ready to run, and their manifest."""

    manifest: dict[str, Any]
    detector: Detector
    classifier: Classifier


def load(folder: Path = ARTIFACTS, threads: int = 1, score: float | None = None) -> Shipped:
    """Loads both models of a folder; `score` replaces the detector's lower threshold (mAP needs the weak ones too)."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
        found, read = manifest["detector"], manifest["classifier"]
        keep = score if score is not None else float(found["score_low"])
        thresholds = Thresholds(keep, found["nms_iou"], found["sign_max_aspect"], count=found["max_detections"])
        models = [Model(_checked(folder, entry), threads) for entry in (found, read)]
        detector = Detector(models[0], thresholds, found["stride"])
        return Shipped(manifest, detector, Classifier(models[1], read["crop_expand"], read["temperature"]))
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{path}: not a manifest of schema 1 ({type(error).__name__}: {error})") from error


def _checked(folder: Path, entry: dict[str, Any]) -> bytes:
    content = (folder / str(entry["file"])).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != entry["sha256"]:
        raise ManifestError(f"{folder / entry['file']}: its SHA-256 is {digest}, the manifest says {entry['sha256']}")
    return content
