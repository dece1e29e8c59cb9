"""Checks the models against their manifest, and hands perception their very bytes in sealed memory files."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from device.warden.errors import ArtifactError

_MAX_MODEL_BYTES = 64 * 1024 * 1024
_MAX_MANIFEST_BYTES = 1024 * 1024
_REMEDY = "reinstall the models (git checkout -- models/artifacts)"

FileName = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}\.tflite\Z")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class DetectorEntry(Struct, frozen=True):
    """The manifest's `detector`; further keys are for people."""

    file: FileName
    sha256: Sha256
    stride: Annotated[int, Meta(ge=1, le=64)]
    score_low: Annotated[float, Meta(gt=0.0, lt=1.0)]
    score_high: Annotated[float, Meta(gt=0.0, lt=1.0)]
    nms_iou: Annotated[float, Meta(gt=0.0, le=1.0)]


class ClassifierEntry(Struct, frozen=True):
    """The manifest's `classifier`; further keys are for people."""

    file: FileName
    sha256: Sha256
    crop_expand: Annotated[float, Meta(ge=0.5, le=4.0)]
    temperature: Annotated[float, Meta(gt=0.0, le=100.0)]


class Manifest(Struct, frozen=True):
    """`models/artifacts/manifest.json`, as far as the device relies on it."""

    schema: Annotated[int, Meta(ge=1, le=1)]
    detector: DetectorEntry
    classifier: ClassifierEntry


def load_manifest(folder: Path) -> Manifest:
    """Raises ArtifactError when the manifest is missing or is not what it must be."""
    path = folder / "manifest.json"
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_MANIFEST_BYTES), type=Manifest)
    except OSError as error:
        raise ArtifactError(f"the models' manifest {path} cannot be read ({error.strerror}); {_REMEDY}") from None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ArtifactError(f"the models' manifest {path} is not valid ({error}); {_REMEDY}") from None


def sealed_model(folder: Path, name: str, sha256: str) -> int:
    """A sealed memory file with the model's bytes, which are the bytes that were hashed. Raises ArtifactError."""
    path = folder / name
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_MODEL_BYTES + 1)
    except OSError as error:
        raise ArtifactError(f"the model {path} cannot be read ({error.strerror}); {_REMEDY}") from None
    if len(content) > _MAX_MODEL_BYTES or not hmac.compare_digest(hashlib.sha256(content).hexdigest(), sha256):
        raise ArtifactError(f"the model {path} is not the one its manifest names (SHA-256 differs); {_REMEDY}")
    descriptor = os.memfd_create("sealcam-model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
