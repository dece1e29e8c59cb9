"""The sink's HPKE keys: ML-KEM-768 with X25519, a hybrid that holds while either of the two does.

Source: draft-ietf-hpke-pq and draft-connolly-cfrg-xwing-kem (X-Wing), as `cryptography` implements them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from wire.errors import MalformedError

PUBLIC_BYTES = 1184 + 32
PRIVATE_BYTES = 64 + 32


@dataclass(frozen=True)
class SinkPublicKey:
    """What a device seals to. `raw`: the ML-KEM-768 public key (1184 bytes), then the X25519 one (32 bytes)."""

    raw: bytes
    key: MLKEM768X25519PublicKey = field(repr=False, compare=False)

    @classmethod
    def from_bytes(cls, raw: bytes) -> SinkPublicKey:
        """Load `raw`. Raises MalformedError when it is no such key."""
        if len(raw) != PUBLIC_BYTES:
            raise MalformedError("bad_sink_key")
        try:
            post_quantum = MLKEM768PublicKey.from_public_bytes(raw[:1184])
            classic = X25519PublicKey.from_public_bytes(raw[1184:])
            X25519PrivateKey.generate().exchange(classic)  # a point of small order: every shared secret would be zero
        except ValueError:
            raise MalformedError("bad_sink_key") from None
        return cls(raw, MLKEM768X25519PublicKey(post_quantum, classic))

    @property
    def digest(self) -> bytes:
        """The SHA-256 of `raw`: what the key is named by."""
        return hashlib.sha256(self.raw).digest()


@dataclass(frozen=True, repr=False, eq=False)
class SinkPrivateKey:
    """What the sink opens with. It is never shown: `to_bytes` is the only way to its 96 secret bytes."""

    key: MLKEM768X25519PrivateKey
    public: SinkPublicKey
    _secret: bytes

    @classmethod
    def generate(cls) -> SinkPrivateKey:
        """A new key pair."""
        return cls.from_bytes(
            MLKEM768PrivateKey.generate().private_bytes_raw() + X25519PrivateKey.generate().private_bytes_raw()
        )

    @classmethod
    def from_bytes(cls, secret: bytes) -> SinkPrivateKey:
        """Load what `to_bytes` gave. Raises MalformedError when it is no such key."""
        if len(secret) != PRIVATE_BYTES:
            raise MalformedError("bad_sink_key")
        post_quantum = MLKEM768PrivateKey.from_seed_bytes(secret[:64])
        classic = X25519PrivateKey.from_private_bytes(secret[64:])
        raw = post_quantum.public_key().public_bytes_raw() + classic.public_key().public_bytes_raw()
        return cls(MLKEM768X25519PrivateKey(post_quantum, classic), SinkPublicKey.from_bytes(raw), secret)

    def to_bytes(self) -> bytes:
        """The 96 secret bytes: the ML-KEM seed (64), then the X25519 scalar (32)."""
        return self._secret
