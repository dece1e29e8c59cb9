"""The models' manifest: the two model files, and the sizes and thresholds that they run with. No I/O.

That the manifest is authentic is not checked here: see `wire.provenance`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from wire.errors import ArtifactError

MANIFEST, SIGNATURE = "manifest.json", "model.sig"
"""The names that the manifest and the signature have beside the models."""
MAX_MANIFEST_BYTES = 1024 * 1024
REMEDY = "reinstall the models (git checkout -- models/artifacts)"
"""What to do about a model or a manifest that is not what it must be."""

FileName = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}\.tflite\Z")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
InputSide = Annotated[int, Meta(ge=32, le=4096, multiple_of=32)]
Score = Annotated[float, Meta(gt=0.0, lt=1.0)]
PointName = Literal["fast", "far"]
"""`far` is the default; `fast` finds fewer small signs and takes two thirds of the time."""


class OperatingPoint(Struct, frozen=True):
    """The detector at one input size (height, width), with the thresholds that validation chose there.

    `score_proposed` is of the detector alone, the others of both networks together (`device.perception.core.scored`).
    """

    input: tuple[InputSide, InputSide]
    score_proposed: Score
    score_low: Score
    score_high: Score


class OperatingPoints(Struct, frozen=True):
    """An operating point for each `PointName`."""

    fast: OperatingPoint
    far: OperatingPoint


class DetectorEntry(Struct, frozen=True):
    """The manifest's `detector`; further keys are for people."""

    file: FileName
    sha256: Sha256
    stride: Annotated[int, Meta(ge=1, le=64)]
    operating_points: OperatingPoints
    nms_iou: Annotated[float, Meta(gt=0.0, le=1.0)]


class ClassifierEntry(Struct, frozen=True):
    """The manifest's `classifier`; further keys are for people."""

    file: FileName
    sha256: Sha256
    crop_expand: Annotated[float, Meta(ge=0.5, le=4.0)]
    temperature: Annotated[float, Meta(gt=0.0, le=100.0)]
    not_a_sign: Score  # from this probability on, a box is refused


class Manifest(Struct, frozen=True):
    """`models/artifacts/manifest.json`, as far as anything relies on it."""

    schema: Annotated[int, Meta(ge=3, le=3)]
    detector: DetectorEntry
    classifier: ClassifierEntry


def parse(content: bytes, where: str) -> Manifest:
    """The manifest in a file's bytes. `where` names the file in the message. Raises ArtifactError."""
    if len(content) > MAX_MANIFEST_BYTES:
        raise ArtifactError(
            f"the models' manifest {where} is larger than the {MAX_MANIFEST_BYTES} bytes it may have", REMEDY
        )
    try:
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"the models' manifest {where} is not valid ({error})", REMEDY) from None


def operating_point(manifest: Manifest, name: PointName) -> OperatingPoint:
    """The detector's size and thresholds by name."""
    points = manifest.detector.operating_points
    return points.far if name == "far" else points.fast
