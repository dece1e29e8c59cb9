"""Where things lie in this checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "models" / "artifacts"
CLASSIFIER = ARTIFACTS / "classifier.tflite"
SHARED_DATA = ROOT.parent / "shared" / "data"
"""Real recorded data, where it lies beside the checkout; never committed."""
