"""The sink's keys: exact sizes, both halves used, and nothing secret shown."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from tests.support.wire_samples import SINK, SUITE
from wire.errors import MalformedError
from wire.sink_key import PRIVATE_BYTES, PUBLIC_BYTES, SinkPrivateKey, SinkPublicKey

PUBLIC, SECRET = SINK.public.raw, SINK.to_bytes()


def test_the_sizes_are_those_of_ml_kem_768_and_x25519() -> None:
    assert (PUBLIC_BYTES, PRIVATE_BYTES) == (1216, 96)
    assert (len(PUBLIC), len(SECRET)) == (1216, 96)


@pytest.mark.parametrize("raw", [b"", PUBLIC[:-1], PUBLIC + b"\x00", PUBLIC[1:], b"\x00" + PUBLIC], ids=len)
def test_a_public_key_of_another_size_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError, match="bad_sink_key"):
        SinkPublicKey.from_bytes(raw)


@pytest.mark.parametrize("secret", [b"", SECRET[:-1], SECRET + b"\x00"], ids=len)
def test_a_private_key_of_another_size_is_refused(secret: bytes) -> None:
    with pytest.raises(MalformedError, match="bad_sink_key"):
        SinkPrivateKey.from_bytes(secret)


def test_a_post_quantum_half_with_numbers_over_the_modulus_is_refused() -> None:
    with pytest.raises(MalformedError, match="bad_sink_key"):
        SinkPublicKey.from_bytes(b"\xff" * 1184 + PUBLIC[1184:])


def test_both_halves_are_needed_to_open() -> None:
    sealed = SUITE.encrypt(b"plain", SinkPublicKey.from_bytes(PUBLIC).key, info=b"")
    assert SUITE.decrypt(sealed, SinkPrivateKey.from_bytes(SECRET).key, info=b"") == b"plain"
    for at in (0, 31, 64, 95):  # bytes 32 to 63 of the secret matter only to what does not open
        other = bytearray(SECRET)
        other[at] ^= 8
        with pytest.raises(InvalidTag):
            SUITE.decrypt(sealed, SinkPrivateKey.from_bytes(bytes(other)).key, info=b"")


def test_each_new_key_is_another_and_survives_storage() -> None:
    one, two = SinkPrivateKey.generate(), SinkPrivateKey.generate()
    assert one.public != two.public and one.to_bytes() != two.to_bytes()
    assert one.to_bytes()[:64] != two.to_bytes()[:64] and one.to_bytes()[64:] != two.to_bytes()[64:]
    assert SinkPrivateKey.from_bytes(one.to_bytes()).public == one.public
    sealed = SUITE.encrypt(b"plain", one.public.key, info=b"")
    assert SUITE.decrypt(sealed, one.key, info=b"") == b"plain"


def test_public_keys_are_equal_by_their_bytes() -> None:
    assert SinkPublicKey.from_bytes(PUBLIC) == SinkPublicKey.from_bytes(PUBLIC)
    assert SinkPublicKey.from_bytes(PUBLIC) != SinkPrivateKey.generate().public


def test_a_private_key_shows_nothing_and_is_equal_to_itself_only() -> None:
    assert SECRET.hex() not in repr(SINK) and repr(SECRET)[2:-1] not in repr(SINK)
    assert repr(SINK) == object.__repr__(SINK)
    assert SinkPrivateKey.__eq__ is object.__eq__  # no comparison whose time tells of the secret
    assert "MLKEM" not in repr(SINK.public)


@pytest.mark.parametrize("field", ["key", "public"])
def test_keys_cannot_be_exchanged_in_place(field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(SINK, field, None)
    with pytest.raises(AttributeError):
        SINK.public.raw = b""  # type: ignore[misc]


@pytest.mark.parametrize("point", [bytes(32), (1).to_bytes(32, "little")])
def test_a_classic_half_that_agrees_on_nothing_is_refused_when_it_is_loaded(point: bytes) -> None:
    with pytest.raises(MalformedError, match="bad_sink_key"):
        SinkPublicKey.from_bytes(SINK.public.raw[:1184] + point)
