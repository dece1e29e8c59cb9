"""Ed25519 public keys that others gave us: one that cannot be anybody's is refused before it checks a signature.

RFC 8032 does not ask for this, and the library takes any 32 bytes. But under a key of low order (the all-zero key is
one) a signature that anyone can make fits many messages, so that who enrols it lets everybody in. A point of low order
is found with the library's own X25519, which refuses the shared secret zero that it gives (RFC 7748, 6.1).
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from wire.errors import MalformedError

PUBLIC_KEY_BYTES: Final = 32
_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


def public_key(raw: bytes) -> Ed25519PublicKey:
    """Hostile bytes -> a public key. Raises MalformedError for what is no point of the curve, or one of low order."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if len(raw) != PUBLIC_KEY_BYTES or y >= _P or not _is_on_the_curve(y) or _is_of_low_order(y):
        raise MalformedError("bad_public_key")
    return Ed25519PublicKey.from_public_bytes(raw)


def _is_on_the_curve(y: int) -> bool:
    """Whether x^2 = (y^2 - 1) / (d y^2 + 1) is a square (RFC 8032, 5.1.3), by Euler's criterion."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    return pow(square, (_P - 1) // 2, _P) in (0, 1)


def _is_of_low_order(y: int) -> bool:
    """Whether eight times the point is nothing. X25519 knows it as u = (1 + y) / (1 - y) (RFC 7748, 4.1)."""
    if y == 1:
        return True  # the neutral point, which has no u
    u = (1 + y) * pow(1 - y, -1, _P) % _P
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(u.to_bytes(32, "little")))
    except ValueError:
        return True
    return False
