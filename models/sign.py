"""Command line: `python -m models.sign keygen|sign|verify`: the release key, and the models signed with it.

The signature is `model.sig`, in the OpenSSF model-signing format (v1.0, method `key`), which `model_signing verify key`
accepts too. All files of the folder are signed but the signature itself, `__pycache__`, `.gitattributes` and
`.gitignore`. A passphrase is asked for at the terminal or
read from a private file, never taken from the command line.
"""

from __future__ import annotations

import argparse
import base64
import getpass
import hashlib
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import program
from identity import files
from identity.errors import DamagedKeyError, MissingKeyError
from models.errors import NotAsSignedError, SigningError
from models.release import shipped
from program.arguments import new_parser, place
from wire import provenance
from wire.errors import ProvenanceError
from wire.manifest import SIGNATURE

MODELS = Path(__file__).parent / "artifacts"
RELEASE_KEY = Path(__file__).parents[1] / "device" / "warden" / "release-key.pem"
"""The public half, which comes with the device's code."""
_IGNORED = (SIGNATURE, "__pycache__", ".gitattributes", ".gitignore")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_SECRET_BYTES = 16 * 1024


def keygen(out: Path, passphrase: bytes | None) -> Path:
    """Make an ECDSA P-256 key: `out` (0600, encrypted where there is a passphrase) and, returned, its public half.

    Raises SigningError when either is there already or would lie in a git work tree, where it could be committed.
    """
    out = out.parent.resolve() / out.name
    public = out.with_suffix(".pub")
    if any((folder / ".git").exists() for folder in out.parents):
        raise SigningError(f"{out} is inside a git work tree, where a key gets committed", "choose a place outside")
    if out == public:
        raise SigningError(f"{out} is the name that the public half would have", "give the private key another ending")
    key = ec.generate_private_key(ec.SECP256R1())
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    if public.exists():
        raise SigningError(f"{public} is there already", "move it away or choose another --out")
    _write_new(out, key.private_bytes(pem, pkcs8, encryption), 0o600)
    _write_new(public, key.public_key().public_bytes(pem, spki), 0o644)
    return public


def load_key(path: Path, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    """The private key in a file. Raises SigningError, or KeysError when others may read the file."""
    content = _private(path)
    try:
        key = serialization.load_pem_private_key(content, passphrase)
    except TypeError:
        how = "needs its passphrase" if passphrase is None else "is not encrypted and takes no passphrase"
        raise SigningError(f"the key {path} {how}", "see --passphrase-file") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SigningError(
            f"the key {path} cannot be read with this passphrase", "check the passphrase, and that it is a key in PEM"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningError(
            f"the key {path} is not ECDSA P-256", "make one with: python -m models.sign keygen --out FILE"
        )
    return key


def sign(folder: Path, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The bundle over all files of a folder.

    Raises SigningError, or ArtifactError when the device would not take the models although they are signed.
    """
    digests = _digests(folder)
    resources = [provenance.Resource(name, "sha256", digest) for name, digest in digests.items()]
    manifest = shipped.load_manifest(folder)
    for entry in (manifest.detector, manifest.classifier):
        if digests.get(entry.file) != entry.sha256:
            raise SigningError(f"{folder / entry.file} is not the one its manifest names", "run models.ship, then sign")
    statement = provenance.Statement(
        "https://in-toto.io/Statement/v1",
        [provenance.Subject(folder.resolve().name, provenance.RootDigest(provenance.root_digest(resources)))],
        "https://model_signing/signature/v1.0",
        provenance.Predicate(provenance.Serialization("files", "sha256", False, list(_IGNORED)), resources),
    )
    payload = msgspec.json.encode(statement)
    signature = key.sign(provenance.pae(payload), ec.ECDSA(hashes.SHA256()))
    trusted = provenance.Anchor(key.public_key(), provenance.key_id(key.public_key()))
    bundle = provenance.Bundle(
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        provenance.Material(provenance.KeyHint(trusted.key_id)),
        provenance.DsseEnvelope(
            base64.b64encode(payload).decode(),
            "application/vnd.in-toto+json",
            [provenance.Signature(base64.b64encode(signature).decode())],
        ),
    )
    content = msgspec.json.encode(bundle)
    provenance.verify(content, trusted, str(folder / SIGNATURE))  # what the device refuses is not written
    return content


def verify(folder: Path, public_key: Path) -> dict[str, str]:
    """File name -> SHA-256, once the signature is good and the folder holds these files and no other.

    Raises:
        NotAsSignedError: the signature is not good, or the folder is not what was signed.
        SigningError: the key, the signature or a file cannot be read.
        ProvenanceError: the file of the public key holds no usable key.
    """
    path = folder / SIGNATURE
    try:
        trusted, content = provenance.anchor(public_key.read_bytes(), str(public_key)), path.read_bytes()
    except OSError as error:
        raise SigningError(f"{error.filename} cannot be read ({error.strerror})", "sign the models first") from None
    try:
        signed = provenance.verify(content, trusted, str(path))
    except ProvenanceError as error:
        raise NotAsSignedError(error.sentence, error.remedy) from None
    there = _digests(folder)
    differing = sorted(name for name in signed.keys() | there.keys() if signed.get(name) != there.get(name))
    if differing:
        raise NotAsSignedError(
            f"{folder} is not what was signed: {', '.join(differing)}", "ship the models again, then sign"
        )
    return signed


def _digests(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 of each file that is signed, in the order of the format."""
    found: dict[str, str] = {}
    try:
        if not folder.is_dir():
            raise SigningError(f"{folder} is no folder of models", "give it with --models")
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if name.parts[0] in _IGNORED or (path.is_dir() and not path.is_symlink()):
                continue
            if not stat.S_ISREG(path.lstat().st_mode):
                raise SigningError(f"{path} is not a plain file and cannot be signed", "replace it by a file")
            found[name.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SigningError(f"{error.filename} cannot be read ({error.strerror})", "check --models") from None
    return found


def _private(path: Path) -> bytes:
    """The content of a file that only its owner may read. Raises SigningError, or KeysError when others may."""
    try:
        return files.read_private(path, _MAX_SECRET_BYTES)
    except (MissingKeyError, DamagedKeyError) as error:
        raise SigningError(error.sentence, "name a key or passphrase file of yours") from None


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, _NEW, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SigningError(f"{path} cannot be made ({error.strerror})", "choose another --out") from None


def _passphrase(file: Path | None, *, new: bool) -> bytes | None:
    """From a private file, else from the terminal; None where there is no passphrase."""
    if file is not None:
        content = _private(file).rstrip(b"\r\n")
        if not content:
            raise SigningError(f"{file} is empty", "write the passphrase in it")
        return content
    if not sys.stdin.isatty():
        return None
    given = getpass.getpass("passphrase of the release key (empty for none): ")
    if new and getpass.getpass("again: ") != given:
        raise SigningError("the two passphrases differ, and nothing was made", "type the same one twice")
    return given.encode() or None


def _keygen(options: argparse.Namespace) -> None:
    passphrase = _passphrase(options.passphrase_file, new=True)
    public = keygen(options.out, passphrase)
    if passphrase is None:
        print(f"{options.out} is not encrypted: keep it where nobody else reads", file=sys.stderr)
    print(f"{options.out}: private, stays here")
    print(f"{public}: public, for device/warden/release-key.pem or [models] release_key")


def _check_folder(models: Path) -> None:
    if not models.is_dir():
        raise SigningError(f"{models}: no such folder", "give the models' folder as --models")


def _sign(options: argparse.Namespace) -> None:
    _check_folder(options.models)
    encrypted = b"ENCRYPTED" in _private(options.key)
    passphrase = _passphrase(options.passphrase_file, new=False) if encrypted else None
    key = load_key(options.key, passphrase)
    content = sign(options.models, key)
    path = options.models / SIGNATURE
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)
    print(f"{path}: signed with the key {provenance.key_id(key.public_key())[:16]}")
    if key.public_key() != provenance.anchor(RELEASE_KEY.read_bytes(), str(RELEASE_KEY)).key:
        print(
            "this is not the release key: a device takes these models only with [models] release_key", file=sys.stderr
        )


def _verify(options: argparse.Namespace) -> None:
    _check_folder(options.models)
    signed = verify(options.models, options.key)
    print(f"{options.models}: {len(signed)} files are what was signed with {options.key}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 good, 1 models that are not what was signed, 2 bad usage or input."""
    return program.run("python -m models.sign", lambda: _work(arguments))


def _work(arguments: Sequence[str] | None = None) -> int | None:
    parser = new_parser(prog="python -m models.sign", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    make = commands.add_parser("keygen", help="make a release key, outside any git work tree")
    make.add_argument(
        "--out",
        required=True,
        type=place,
        metavar="FILE",
        help="the private key; the public key beside it ends in .pub",
    )
    make.set_defaults(run=_keygen)
    writer = commands.add_parser("sign", help="sign all files of the models' folder")
    writer.add_argument("--key", required=True, type=place, metavar="FILE", help="the private key")
    writer.set_defaults(run=_sign)
    for action in (make, writer):
        action.add_argument(
            "--passphrase-file", type=place, metavar="FILE", help="a file of mode 0600; else the prompt"
        )
    reader = commands.add_parser("verify", help="check the folder against its signature")
    reader.add_argument("--key", type=place, default=RELEASE_KEY, metavar="PUB", help="the public key")
    reader.set_defaults(run=_verify)
    for action in (writer, reader):
        action.add_argument("--models", type=place, default=MODELS, metavar="DIR")
    options = parser.parse_args(arguments)
    return int(options.run(options) or 0)


if __name__ == "__main__":
    sys.exit(main())
