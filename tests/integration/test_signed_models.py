"""The device as a user starts it: with models that are not, byte for byte, what was signed, nothing runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from identity.home import Home
from models import sign
from tests.support.running import refused, sealcam
from tests.support.videos import VideoMaker


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    shutil.copytree(sign.MODELS, folder)
    return folder


@pytest.mark.parametrize("name", ["detector.tflite", "classifier.tflite", "manifest.json", "model.sig"])
def test_one_flipped_byte_and_the_device_does_not_start(
    home: Home, make_video: VideoMaker, models: Path, tmp_path: Path, name: str
) -> None:
    content = bytearray((models / name).read_bytes())
    content[len(content) // 2] ^= 1
    (models / name).write_bytes(content)
    said = f"{models / name} "
    sentence = refused(home, "replay", make_video(), "--models", models, "--out", tmp_path / "out", said=said)
    assert "sign" in sentence and "reinstall the models" in sentence
    assert not (tmp_path / "out" / "summary.json").exists()


def test_models_without_a_signature_do_not_start(home: Home, make_video: VideoMaker, models: Path) -> None:
    (models / "model.sig").unlink()
    refused(home, "replay", make_video(), "--models", models, said="model.sig")


def test_own_models_start_under_the_own_key_only(
    home: Home, make_video: VideoMaker, models: Path, tmp_path: Path
) -> None:
    public = sign.keygen(tmp_path / "mine.pem", None)
    assert sign.main(["sign", "--key", str(tmp_path / "mine.pem"), "--models", str(models)]) == 0
    refused(home, "replay", make_video(), "--models", models, said="not with the trusted")
    own = {"SEALCAM_MODELS_RELEASE_KEY": str(public)}
    assert sealcam(home, "replay", make_video(), "--models", models, **own).returncode == 0
    refused(home, "replay", make_video(), said="not with the trusted", **own)


def test_a_release_key_that_is_not_there_is_named(home: Home, make_video: VideoMaker) -> None:
    refused(home, "replay", make_video(), said="/none.pub", SEALCAM_MODELS_RELEASE_KEY="/none.pub")
    refused(
        home,
        "replay",
        make_video(),
        said="its form must be: absolute path",
        SEALCAM_MODELS_RELEASE_KEY="none.pub",
    )
