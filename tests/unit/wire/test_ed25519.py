"""Public keys that nobody can hold are refused; every key that somebody generated is taken."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wire.ed25519 import public_key
from wire.errors import MalformedError

P = 2**255 - 19
ORDER_EIGHT = int.from_bytes(
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
)
"""y of a point of order 8; its negative is that of another."""


def raw(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize(
    "y",
    [0, 1, P - 1, ORDER_EIGHT, P - ORDER_EIGHT, P, P + 1, 2**255 - 1],
    ids=["order 4", "neutral", "order 2", "order 8", "order 8 too", "0 again", "1 again", "far"],
)
def test_a_key_of_low_order_or_not_in_its_one_form_is_refused(y: int, sign: int) -> None:
    with pytest.raises(MalformedError, match="bad_public_key"):
        public_key(raw(y, sign))


def test_what_is_no_point_of_the_curve_is_refused() -> None:
    refused = 0
    for y in range(2, 40):
        try:
            public_key(raw(y))
        except MalformedError:
            refused += 1
    assert 10 < refused < 28  # about half of all numbers


@pytest.mark.parametrize("length", [0, 31, 33])
def test_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedError):
        public_key(b"\x05" * length)


def test_every_generated_key_is_taken_as_it_is() -> None:
    for _ in range(50):
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        assert public_key(key).public_bytes_raw() == key


def test_a_key_of_low_order_would_let_everybody_sign() -> None:
    """Why: the library itself accepts this signature, made without any private key, under the neutral key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    neutral = raw(1)
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"anything at all")
