"""Keys, valid samples, and the check that every refusal of hostile input must pass."""

from __future__ import annotations

import re
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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
