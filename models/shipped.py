"""The shipped models: their manifest, and the run-time objects it describes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from device.perception.classify import Classifier
from device.perception.detect import Detector, Thresholds
from device.perception.interpreter import Model, ModelUnreadableError
from models.errors import ModelsError

ARTIFACTS = Path(__file__).parent / "artifacts"
SCHEMA = 3
Point = Literal["fast", "far"]


class ManifestError(ModelsError, ValueError):
    """The manifest is missing, malformed, or does not fit the models beside it."""


@dataclass(frozen=True)
class Shipped:
    """Both networks, ready to run, and their manifest."""

    manifest: dict[str, Any]
    detector: Detector
    classifier: Classifier


def load(folder: Path = ARTIFACTS, threads: int = 1, score: float | None = None, point: Point = "far") -> Shipped:
    """Loads both models of a folder, for training and measuring: only the hashes are checked, not the signature.

    Args:
        score: replaces `score_proposed`, the detector's own threshold (mAP needs the weak ones too).
        point: the detector's operating point.
    """
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
        if manifest["schema"] != SCHEMA:
            raise ValueError(f"its schema is {manifest['schema']}")
        found, read = manifest["detector"], manifest["classifier"]
        at = found["operating_points"][point]
        keep = score if score is not None else float(at["score_proposed"])
        thresholds = Thresholds(keep, found["nms_iou"], found["sign_max_aspect"], count=found["max_detections"])
        height, width = at["input"]
        detector = _model(folder, found, threads, (int(height), int(width)))
        _expect(folder, found, detector, (1, int(height), int(width), 3))
        classifier = _model(folder, read)
        _expect(folder, read, classifier, (1, *read["input"], 3))
        return Shipped(
            manifest,
            Detector(detector, thresholds, found["stride"]),
            Classifier(classifier, read["crop_expand"], read["temperature"]),
        )
    except ManifestError:
        raise
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{path}: not a manifest of schema {SCHEMA} ({type(error).__name__}: {error})") from error


def _model(folder: Path, entry: dict[str, Any], threads: int = 1, size: tuple[int, int] | None = None) -> Model:
    try:
        return Model(_checked(folder, entry), threads, size)
    except ModelUnreadableError as error:
        raise ManifestError(f"{folder / entry['file']}: {error}") from error


def _expect(folder: Path, entry: dict[str, Any], model: Model, shape: tuple[int, ...]) -> None:
    if model.input_shape != shape:
        raise ManifestError(f"{folder / entry['file']}: its input is {model.input_shape}, the manifest says {shape}")


def _checked(folder: Path, entry: dict[str, Any]) -> bytes:
    content = (folder / str(entry["file"])).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != entry["sha256"]:
        raise ManifestError(f"{folder / entry['file']}: its SHA-256 is {digest}, the manifest says {entry['sha256']}")
    return content
