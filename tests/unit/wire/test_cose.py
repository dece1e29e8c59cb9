"""COSE_Sign1: one shape, one header, and nothing unsigned that the verifier takes notice of."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import AUTHORITY, AUTHORITY_KID, STRANGER, TRUSTED, protected_header, signed_bytes
from wire import cose
from wire.errors import ForgedError, HostileInputError, MalformedError, UnknownKeyError

PAYLOAD = b"a payload of more than 24 bytes"
PURPOSE = b"sealcam test 1"
GOOD = cbor2.loads(signed_bytes(PAYLOAD, AUTHORITY, PURPOSE))
PROTECTED, _, _, SIGNATURE = GOOD


def refused(frame: object) -> HostileInputError:
    """Why verify1 does not take the CBOR of `frame`."""
    with pytest.raises(HostileInputError) as caught:
        cose.verify1(cbor2.dumps(frame), TRUSTED, PURPOSE)
    return caught.value


def test_the_payload_comes_with_the_id_of_its_key() -> None:
    assert cose.verify1(cbor2.dumps(GOOD), TRUSTED, PURPOSE) == (PAYLOAD, AUTHORITY_KID)


def test_without_a_purpose_the_purpose_is_empty() -> None:
    data = signed_bytes(PAYLOAD, AUTHORITY, b"")
    assert cose.sign1(PAYLOAD, AUTHORITY, AUTHORITY_KID) == data
    assert cose.verify1(data, TRUSTED) == (PAYLOAD, AUTHORITY_KID)


@pytest.mark.parametrize("purpose", [b"", b"sealcam test 2", b"sealcam test 11"])
def test_a_signature_for_one_purpose_is_worth_nothing_for_another(purpose: bytes) -> None:
    with pytest.raises(ForgedError, match="bad_signature"):
        cose.verify1(cbor2.dumps(GOOD), TRUSTED, purpose)


NOT_A_FRAME = {
    "three items": GOOD[:3],
    "five items": [*GOOD, b""],
    "no items": [],
    "a map": {1: 2},
    "a tag": cbor2.CBORTag(18, GOOD),
    "protected as a map": [{1: -8, 4: AUTHORITY_KID}, *GOOD[1:]],
    "protected as text": ["protected", *GOOD[1:]],
    "unprotected as an array": [PROTECTED, [], PAYLOAD, SIGNATURE],
    "unprotected with a key id": [PROTECTED, {4: AUTHORITY_KID}, PAYLOAD, SIGNATURE],
    "unprotected with a number": [PROTECTED, {0: 0}, PAYLOAD, SIGNATURE],
    "payload as text": [PROTECTED, {}, "payload", SIGNATURE],
    "payload left out": [PROTECTED, {}, None, SIGNATURE],
    "signature as text": [PROTECTED, {}, PAYLOAD, "signature"],
}


@pytest.mark.parametrize("name", NOT_A_FRAME)
def test_another_frame_is_malformed(name: str) -> None:
    assert isinstance(refused(NOT_A_FRAME[name]), MalformedError)


def test_a_map_in_the_unprotected_header_is_not_looked_into() -> None:
    assert refused([PROTECTED, {1: []}, PAYLOAD, SIGNATURE]).reason == "too_deep"
    assert refused([PROTECTED, {1: 1}, PAYLOAD, SIGNATURE]).reason == "not_cose_sign1"


OTHER_HEADERS = {
    "ES256": protected_header(AUTHORITY, algorithm=-7),
    "Ed25519 of RFC 9864": protected_header(AUTHORITY, algorithm=-19),
    "another label for the key id": cbor2.dumps({1: -8, 5: AUTHORITY_KID}),
    "another label for the algorithm": cbor2.dumps({2: -8, 4: AUTHORITY_KID}),
    "the other order": b"\xa2\x04\x48" + AUTHORITY_KID + b"\x01\x27",
    "no algorithm": cbor2.dumps({4: AUTHORITY_KID}),
    "a label more": b"\xa3\x01\x27\x02\x00\x04\x48" + AUTHORITY_KID,
    "the key id as text": b"\xa2\x01\x27\x04\x68" + AUTHORITY_KID,
    "the key id alone": AUTHORITY_KID,
    "empty": b"",
    "7 bytes of the key id": cbor2.dumps({1: -8, 4: AUTHORITY_KID[:7]}),
    "9 bytes of key id": cbor2.dumps({1: -8, 4: b"\x00" + AUTHORITY_KID}),
}


@pytest.mark.parametrize("name", OTHER_HEADERS)
def test_even_a_good_signature_does_not_excuse_another_header(name: str) -> None:
    data = signed_bytes(PAYLOAD, AUTHORITY, PURPOSE, protected=OTHER_HEADERS[name])
    with pytest.raises(MalformedError, match="bad_cose_header"):
        cose.verify1(data, TRUSTED | {b"": AUTHORITY.public_key()}, PURPOSE)


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:63], SIGNATURE + b"\x00"], ids=len)
def test_a_signature_has_64_bytes(signature: bytes) -> None:
    assert refused([PROTECTED, {}, PAYLOAD, signature]).reason == "bad_cose_header"


def test_the_key_that_is_named_is_the_one_that_is_asked() -> None:
    both = TRUSTED | {cose.key_id(STRANGER.public_key()): STRANGER.public_key()}
    data = signed_bytes(PAYLOAD, STRANGER, PURPOSE)
    assert cose.verify1(data, both, PURPOSE)[1] == cose.key_id(STRANGER.public_key())
    with pytest.raises(UnknownKeyError, match="unknown_key"):
        cose.verify1(data, TRUSTED, PURPOSE)
    pretending = signed_bytes(PAYLOAD, STRANGER, PURPOSE, protected=PROTECTED)
    with pytest.raises(ForgedError, match="bad_signature"):
        cose.verify1(pretending, both, PURPOSE)


def frame_of(size: int) -> bytes:
    """A good frame of `size` bytes in all."""
    for length in range(size - 90, size):
        data = signed_bytes(bytes(length), AUTHORITY, PURPOSE)
        if len(data) == size:
            return data
    raise AssertionError(size)


@pytest.mark.parametrize(("limit", "largest"), [({}, 4096), ({"max_bytes": 300}, 300), ({"max_bytes": 5000}, 5000)])
def test_a_frame_may_be_as_large_as_the_limit_and_no_larger(limit: dict[str, int], largest: int) -> None:
    assert cose.verify1(frame_of(largest), TRUSTED, PURPOSE, **limit)[1] == AUTHORITY_KID
    with pytest.raises(MalformedError, match="oversized"):
        cose.verify1(frame_of(largest + 1), TRUSTED, PURPOSE, **limit)


@given(st.binary(min_size=24, max_size=255), st.binary(max_size=40))
@settings(max_examples=50, deadline=None)
def test_the_overhead_is_the_same_for_any_payload_and_purpose(payload: bytes, purpose: bytes) -> None:
    data = cose.sign1(payload, AUTHORITY, AUTHORITY_KID, purpose)
    assert len(data) == len(payload) + 84
    assert cose.verify1(data, TRUSTED, purpose) == (payload, AUTHORITY_KID)


@given(st.integers(0, 3), st.binary(max_size=80))
@settings(max_examples=100, deadline=None)
def test_no_part_of_a_frame_can_be_exchanged(part: int, other: bytes) -> None:
    frame = [*GOOD]
    frame[part] = other
    if frame != GOOD:
        refused(frame)
