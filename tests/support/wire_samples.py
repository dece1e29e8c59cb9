"""Keys, valid samples, and the check that every refusal of hostile input must pass."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import base45
import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from tests.support.paths import ROOT
from wire import cose
from wire.errors import HostileInputError
from wire.signcode import SignClaims
from wire.sink_key import SinkPrivateKey

AUTHORITY = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
DEVICE = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
RECEIPTS = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32)
SINK = SinkPrivateKey.from_bytes(bytes([5]) * 96)

AUTHORITY_KID = cose.key_id(AUTHORITY.public_key())
TRUSTED = {AUTHORITY_KID: AUTHORITY.public_key()}

CLAIMS = SignClaims(
    sign_id=b"\x00\x01\x02\x03\x04\x05\x06\x07",
    class_id=14,
    lat=52.52001,
    lon=13.40495,
    heading=271.0,
    valid_from=1_800_000_000 - 3600 * 24 * 365,
    valid_until=1_800_000_000,
)

PAYLOADS = (  # what an attacker hopes to see shown or stored raw
    b"<script>alert(1)</script>",
    b"'; DROP TABLE verdicts; --",
    b"\x1b[2J\x1b]0;owned\x07",
    b"%s%n{0.__class__}",
    "\u202e\u0000\ufeff".encode(),
)


def reason_of_refusal(action: Callable[[], object]) -> str:
    """Run `action`, which must raise a HostileInputError that shows nothing of its input; the reason is returned."""
    try:
        action()
    except HostileInputError as error:
        assert re.fullmatch(r"[a-z0-9_]+", error.reason)
        assert str(error) == f"{error.kind} ({error.reason})"
        return error.reason
    raise AssertionError("the hostile input was accepted")


def vector(name: str) -> dict[str, Any]:
    """A known answer of `vectors/`, which tells in its README how each was made."""
    return json.loads((ROOT / "tests" / "unit" / "wire" / "vectors" / f"{name}.json").read_text())  # type: ignore[no-any-return]


# --- what a thief of a key can make: a good signature over any content, and any content well sealed ----------------
# Written with cbor2 and cryptography alone, so that a test does not follow the code that it tests.


def protected_header(key: Ed25519PrivateKey, algorithm: int = -8) -> bytes:
    """The protected header that names `key`."""
    return cbor2.dumps({1: algorithm, 4: hashlib.sha256(key.public_key().public_bytes_raw()).digest()[:8]})


def signed_bytes(payload: bytes, key: Ed25519PrivateKey, aad: bytes, protected: bytes | None = None) -> bytes:
    """A COSE_Sign1 with a good signature over `payload`."""
    header = protected_header(key) if protected is None else protected
    signature = key.sign(cbor2.dumps(["Signature1", header, aad, payload]))
    return cbor2.dumps([header, {}, payload, signature])


def signed(content: object, key: Ed25519PrivateKey, aad: bytes) -> bytes:
    """A COSE_Sign1 with a good signature over the CBOR of `content`."""
    return signed_bytes(cbor2.dumps(content, canonical=True), key, aad)


def code_text(content: object, key: Ed25519PrivateKey = AUTHORITY) -> bytes:
    """The text of a sign code with a good signature over the CBOR of `content`."""
    return b"SR1:" + base45.b45encode(signed(content, key, b"sealcam sign code 1"))


ENVELOPE_TOPIC = "sealcam/v1/cam-1/envelope"
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def envelope_info(device_id: object = "cam-1", sequence: object = 7) -> bytes:
    """What the ciphertext of an envelope is bound to."""
    return cbor2.dumps(["sealcam envelope 1", ENVELOPE_TOPIC, device_id, sequence])


def signed_inside(content: object) -> bytes:
    """The inside of an envelope: signed by DEVICE for SINK, not yet padded."""
    context = ["sealcam envelope 1", ENVELOPE_TOPIC, hashlib.sha256(SINK.public.raw).digest()]
    return signed(content, DEVICE, cbor2.dumps(context))


def padded(inside: bytes) -> bytes:
    """`inside`, 0x80, and zeros up to a multiple of 512 bytes."""
    return inside + b"\x80" + bytes(-(len(inside) + 1) % 512)


def sealed_for_sink(plain: bytes, outside: tuple[object, ...] = (1, "cam-1", 7)) -> bytes:
    """An envelope that opens, under the labels `outside`, to `plain`, whatever that is."""
    ciphertext = SUITE.encrypt(plain, SINK.public.key, info=envelope_info(*outside[1:3]))
    return cbor2.dumps([*outside, ciphertext])
