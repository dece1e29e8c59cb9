"""Warden's parts: the restart budget, the models, the summary's percentiles."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from device.launcher.child import RestartBudget
from device.warden.artifacts import load_signed, sealed_model
from device.warden.summary import percentiles
from tests.support.paths import ARTIFACTS
from wire.errors import ArtifactError
from wire.manifest import MANIFEST, parse


def test_a_budget_gives_growing_pauses_and_then_ends() -> None:
    budget = RestartBudget(allowed=3, window=60.0)
    waits = [budget.spend(t) for t in (0.0, 1.0, 2.0, 3.0)]
    assert waits[:3] == sorted(w for w in waits[:3] if w is not None) and waits[3] is None
    assert budget.total == 3


def test_a_budget_recovers_after_its_window() -> None:
    budget = RestartBudget(allowed=1, window=10.0)
    assert budget.spend(0.0) is not None
    assert budget.spend(9.0) is None
    assert budget.spend(10.5) is not None


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


def test_percentiles_of_known_samples() -> None:
    assert percentiles([4.0]) == {"p50": 4.0, "p95": 4.0, "p99": 4.0}
    assert percentiles([float(n) for n in range(101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
