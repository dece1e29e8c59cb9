"""Checks the models against their signature and manifest; hands perception their very bytes in sealed memory files."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from identity import files
from identity.errors import KeysError
from wire import provenance
from wire.errors import ArtifactError
from wire.manifest import MANIFEST, MAX_MANIFEST_BYTES, REMEDY, SIGNATURE, Manifest, parse

RELEASE_KEY = Path(__file__).with_name("release-key.pem")  # in the code, not beside the models: docs/decisions/0013

_MAX_MODEL_BYTES = 64 * 1024 * 1024


def load_signed(folder: Path, release_key: str) -> tuple[Manifest, dict[str, int]]:
    """The manifest, and each model in a sealed memory file. Only signed bytes of either are used.

    Args:
        folder: the models, their manifest and `model.sig`.
        release_key: the file with the public key to trust, empty for the key that comes with the code.

    Raises:
        ArtifactError: a file is missing, not signed by that key, or not what was signed; the named key cannot be
            read, or others may change it.
    """
    trusted = _anchor(release_key)
    bundle = _read(folder / SIGNATURE, provenance.MAX_BUNDLE_BYTES, "the models' signature")
    signed = provenance.verify(bundle, trusted, f"the models' signature {folder / SIGNATURE}")
    content = _read(folder / MANIFEST, MAX_MANIFEST_BYTES, "the models' manifest")
    provenance.check(signed, MANIFEST, content, f"the models' manifest {folder / MANIFEST}")
    manifest = parse(content, str(folder / MANIFEST))
    return manifest, {
        "detector": sealed_model(folder, manifest.detector.file, manifest.detector.sha256, signed),
        "classifier": sealed_model(folder, manifest.classifier.file, manifest.classifier.sha256, signed),
    }


def sealed_model(folder: Path, name: str, sha256: str, signed: Mapping[str, str]) -> int:
    """A sealed memory file with the model's bytes, which are the bytes that were hashed.

    Args:
        sha256: what the manifest says.
        signed: what `provenance.verify` says.

    Raises:
        ArtifactError: the bytes are not what both say.
    """
    path = folder / name
    content = _read(path, _MAX_MODEL_BYTES, "the model")
    provenance.check(signed, name, content, f"the model {path}")
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), sha256):
        raise ArtifactError(f"the model {path} is not the one its manifest names (SHA-256 differs)", REMEDY)
    descriptor = os.memfd_create("sealcam-model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def _anchor(release_key: str) -> provenance.Anchor:
    """The trust anchor: the code's own key, or a named key that only its owner can change. Raises ArtifactError."""
    if not release_key:
        return provenance.anchor(_read(RELEASE_KEY, provenance.MAX_KEY_BYTES, "the release key"), str(RELEASE_KEY))
    path = Path(release_key)
    try:
        return provenance.anchor(files.read_public(path, provenance.MAX_KEY_BYTES), release_key)
    except KeysError as error:
        raise ArtifactError(
            f"the release key {path} cannot be used ({error.sentence})",
            "give [models] release_key a plain file that only its owner can change",
        ) from None


def _read(path: Path, most: int, what: str) -> bytes:
    try:
        # Without O_NONBLOCK, opening a pipe of that name would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ArtifactError(f"{what} {path} is not a plain file", REMEDY)
            content = file.read(most + 1)
    except OSError as error:
        raise ArtifactError(f"{what} {path} cannot be read ({error.strerror})", REMEDY) from None
    if len(content) > most:
        raise ArtifactError(f"{what} {path} is larger than the {most} bytes it may have", REMEDY)
    return content
