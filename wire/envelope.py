"""The envelope: an event, signed by its device, then sealed to the sink.

    inner   COSE_Sign1( [1, device id, sequence, digest of the previous envelope, boot id, event] )   Ed25519
    padded  inner, then 0x80, then zeros up to a multiple of 512 bytes
    sealed  [1, device id, sequence, HPKE( padded )]       ML-KEM-768 with X25519, HKDF-SHA256, AES-128-GCM, base mode

Topic, device id and sequence are bound twice: in the HPKE `info`, so that an envelope opens only where it belongs, and
under the signature, so that only the device can have put it there. The signature covers the sink's public key as well:
a sink cannot pass a device's envelope on to another sink as if it had been sealed to that other sink. The padding
keeps a broker from telling a verdict from a heartbeat by its size.

Source: RFC 9180 (HPKE), RFC 9052 (COSE). COSE's own framing of HPKE (draft-ietf-cose-hpke) is still a draft and has no
number for this hybrid suite: the outer frame is ours, and nothing outside this module knows it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from wire import cbor, cose
from wire.errors import IssueError, MalformedError, SealBrokenError
from wire.sink_key import SinkPrivateKey, SinkPublicKey
from wire.topics import is_device_id

MAX_ENVELOPE_BYTES = 32 * 1024
MAX_SEQUENCE = 2**53
DIGEST_BYTES = 32
BOOT_ID_BYTES = 16
FIRST_PREVIOUS = bytes(DIGEST_BYTES)  # what the first envelope of a device names as its previous digest
PURPOSE = "sealcam envelope 1"

_VERSION = 1
_BLOCK_BYTES = 512
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


@dataclass(frozen=True)
class Opened:
    """An envelope that is proven to be the device's. `digest` is the SHA-256 of the sealed bytes."""

    device_id: str
    sequence: int
    previous: bytes
    boot_id: bytes
    event: bytes
    digest: bytes


def digest(sealed: bytes) -> bytes:
    """The SHA-256 of a sealed envelope: what its receipt and the next envelope name it by."""
    return hashlib.sha256(sealed).digest()


def seal(
    event: bytes,
    *,
    device_id: str,
    sequence: int,
    previous: bytes,
    boot_id: bytes,
    topic: str,
    signing_key: cose.Signer,
    device_kid: bytes,
    sink_key: SinkPublicKey,
) -> bytes:
    """Sign, then encrypt one event.

    Args:
        event: CBOR of `wire.events`.
        previous: the digest of this device's previous envelope, `FIRST_PREVIOUS` for its first.
        boot_id: 16 random bytes, new at each run of the device.
        device_kid: `cose.key_id` of the device's public key.

    Raises:
        IssueError: an argument is out of range, or the envelope would be over `MAX_ENVELOPE_BYTES`.
    """
    if not (is_device_id(device_id) and 0 <= sequence <= MAX_SEQUENCE):
        raise IssueError("device_id or sequence: out of range")
    if len(previous) != DIGEST_BYTES or len(boot_id) != BOOT_ID_BYTES:
        raise IssueError("previous or boot_id: wrong length")
    payload = cbor.encode([_VERSION, device_id, sequence, previous, boot_id, event])
    inner = cose.sign1(payload, signing_key, device_kid, _signed_context(topic, sink_key))
    padded = inner + b"\x80" + bytes(-(len(inner) + 1) % _BLOCK_BYTES)
    ciphertext = _SUITE.encrypt(padded, sink_key.key, info=_info(topic, device_id, sequence))
    sealed = cbor.encode([_VERSION, device_id, sequence, ciphertext])
    if len(sealed) > MAX_ENVELOPE_BYTES:
        raise IssueError("event: too large for an envelope")
    return sealed


def open_envelope(
    sealed: bytes, *, topic: str, device_id: str, sink_private: SinkPrivateKey, device_key: Ed25519PublicKey
) -> Opened:
    """Decrypt and verify hostile bytes that came on `topic` and must be from `device_id`.

    Whether the sequence and the previous digest continue the device's chain is the caller's to judge.

    Raises:
        MalformedError: not an envelope, or not this device's.
        SealBrokenError: it does not decrypt under this topic, device and sequence.
        ForgedError: the device did not sign it.
    """
    match cbor.decode(sealed, max_bytes=MAX_ENVELOPE_BYTES, max_depth=1):
        case [int(version), str(named), int(sequence), bytes(ciphertext)] if version == _VERSION:
            pass
        case _:
            raise MalformedError("not_an_envelope")
    if named != device_id or not 0 <= sequence <= MAX_SEQUENCE:
        raise MalformedError("wrong_device_or_sequence")
    try:
        padded = _SUITE.decrypt(ciphertext, sink_private.key, info=_info(topic, device_id, sequence))
    except (InvalidTag, ValueError):
        raise SealBrokenError("does_not_open") from None
    inner = padded.rstrip(b"\x00")
    if len(padded) % _BLOCK_BYTES or not inner.endswith(b"\x80") or len(padded) - len(inner) >= _BLOCK_BYTES:
        raise MalformedError("bad_padding")
    trusted = {cose.key_id(device_key): device_key}
    context = _signed_context(topic, sink_private.public)
    payload, _ = cose.verify1(inner[:-1], trusted, context, max_bytes=MAX_ENVELOPE_BYTES)
    match cbor.decode(payload, max_bytes=MAX_ENVELOPE_BYTES, max_depth=1):
        case [int(inner_version), str(signer), int(number), bytes(previous), bytes(boot_id), bytes(event)]:
            pass
        case _:
            raise MalformedError("bad_envelope_payload")
    if (inner_version, signer, number) != (_VERSION, device_id, sequence):
        raise MalformedError("inside_and_outside_differ")
    if len(previous) != DIGEST_BYTES or len(boot_id) != BOOT_ID_BYTES:
        raise MalformedError("bad_envelope_payload")
    return Opened(device_id, sequence, previous, boot_id, event, digest(sealed))


def _info(topic: str, device_id: str, sequence: int) -> bytes:
    """What HPKE binds the ciphertext to."""
    return cbor.encode([PURPOSE, topic, device_id, sequence])


def _signed_context(topic: str, sink_key: SinkPublicKey) -> bytes:
    """What the device's signature covers besides the payload."""
    return cbor.encode([PURPOSE, topic, sink_key.digest])
