"""COSE_Sign1 (RFC 9052 section 4.2), untagged, EdDSA only, with the 8-byte key id in the protected header.

All that devices, sinks and road authorities sign goes through here, each purpose with its own `external_aad`, so that
a signature made for one purpose is worth nothing for another. The signature is verified before the payload is returned.
Only models are signed in another format (`wire.provenance`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire import cbor
from wire.errors import ForgedError, MalformedError, UnknownKeyError

KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64

_ALGORITHM, _KEY_ID = 1, 4  # header labels, RFC 9052 section 3.1
_EDDSA = -8  # RFC 9053 section 2.2
_PROTECTED_BYTES = 13


class Signer(Protocol):
    """Whatever can make an Ed25519 signature: a key in memory, or a token that never gives its key away."""

    def sign(self, data: bytes, /) -> bytes:
        """The 64-byte Ed25519 signature of `data`."""


def key_id(public_key: Ed25519PublicKey) -> bytes:
    """The 8-byte id of a key: the first 8 bytes of the SHA-256 of the raw public key."""
    return hashlib.sha256(public_key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def sign1(payload: bytes, key: Signer, kid: bytes, external_aad: bytes = b"") -> bytes:
    """Sign `payload` under the 8-byte key id `kid`, for the purpose that `external_aad` names."""
    protected = _protected(kid)
    signature = key.sign(_to_be_signed(protected, external_aad, payload))
    return cbor.encode([protected, {}, payload, signature])


def verify1(
    data: bytes, keys: Mapping[bytes, Ed25519PublicKey], external_aad: bytes = b"", max_bytes: int = 4096
) -> tuple[bytes, bytes]:
    """Verify hostile bytes.

    Args:
        data: what claims to be a COSE_Sign1 made by `sign1`.
        keys: the trusted keys by their 8-byte ids.
        external_aad: the purpose that the signature must have been made for.
        max_bytes: above this size the bytes are refused unread.

    Returns:
        The payload, and the id of the key that signed it.

    Raises:
        MalformedError: not one deterministic COSE_Sign1 of the shape that `sign1` makes.
        UnknownKeyError: the key id is not in `keys`.
        ForgedError: the signature does not verify.
    """
    frame = cbor.decode(data, max_bytes=max_bytes, max_depth=2)
    match frame:
        case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)] if not unprotected:
            pass
        case _:
            raise MalformedError("not_cose_sign1")
    kid = protected[-KEY_ID_BYTES:]
    if len(protected) != _PROTECTED_BYTES or protected != _protected(kid) or len(signature) != SIGNATURE_BYTES:
        raise MalformedError("bad_cose_header")
    key = keys.get(kid)
    if key is None:
        raise UnknownKeyError("unknown_key")
    try:
        key.verify(signature, _to_be_signed(protected, external_aad, payload))
    except InvalidSignature:
        raise ForgedError("bad_signature") from None
    return payload, kid


def _protected(kid: bytes) -> bytes:
    """The one protected header that we write and accept."""
    return cbor.encode({_ALGORITHM: _EDDSA, _KEY_ID: kid})


def _to_be_signed(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052 section 4.4."""
    return cbor.encode(["Signature1", protected, external_aad, payload])
