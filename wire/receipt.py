"""The receipt: the sink's signed statement that it has durably stored one envelope.

COSE_Sign1 over `[1, device id, sequence, digest of the sealed envelope]`. The device may forget an
envelope only on its receipt.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire import cbor, cose
from wire.envelope import DIGEST_BYTES, MAX_SEQUENCE
from wire.errors import IssueError, MalformedError
from wire.topics import is_device_id

MAX_RECEIPT_BYTES = 512
PURPOSE = b"sealcam receipt 1"

_VERSION = 1


@dataclass(frozen=True)
class Receipt:
    """A verified receipt. `digest` is the SHA-256 of the sealed envelope that is stored."""

    device_id: str
    sequence: int
    digest: bytes


def issue(device_id: str, sequence: int, digest: bytes, key: Ed25519PrivateKey) -> bytes:
    """Sign a receipt. Raises IssueError when an argument is out of range."""
    if not is_device_id(device_id) or not 0 <= sequence <= MAX_SEQUENCE or len(digest) != DIGEST_BYTES:
        raise IssueError("device_id, sequence or digest: out of range")
    payload = cbor.encode([_VERSION, device_id, sequence, digest])
    return cose.sign1(payload, key, cose.key_id(key.public_key()), PURPOSE)


def verify(data: bytes, key: Ed25519PublicKey) -> Receipt:
    """Check hostile bytes against the sink's receipt key. Raises a `HostileInputError` (as `cose.verify1`)."""
    payload, _ = cose.verify1(data, {cose.key_id(key): key}, PURPOSE, max_bytes=MAX_RECEIPT_BYTES)
    match cbor.decode(payload, max_bytes=MAX_RECEIPT_BYTES, max_depth=1):
        case [int(version), str(device_id), int(sequence), bytes(digest)] if version == _VERSION:
            pass
        case _:
            raise MalformedError("bad_receipt")
    if not is_device_id(device_id) or not 0 <= sequence <= MAX_SEQUENCE or len(digest) != DIGEST_BYTES:
        raise MalformedError("bad_receipt")
    return Receipt(device_id, sequence, digest)
