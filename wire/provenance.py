"""Who vouches for the models: the OpenSSF model signature over them, checked against one public key. No I/O.

A signature is a Sigstore bundle (JSON) around one DSSE envelope, whose payload is an in-toto Statement that lists each
file's SHA-256. The signature is checked over the payload's bytes before they are parsed. What is parsed is typed and
bounded, and unknown fields are refused. `models.sign` writes the same types, as `model_signing` does.

Sources: github.com/sigstore/model-transparency (predicate v1.0), docs.sigstore.dev/about/bundle (v0.3),
github.com/secure-systems-lab/dsse (v1.0.0), github.com/in-toto/attestation (Statement v1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta, Struct

from wire.errors import ProvenanceError

MAX_BUNDLE_BYTES = 64 * 1024
MAX_KEY_BYTES = 4096
MAX_FILES = 64

_REMEDY = "reinstall the models, or sign your own (docs/operations.md)"

_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}"  # no part begins with a dot, so none is "..": no name leaves the folder
RelativeName = Annotated[str, Meta(pattern=rf"^{_PART}(/{_PART}){{0,3}}\Z")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Base64 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]+={0,2}\Z")]
PayloadType = Literal["application/vnd.in-toto+json"]
_PAYLOAD_TYPE: PayloadType = "application/vnd.in-toto+json"


class KeyHint(Struct, frozen=True, forbid_unknown_fields=True):
    """SHA-256 of the public key's PEM. It is not signed: it only tells a wrong key from a wrong signature."""

    hint: Sha256


class Material(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the bundle says to verify with: a key that the verifier has, and no transparency log."""

    public_key: KeyHint
    tlog_entries: Annotated[list[None], Meta(max_length=0)] = []


class Signature(Struct, frozen=True, forbid_unknown_fields=True):
    """One DSSE signature (DER)."""

    sig: Base64
    keyid: Literal[""] = ""


class DsseEnvelope(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """DSSE, with exactly one signature."""

    payload: Base64
    payload_type: PayloadType
    signatures: Annotated[list[Signature], Meta(min_length=1, max_length=1)]


class Bundle(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The file `model.sig`."""

    media_type: Literal["application/vnd.dev.sigstore.bundle.v0.3+json"]
    verification_material: Material
    dsse_envelope: DsseEnvelope


class RootDigest(Struct, frozen=True, forbid_unknown_fields=True):
    """SHA-256 over the resources' digests, one after the other."""

    sha256: Sha256


class Subject(Struct, frozen=True, forbid_unknown_fields=True):
    """The models as a whole."""

    name: Annotated[str, Meta(max_length=255)]
    digest: RootDigest


class Resource(Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

    name: RelativeName
    algorithm: Literal["sha256"]
    digest: Sha256


class Serialization(Struct, frozen=True, forbid_unknown_fields=True):
    """How the files were hashed: each as a whole, and what was left out."""

    method: Literal["files"]
    hash_type: Literal["sha256"]
    allow_symlinks: bool
    ignore_paths: Annotated[list[Annotated[str, Meta(max_length=255)]], Meta(max_length=16)] = []


class Predicate(Struct, frozen=True, forbid_unknown_fields=True):
    """The files."""

    serialization: Serialization
    resources: Annotated[list[Resource], Meta(min_length=1, max_length=MAX_FILES)]


class Statement(
    Struct, frozen=True, forbid_unknown_fields=True, rename={"type": "_type", "predicate_type": "predicateType"}
):
    """The signed payload."""

    type: Literal["https://in-toto.io/Statement/v1"]
    subject: Annotated[list[Subject], Meta(min_length=1, max_length=1)]
    predicate_type: Literal["https://model_signing/signature/v1.0"]
    predicate: Predicate


@dataclass(frozen=True)
class Anchor:
    """The public key that is trusted to sign models, and its id: the SHA-256 of its PEM."""

    key: ec.EllipticCurvePublicKey
    key_id: str


def anchor(pem: bytes, where: str) -> Anchor:
    """The trusted key. `where` names its file in the message. Raises ProvenanceError unless it is ECDSA P-256."""
    try:
        key = serialization.load_pem_public_key(pem) if len(pem) <= MAX_KEY_BYTES else None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ProvenanceError(
            f"{where} is no release key (ECDSA P-256 public key in PEM)",
            "reinstall Sealcam, or name your own public key with [models] release_key",
        )
    return Anchor(key, key_id(key))


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """As the format's `hint` has it: SHA-256 of the PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.PEM, form)).hexdigest()


def pae(payload: bytes) -> bytes:
    """The bytes that a DSSE signature is made over."""
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD_TYPE), _PAYLOAD_TYPE.encode(), len(payload), payload)


def root_digest(resources: list[Resource]) -> str:
    """What the subject's digest must be."""
    return hashlib.sha256(b"".join(bytes.fromhex(resource.digest) for resource in resources)).hexdigest()


def verify(content: bytes, trusted: Anchor, where: str) -> dict[str, str]:
    """File name -> SHA-256, at most MAX_FILES of them, as the holder of the trusted key signed them.

    Args:
        content: the bytes of `model.sig`.
        where: names that file in the message.

    Raises:
        ProvenanceError: it is not such a signature, not by this key, or not of these bytes.
    """
    payload = _authentic(content, trusted, where)
    try:
        statement = msgspec.json.decode(payload, type=Statement)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProvenanceError(f"{where} signs no OpenSSF model signature v1.0 ({error})", _REMEDY) from None
    if statement.predicate.serialization.allow_symlinks:
        raise ProvenanceError(f"{where} was made with symbolic links allowed", "sign the models again without them")
    resources = statement.predicate.resources
    digests = {resource.name: resource.digest for resource in resources}
    if len(digests) != len(resources):
        raise ProvenanceError(f"{where} lists a file twice", _REMEDY)
    if not hmac.compare_digest(root_digest(resources), statement.subject[0].digest.sha256):
        raise ProvenanceError(f"{where} has a digest of the whole that is not that of its files", _REMEDY)
    return digests


def check(digests: Mapping[str, str], name: str, content: bytes, where: str) -> None:
    """The file `name`, shown as `where`, is signed and these are its bytes. Raises ProvenanceError."""
    if name not in digests:
        raise ProvenanceError(f"{where} is not among the signed files", _REMEDY)
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), digests[name]):
        raise ProvenanceError(f"{where} is not the file that was signed (SHA-256 differs)", _REMEDY)


def _authentic(content: bytes, trusted: Anchor, where: str) -> bytes:
    """The payload, once its signature is good. Until then nothing of it is looked at or shown."""
    if len(content) > MAX_BUNDLE_BYTES:
        raise ProvenanceError(f"{where} is over {MAX_BUNDLE_BYTES // 1024} KiB and so no model signature", _REMEDY)
    try:
        bundle = msgspec.json.decode(content, type=Bundle)
        envelope = bundle.dsse_envelope
        payload, signature = _base64(envelope.payload), _base64(envelope.signatures[0].sig)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error):
        raise ProvenanceError(f"{where} is no Sigstore bundle with one signature by a key", _REMEDY) from None
    signer = bundle.verification_material.public_key.hint
    if not hmac.compare_digest(signer, trusted.key_id):
        raise ProvenanceError(
            f"{where} is signed with the key {signer[:16]}, not with the trusted {trusted.key_id[:16]}", _REMEDY
        )
    try:
        trusted.key.verify(signature, pae(payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ProvenanceError(f"{where} has a signature that is not good", _REMEDY) from None
    return payload


def _base64(text: str) -> bytes:
    """Raises binascii.Error, also where the same bytes are commonly spelt in another way."""
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode() != text:
        raise binascii.Error("not canonical")
    return content
