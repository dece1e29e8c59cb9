"""The shipped models on real data that no training saw: what the model card says holds, through the run-time path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import SHARED_DATA

ARTIFACTS = Path(__file__).resolve().parents[2] / "models" / "artifacts"


@pytest.mark.slow
def test_the_classifier_is_as_right_as_its_manifest_says_on_the_public_test() -> None:
    data = SHARED_DATA / "gtsrb.zip"
    if not data.exists():
        pytest.skip("the real crops are not beside this checkout (../shared/data/gtsrb.zip)")
    pytest.importorskip("sklearn", reason="the evaluation needs the extra evaluate")
    from models import evaluate

    figures = evaluate.measure(ARTIFACTS, data, None)["classifier"]
    told = json.loads((ARTIFACTS / "manifest.json").read_text())["metrics"]["classifier"]
    assert figures["n"] == told["n"] == 6315
    assert figures["accuracy"] >= 0.995
    assert figures["accuracy"] == pytest.approx(told["accuracy"], abs=0.002)
    assert figures["ece"] <= 0.02
