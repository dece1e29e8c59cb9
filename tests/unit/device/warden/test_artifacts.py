"""The models are handed over only as they are in the manifest and in the signed list, and sealed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from device.warden.artifacts import load_signed, sealed_model
from tests.support.paths import ARTIFACTS
from wire.errors import ArtifactError
from wire.manifest import MANIFEST, parse


def test_the_shipped_models_are_those_of_their_manifest() -> None:
    manifest, models = load_signed(ARTIFACTS, "")
    assert manifest == parse((ARTIFACTS / MANIFEST).read_bytes(), "here")
    for descriptor in models.values():
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"x", 0)
        os.close(descriptor)


def test_one_flipped_byte_refuses_the_model(tmp_path: Path) -> None:
    content = b"model" * 100
    flipped = content[:-1] + b"M"
    right, wrong = (hashlib.sha256(data).hexdigest() for data in (content, flipped))
    (tmp_path / "m.tflite").write_bytes(flipped)
    for manifest, signed in ((right, right), (wrong, right), (right, wrong)):  # both must match
        with pytest.raises(ArtifactError, match="SHA-256") as caught:
            sealed_model(tmp_path, "m.tflite", manifest, {"m.tflite": signed})
        assert caught.value.exit_status == 2


def test_a_pipe_in_the_place_of_a_model_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.tflite")
    with pytest.raises(ArtifactError, match="is not a plain file"):
        sealed_model(tmp_path, "m.tflite", "0" * 64, {"m.tflite": "0" * 64})


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"m\.tflite"):
        sealed_model(tmp_path, "m.tflite", "0" * 64, {"m.tflite": "0" * 64})
