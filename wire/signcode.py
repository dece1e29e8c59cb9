"""The sign code, certificate profile: what a road authority says about one sign, in as few QR modules as possible.

The shape is that of the EU health certificates: CBOR claims of a CWT (RFC 8392) in a COSE_Sign1 with an 8-byte key id
and a mandatory expiry, in base45 (RFC 9285) behind a prefix. Every module costs reading distance, so what is not a
registered claim (class, place, heading, validity) is packed into one 88-bit number, claim -300:

    SR1: base45( [ protected{1: EdDSA, 4: kid}, {}, {4: exp, 7: sign id, -300: packed}, signature ] )

That is 116 bytes, 178 characters, QR version 7 at error correction level M: 45 modules a side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import base45
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire import cbor, cose
from wire.classes import NUMBER_OF_CLASSES
from wire.cose import key_id
from wire.errors import IssueError, MalformedError, NotOursError

__all__ = ["MAX_TEXT_BYTES", "PREFIX", "SIGN_ID_BYTES", "SignClaims", "issue", "key_id", "verify"]

PREFIX = b"SR1:"
MAX_TEXT_BYTES = 512
SIGN_ID_BYTES = 8
MAX_VALIDITY_HOURS = 20 * 366 * 24
PURPOSE = b"sealcam sign code 1"

_EXPIRY, _SIGN_ID, _PACKED = 4, 7, -300  # exp and cti of RFC 8392; -300 is ours (specification required)
_MAX_UNIX_SECONDS = 2**32 - 1
_PACKED_BYTES = 11
# name, bits, largest value; most significant first
_LAYOUT = (
    ("class_id", 6, NUMBER_OF_CLASSES - 1),
    ("lat", 25, 18_000_000),  # 1e-5 degrees, from the south pole
    ("lon", 26, 36_000_000),  # 1e-5 degrees, from 180 degrees west
    ("heading", 9, 359),  # degrees
    ("validity", 22, MAX_VALIDITY_HOURS),  # hours before the expiry
)


@dataclass(frozen=True)
class SignClaims:
    """What an authentic sign code says.

    `lat`, `lon`: degrees (kept to 1e-5, about a metre); `heading`: degrees clockwise from true north of the traffic
    that the sign speaks to (kept to 1); `valid_from` (kept to whole hours before the end), `valid_until`: unix seconds.
    """

    sign_id: bytes
    class_id: int
    lat: float
    lon: float
    heading: float
    valid_from: int
    valid_until: int


def issue(claims: SignClaims, key: Ed25519PrivateKey) -> str:
    """Sign a code and return the text of its QR symbol. `valid_from` is moved up to a whole hour before the end.

    Raises:
        IssueError: a claim is out of range; the message names it.
    """
    if len(claims.sign_id) != SIGN_ID_BYTES:
        raise IssueError(f"sign_id: {len(claims.sign_id)} bytes, must be {SIGN_ID_BYTES}")
    if not 0 < claims.valid_until <= _MAX_UNIX_SECONDS:
        raise IssueError("valid_until: must be unix seconds before the year 2106")
    hours = (claims.valid_until - claims.valid_from) // 3600
    if hours < 1:
        raise IssueError("valid_from: must be at least an hour before valid_until")
    if hours > MAX_VALIDITY_HOURS:
        raise IssueError("valid_until: must be within 20 years of valid_from")
    payload = cbor.encode(
        {
            _EXPIRY: claims.valid_until,
            _SIGN_ID: claims.sign_id,
            _PACKED: _pack(
                {
                    "class_id": claims.class_id,
                    "lat": _steps("lat", claims.lat, 90.0),
                    "lon": _steps("lon", claims.lon, 180.0),
                    "heading": _whole_degrees(claims.heading),
                    "validity": hours,
                }
            ),
        }
    )
    signed = cose.sign1(payload, key, key_id(key.public_key()), PURPOSE)
    text: bytes = PREFIX + base45.b45encode(signed)
    return text.decode("ascii")


def verify(data: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> tuple[SignClaims, bytes]:
    """Check hostile bytes, as a barcode decoder gave them, against the trusted authority keys.

    Whether the code is in force now and in its place is not judged here: only that an authority said this.

    Returns:
        The claims and the 8-byte id of the authority's key.

    Raises:
        NotOursError: it does not begin as a sign code does (another QR code).
        MalformedError: it begins as a sign code does, and is not well formed.
        ForgedError: the signature or the key is not good (`UnknownKeyError`).
    """
    if data[: len(PREFIX)] != PREFIX:
        raise NotOursError("not_a_sign_code")
    if len(data) > MAX_TEXT_BYTES:
        raise MalformedError("oversized")
    try:
        signed: bytes = base45.b45decode(data[len(PREFIX) :])
    except ValueError:
        raise MalformedError("bad_base45") from None
    payload, kid = cose.verify1(signed, keys, PURPOSE, max_bytes=MAX_TEXT_BYTES)
    return _claims(payload), kid


def _claims(payload: bytes) -> SignClaims:
    """Parse the payload of a code whose signature is good."""
    match cbor.decode(payload, max_bytes=MAX_TEXT_BYTES, max_depth=1):
        case {4: int(expiry), 7: bytes(sign_id), -300: bytes(packed), **rest} if not rest:
            pass
        case _:
            raise MalformedError("bad_claims")
    if len(sign_id) != SIGN_ID_BYTES or len(packed) != _PACKED_BYTES or not 0 < expiry <= _MAX_UNIX_SECONDS:
        raise MalformedError("claim_out_of_range")
    fields = _unpack(packed)
    return SignClaims(
        sign_id=sign_id,
        class_id=fields["class_id"],
        lat=round(fields["lat"] / 1e5 - 90.0, 5),
        lon=round(fields["lon"] / 1e5 - 180.0, 5),
        heading=float(fields["heading"]),
        valid_from=max(0, expiry - 3600 * fields["validity"]),
        valid_until=expiry,
    )


def _pack(fields: Mapping[str, int]) -> bytes:
    """Fields -> 11 bytes, by `_LAYOUT`."""
    number = 0
    for name, bits, largest in _LAYOUT:
        if not 0 <= fields[name] <= largest:
            raise IssueError(f"{name}: out of range")
        number = number << bits | fields[name]
    return number.to_bytes(_PACKED_BYTES, "big")


def _unpack(packed: bytes) -> dict[str, int]:
    """11 bytes -> fields, by `_LAYOUT`; each bounded."""
    number = int.from_bytes(packed, "big")
    fields: dict[str, int] = {}
    for name, bits, largest in reversed(_LAYOUT):
        fields[name] = number & ((1 << bits) - 1)
        number >>= bits
        if fields[name] > largest:
            raise MalformedError("claim_out_of_range")
    if fields["validity"] < 1:
        raise MalformedError("claim_out_of_range")
    return fields


def _steps(name: str, degrees: float, largest: float) -> int:
    """Degrees -> steps of 1e-5 degrees above `-largest`."""
    if not -largest <= degrees <= largest:  # NaN is not
        raise IssueError(f"{name}: must be between {-largest:g} and {largest:g} degrees")
    return round((degrees + largest) * 1e5)


def _whole_degrees(heading: float) -> int:
    """A heading -> 0 to 359 whole degrees."""
    if not math.isfinite(heading) or not 0.0 <= heading <= 360.0:
        raise IssueError("heading: must be between 0 and 360 degrees")
    return round(heading) % 360
