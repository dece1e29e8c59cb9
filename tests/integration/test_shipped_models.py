"""The shipped models on real data that no training saw: what the model card says holds, through the run-time path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import SHARED_DATA

ARTIFACTS = Path(__file__).resolve().parents[2] / "models" / "artifacts"


@pytest.mark.slow
def test_the_classifier_is_right_on_98_5_percent_of_the_public_test() -> None:
    data = SHARED_DATA / "gtsrb.zip"
    if not data.exists():
        pytest.skip("the real crops are not beside this checkout (../shared/data/gtsrb.zip)")
    pytest.importorskip("tqdm", reason="tqdm comes with the extra train")
    evaluate = pytest.importorskip("models.evaluate", reason="the evaluation needs the extra train")
    figures = evaluate.measure(ARTIFACTS, data, None)["classifier"]
    told = json.loads((ARTIFACTS / "manifest.json").read_text())["metrics"]["classifier"]
    assert figures["n"] == told["n"] == 6315
    assert figures["accuracy"] >= 0.985
    assert figures["accuracy"] == pytest.approx(told["accuracy"], abs=0.002)
    assert figures["ece"] <= 0.02
