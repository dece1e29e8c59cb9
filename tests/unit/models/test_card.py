"""The model card and the README say what the manifest says, and the manifest says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

from models import card
from tests.support.paths import ROOT

ARTIFACTS = ROOT / "models" / "artifacts"


def test_the_card_is_the_one_that_the_manifest_gives() -> None:
    manifest = json.loads((ARTIFACTS / "manifest.json").read_text())
    assert (ARTIFACTS / "README.md").read_text() == card.render(manifest)


def test_the_readme_shows_the_manifests_figures() -> None:
    manifest = json.loads((ARTIFACTS / "manifest.json").read_text())
    assert " ".join(card.summary(manifest).split()) in " ".join((ROOT / "README.md").read_text().split())


def test_no_manifest_no_card(tmp_path: Path) -> None:
    assert card.main(["--models", str(tmp_path)]) == 2
    (tmp_path / "manifest.json").write_text("{}")
    assert card.main(["--models", str(tmp_path)]) == 2
    assert not (tmp_path / "README.md").exists()
