"""`python -m models.sign`: keys stay private, signatures are in the format, and the shipped models are signed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from device.warden import artifacts
from models import sign
from models.errors import SigningError
from models.release.shipped import load_manifest
from wire import provenance
from wire.errors import ArtifactError, ProvenanceError
from wire.manifest import SIGNATURE


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    shutil.copytree(sign.MODELS, folder, ignore=shutil.ignore_patterns(SIGNATURE))
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pem"
    assert sign.keygen(path, None) == path.with_suffix(".pub")
    return path


def signed(models: Path, key: Path) -> Path:
    assert sign.main(["sign", "--key", str(key), "--models", str(models)]) == 0
    return models


def test_the_shipped_models_are_signed_with_the_shipped_release_key() -> None:
    assert {"manifest.json", "detector.tflite", "classifier.tflite"} <= set(
        sign.verify(sign.MODELS, artifacts.RELEASE_KEY)
    )


def test_the_release_key_is_the_one_that_the_device_trusts() -> None:
    assert sign.RELEASE_KEY == artifacts.RELEASE_KEY


def test_no_private_key_lies_in_the_package() -> None:
    assert artifacts.RELEASE_KEY.read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")


def test_own_models_are_loaded_under_the_own_key_and_under_no_other(models: Path, key: Path) -> None:
    signed(models, key)
    manifest, opened = artifacts.load_signed(models, str(key.with_suffix(".pub")))
    assert set(opened) == {"detector", "classifier"} and manifest.detector.file == "detector.tflite"
    with pytest.raises(ProvenanceError, match="not with the trusted"):
        artifacts.load_signed(models, "")


@pytest.mark.parametrize("name", ["detector.tflite", "classifier.tflite", "manifest.json", "model.sig"])
def test_a_flipped_bit_anywhere_refuses_the_models(models: Path, key: Path, name: str) -> None:
    path, public = signed(models, key) / name, str(key.with_suffix(".pub"))
    good = path.read_bytes()
    for step in range(200):
        position = step * (len(good) - 1) // 199
        changed = bytearray(good)
        changed[position] ^= 1 << step % 8
        path.write_bytes(changed)
        with pytest.raises(ArtifactError, match=name) as caught:
            artifacts.load_signed(models, public)
        assert caught.value.exit_status == 2 and str(caught.value).isprintable()


def test_a_manifest_and_model_exchanged_together_are_refused(models: Path, key: Path) -> None:
    signed(models, key)
    manifest = models / "manifest.json"
    parsed = load_manifest(models)
    other = (models / "detector.tflite").read_bytes() + b"\0"
    (models / "detector.tflite").write_bytes(other)
    text = manifest.read_text().replace(parsed.detector.sha256, hashlib.sha256(other).hexdigest())
    manifest.write_text(text)
    assert load_manifest(models) != parsed  # consistent in itself, and not signed
    with pytest.raises(ProvenanceError, match=r"manifest\.json"):
        artifacts.load_signed(models, str(key.with_suffix(".pub")))


def test_models_that_do_not_fit_their_manifest_are_not_signed(models: Path, key: Path) -> None:
    (models / "detector.tflite").write_bytes(b"other")
    assert sign.main(["sign", "--key", str(key), "--models", str(models)]) == 2
    assert not (models / SIGNATURE).exists()


@pytest.mark.parametrize("change", ["added", "changed", "removed"])
def test_verify_tells_any_difference(models: Path, key: Path, change: str, capsys: pytest.CaptureFixture[str]) -> None:
    signed(models, key)
    arguments = ["verify", "--models", str(models), "--key", str(key.with_suffix(".pub"))]
    assert sign.main(arguments) == 0
    card = models / "README.md"
    {
        "added": lambda: (models / "new.txt").write_text("x"),
        "changed": lambda: card.write_text("x"),
        "removed": card.unlink,
    }[change]()
    assert sign.main(arguments) == 1
    assert ("new.txt" if change == "added" else "README.md") in capsys.readouterr().err


def test_a_link_is_not_signed(models: Path, key: Path) -> None:
    (models / "extra").symlink_to("/etc/hostname")
    with pytest.raises(SigningError, match="extra"):
        sign.sign(models, sign.load_key(key, None))


def test_a_key_is_private_and_never_overwritten(key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert sign.main(["keygen", "--out", str(key)]) == 2
    key.with_suffix(".pub").unlink()
    assert sign.main(["keygen", "--out", str(key)]) == 2
    assert key.read_bytes() == before


def test_a_key_is_not_made_inside_a_work_tree(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep").mkdir()
    with pytest.raises(SigningError, match="git work tree"):
        sign.keygen(tmp_path / "deep" / "key.pem", None)
    assert list((tmp_path / "deep").iterdir()) == []


def test_an_encrypted_key_needs_its_passphrase(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    words, wrong, key = (tmp_path / name for name in ("words", "wrong", "key.pem"))
    for file, text in ((words, "correct horse\n"), (wrong, "battery\n")):
        file.write_text(text)
        file.chmod(0o600)
    assert sign.main(["keygen", "--out", str(key), "--passphrase-file", str(words)]) == 0
    assert b"ENCRYPTED" in key.read_bytes()
    arguments = ["sign", "--key", str(key), "--models", str(models)]
    assert sign.main(arguments) == 2 and "passphrase" in capsys.readouterr().err
    assert sign.main([*arguments, "--passphrase-file", str(wrong)]) == 2
    assert sign.main([*arguments, "--passphrase-file", str(words)]) == 0
    words.chmod(0o644)
    assert sign.main([*arguments, "--passphrase-file", str(words)]) == 2


def test_a_key_that_others_can_read_is_not_used(models: Path, key: Path) -> None:
    key.chmod(0o644)
    assert sign.main(["sign", "--key", str(key), "--models", str(models)]) == 2


def test_a_release_key_that_others_can_change_is_not_trusted(models: Path, key: Path, tmp_path: Path) -> None:
    public = key.with_suffix(".pub")
    public.chmod(0o666)
    with pytest.raises(ArtifactError, match="release_key"):
        artifacts.load_signed(signed(models, key), str(public))
    with pytest.raises(ArtifactError, match="release_key"):
        artifacts.load_signed(models, str(tmp_path / "none.pub"))


def test_another_curve_does_not_sign(tmp_path: Path) -> None:
    path = tmp_path / "p384.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(ec.generate_private_key(ec.SECP384R1()).private_bytes(*form))
    path.chmod(0o600)
    with pytest.raises(SigningError, match="P-256"):
        sign.load_key(path, None)


@pytest.fixture
def official() -> str:
    found = shutil.which("model_signing")
    if found is None:
        pytest.skip("model_signing is not on the PATH (uv tool install model-signing --with pyopenssl)")
    return found


def test_the_official_tool_accepts_ours_and_refuses_it_changed(models: Path, key: Path, official: str) -> None:
    signed(models, key)
    arguments = ["verify", "key", str(models), "--signature", str(models / "model.sig"), "--public_key"]
    command = [official, *arguments, str(key.with_suffix(".pub"))]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    (models / "README.md").write_text("other")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_ours_accepts_the_official_tools(models: Path, key: Path, official: str) -> None:
    arguments = ["sign", "key", str(models), "--signature", str(models / "model.sig"), "--private_key", str(key)]
    subprocess.run([official, *arguments], capture_output=True, check=True)
    public = key.with_suffix(".pub")
    assert "manifest.json" in sign.verify(models, public)
    artifacts.load_signed(models, str(public))
    assert provenance.key_id(sign.load_key(key, None).public_key()) in (models / "model.sig").read_text()
