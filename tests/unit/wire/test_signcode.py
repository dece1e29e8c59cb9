"""Sign codes: small, authentic or refused, and never a byte of a hostile code shown."""

from __future__ import annotations

from dataclasses import replace

import base45
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import AUTHORITY, AUTHORITY_KID, CLAIMS, PAYLOADS, STRANGER, TRUSTED, reason_of_refusal
from wire import cbor, cose, signcode
from wire.errors import ForgedError, HostileInputError, IssueError, NotOursError, UnknownKeyError
from wire.signcode import SignClaims

CODE = signcode.issue(CLAIMS, AUTHORITY).encode()


def verify(data: bytes) -> SignClaims:
    return signcode.verify(data, TRUSTED)[0]


def signed(payload: object) -> bytes:
    """A code whose signature is good, with any content."""
    data = cose.sign1(cbor.encode(payload), AUTHORITY, AUTHORITY_KID, signcode.PURPOSE)
    return b"SR1:" + base45.b45encode(data)


def test_an_issued_code_says_what_was_asked() -> None:
    claims, kid = signcode.verify(CODE, TRUSTED)
    assert claims == CLAIMS
    assert kid == AUTHORITY_KID


def test_a_code_fits_qr_version_7_at_level_m() -> None:
    assert len(CODE) == 178
    qr = segno.make(CODE.decode(), error="m", boost_error=False, micro=False)
    assert (qr.designator, qr.mode) == ("7-M", "alphanumeric")


@given(
    st.builds(
        SignClaims,
        sign_id=st.binary(min_size=8, max_size=8),
        class_id=st.integers(0, 42),
        lat=st.floats(-90, 90),
        lon=st.floats(-180, 180),
        heading=st.floats(0, 360),
        valid_from=st.integers(1_600_000_000, 1_700_000_000),
        valid_until=st.integers(1_710_000_000, 2_200_000_000),
    )
)
@settings(max_examples=60, deadline=None)
def test_any_code_is_the_same_size_and_keeps_its_claims_to_the_resolution(claims: SignClaims) -> None:
    code = signcode.issue(claims, AUTHORITY)
    read = verify(code.encode())
    assert len(code) == 178
    assert (read.sign_id, read.class_id, read.valid_until) == (claims.sign_id, claims.class_id, claims.valid_until)
    assert abs(read.lat - claims.lat) <= 0.51e-5 and abs(read.lon - claims.lon) <= 0.51e-5
    assert abs((read.heading - claims.heading + 180) % 360 - 180) <= 0.5
    assert 0 <= read.valid_from - claims.valid_from < 3600


OUT_OF_RANGE = {
    "sign_id": b"short",
    "class_id": 43,
    "lat": float("nan"),
    "lon": 180.1,
    "heading": float("inf"),
    "valid_from": CLAIMS.valid_until,
    "valid_until": 2**32,
}


@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_a_claim_out_of_range_is_not_issued_and_is_named(name: str) -> None:
    with pytest.raises(IssueError, match=name):
        signcode.issue(replace(CLAIMS, **{name: OUT_OF_RANGE[name]}), AUTHORITY)


def test_a_code_of_an_unknown_authority_is_forged() -> None:
    with pytest.raises(UnknownKeyError):
        verify(signcode.issue(CLAIMS, STRANGER).encode())


def test_a_code_that_names_a_trusted_key_and_is_signed_by_another_is_forged() -> None:
    data = cose.sign1(b"anything", STRANGER, AUTHORITY_KID, signcode.PURPOSE)
    with pytest.raises(ForgedError) as caught:
        verify(b"SR1:" + base45.b45encode(data))
    assert caught.value.reason == "bad_signature"


def test_a_signature_for_another_purpose_is_forged() -> None:
    payload = cbor.encode({4: 1_800_000_000, 7: bytes(8), -300: bytes(11)})
    data = cose.sign1(payload, AUTHORITY, AUTHORITY_KID, b"sealcam register 1")
    assert reason_of_refusal(lambda: verify(b"SR1:" + base45.b45encode(data))) == "bad_signature"


@pytest.mark.parametrize("data", [*PAYLOADS, b"", b"https://example.org/", b"sr1:", b"SR2:00"])
def test_another_qr_code_is_not_ours(data: bytes) -> None:
    with pytest.raises(NotOursError):
        verify(data)


@pytest.mark.parametrize("data", [*PAYLOADS, b"", b"A", b"ZZZ", b":::", b"0" * 509, CODE[4:] * 3, b"\xff" * 100])
def test_hostile_text_behind_our_prefix_is_refused_and_not_repeated(data: bytes) -> None:
    reason_of_refusal(lambda: verify(b"SR1:" + data))


GOOD = {4: 1_800_000_000, 7: bytes(8), -300: bytes(10) + b"\x01"}
BAD_CONTENT = {
    "no expiry": {7: bytes(8), -300: GOOD[-300]},
    "one claim more": GOOD | {1: "issuer"},
    "text keys": {"4": 1, "7": bytes(8), "-300": GOOD[-300]},
    "expiry as text": GOOD | {4: "<b>never</b>"},
    "expiry as true": GOOD | {4: True},
    "expiry of NaN": GOOD | {4: float("nan")},
    "expiry in the past of time": GOOD | {4: -1},
    "expiry in the far future": GOOD | {4: 2**40},
    "a long sign id": GOOD | {7: bytes(9)},
    "a sign id as text": GOOD | {7: "12345678"},
    "class 43": GOOD | {-300: (43 << 82 | 1).to_bytes(11, "big")},
    "91 degrees north": GOOD | {-300: (18_100_000 << 57 | 1).to_bytes(11, "big")},
    "181 degrees east": GOOD | {-300: (36_100_000 << 31 | 1).to_bytes(11, "big")},
    "heading 360": GOOD | {-300: (360 << 22 | 1).to_bytes(11, "big")},
    "no validity at all": GOOD | {-300: bytes(11)},
    "a validity of centuries": GOOD | {-300: (2**22 - 1).to_bytes(11, "big")},
    "deep nesting": [[[[[]]]]],
    "a number": 7,
}


def test_the_smallest_content_is_accepted() -> None:
    assert verify(signed(GOOD)).valid_until == 1_800_000_000


@pytest.mark.parametrize("name", BAD_CONTENT)
def test_even_a_good_signature_does_not_excuse_bad_content(name: str) -> None:
    reason_of_refusal(lambda: verify(signed(BAD_CONTENT[name])))


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_random_bytes_behind_our_prefix_are_refused(data: bytes) -> None:
    reason_of_refusal(lambda: verify(b"SR1:" + data))
    reason_of_refusal(lambda: verify(b"SR1:" + base45.b45encode(data[:300])))


@given(st.integers(0, len(CODE) - 1))
@settings(max_examples=60, deadline=None)
def test_a_truncated_code_is_refused(length: int) -> None:
    reason_of_refusal(lambda: verify(CODE[:length]))


@given(st.integers(0, len(CODE) - 1), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_code_with_one_changed_byte_is_refused(at: int, value: int) -> None:
    changed = CODE[:at] + bytes([value]) + CODE[at + 1 :]
    if changed != CODE:
        reason_of_refusal(lambda: verify(changed))


@given(st.recursive(st.integers() | st.binary() | st.text() | st.floats() | st.none(), st.lists, max_leaves=6))
@settings(max_examples=100, deadline=None)
def test_signed_content_of_any_type_is_bounded(content: object) -> None:
    try:
        verify(signed(content))
    except HostileInputError:
        return
    raise AssertionError("accepted")
