"""The shipped models: their manifest, and the run-time objects it describes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.perception.classify import Classifier
from device.perception.detect import Detector, Thresholds
from device.perception.errors import ModelUnreadableError
from device.perception.interpreter import Model
from models.errors import ModelsError
from program.chatter import TFLITE, without
from wire import manifest as manifests
from wire.errors import ArtifactError, SealcamError
from wire.manifest import MANIFEST, ClassifierEntry, DetectorEntry, Manifest, PointName, operating_point

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
SCHEMA = 3
SHIP = "make the models anew with models.ship, or name others with --models"
Entry = DetectorEntry | ClassifierEntry


class ManifestError(ModelsError):
    """The manifest is missing, malformed, or does not fit the models beside it."""


def load_manifest(folder: Path) -> Manifest:
    """The manifest without its signature, for tools on a laptop; the device checks the signature first.

    Raises ArtifactError when the manifest is missing or is not what it must be.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"the models' manifest {path} cannot be read ({error.strerror})", manifests.REMEDY
        ) from None
    return manifests.parse(content, str(path))


@dataclass(frozen=True)
class Shipped:
    """Both networks, ready to run, and their manifest."""

    manifest: dict[str, Any]
    detector: Detector
    classifier: Classifier


def load(folder: Path = ARTIFACTS, threads: int = 1, score: float | None = None, point: PointName = "far") -> Shipped:
    """Loads both models of a folder, for training and measuring: only the hashes are checked, not the signature.

    Args:
        score: replaces `score_proposed`, the detector's own threshold (mAP needs the weak boxes too).
        point: the detector's operating point.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        typed = load_manifest(folder)
        found, read = typed.detector, typed.classifier
        at = operating_point(typed, point)
        detector = _model(folder, found, threads, at.input)
        _expect(folder, found, detector, (1, *at.input, 3))
        classifier = _model(folder, read)
        _expect(folder, read, classifier, (1, *manifest["classifier"]["input"], 3))
        return Shipped(
            manifest,
            Detector(detector, Thresholds(score or at.score_proposed, found.nms_iou), found.stride),
            Classifier(classifier, read.crop_expand, read.temperature),
        )
    except ArtifactError as error:
        raise ManifestError(f"{path}: not a manifest of schema {SCHEMA} ({error.sentence})", SHIP) from error
    except SealcamError:
        raise
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error})", SHIP) from error
    except (ValueError, KeyError, TypeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ManifestError(f"{path}: not a manifest of schema {SCHEMA} ({what})", SHIP) from error


def _model(folder: Path, entry: Entry, threads: int = 1, size: tuple[int, int] | None = None) -> Model:
    try:
        with without(TFLITE):
            return Model(content(folder, entry), threads, size)
    except ModelUnreadableError as error:
        raise ManifestError(f"{folder / entry.file}: {error.sentence}", SHIP) from error


def _expect(folder: Path, entry: Entry, model: Model, shape: tuple[int, ...]) -> None:
    if model.input_shape != shape:
        raise ManifestError(f"{folder / entry.file}: its input is {model.input_shape}, the manifest says {shape}", SHIP)


def content(folder: Path, entry: Entry) -> bytes:
    """The bytes of a model. Raises ManifestError when their SHA-256 is not the manifest's."""
    read = (folder / entry.file).read_bytes()
    digest = hashlib.sha256(read).hexdigest()
    if digest != entry.sha256:
        raise ManifestError(f"{folder / entry.file}: its SHA-256 is {digest}, the manifest says {entry.sha256}", SHIP)
    return read
