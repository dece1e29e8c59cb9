"""Each bound of a sign code at both of its sides, issued by the authority or made by a thief of its key."""

from __future__ import annotations

from dataclasses import replace

import base45
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import AUTHORITY, AUTHORITY_KID, CLAIMS, TRUSTED, code_text, signed
from wire import signcode
from wire.classes import NUMBER_OF_CLASSES
from wire.errors import ForgedError, HostileInputError, IssueError, MalformedError, NotOursError
from wire.signcode import SignClaims

LAST_CLASS, LATEST, LONGEST_HOURS = NUMBER_OF_CLASSES - 1, 2**32 - 1, 20 * 366 * 24
BITS = {"class_id": 6, "lat": 25, "lon": 26, "heading": 9, "validity": 22}
GOOD = {"class_id": 14, "lat": 14_252_001, "lon": 19_340_495, "heading": 271, "validity": 24 * 365}
SIGN_ID, UNTIL = CLAIMS.sign_id, CLAIMS.valid_until


def packed(**changes: int) -> bytes:
    number = 0
    for name, bits in BITS.items():
        value = (GOOD | changes)[name]
        assert 0 <= value < 1 << bits
        number = number << bits | value
    return number.to_bytes(11, "big")


def content(**changes: int) -> dict[int, object]:
    return {4: UNTIL, 7: SIGN_ID, -300: packed(**changes)}


def taken(claims: object) -> SignClaims:
    read, kid = signcode.verify(code_text(claims), TRUSTED)
    assert kid == AUTHORITY_KID
    return read


def test_the_unchanged_sample_is_taken() -> None:
    assert taken(content()) == CLAIMS
    assert (signcode.PREFIX, signcode.SIGN_ID_BYTES, signcode.MAX_VALIDITY_HOURS) == (b"SR1:", 8, LONGEST_HOURS)


# packed field, packed value, claim, what is read; None where it is refused
AT_THE_BOUNDS = [
    ("class_id", 0, "class_id", 0),
    ("class_id", LAST_CLASS, "class_id", LAST_CLASS),
    ("class_id", LAST_CLASS + 1, "class_id", None),
    ("class_id", 63, "class_id", None),
    ("lat", 0, "lat", -90.0),
    ("lat", 1, "lat", -89.99999),
    ("lat", 18_000_000, "lat", 90.0),
    ("lat", 18_000_001, "lat", None),
    ("lat", 2**25 - 1, "lat", None),
    ("lon", 0, "lon", -180.0),
    ("lon", 36_000_000, "lon", 180.0),
    ("lon", 36_000_001, "lon", None),
    ("lon", 2**26 - 1, "lon", None),
    ("heading", 0, "heading", 0.0),
    ("heading", 359, "heading", 359.0),
    ("heading", 360, "heading", None),
    ("heading", 511, "heading", None),
    ("validity", 0, "valid_from", None),
    ("validity", 1, "valid_from", UNTIL - 3600),
    ("validity", LONGEST_HOURS, "valid_from", UNTIL - 3600 * LONGEST_HOURS),
    ("validity", LONGEST_HOURS + 1, "valid_from", None),
    ("validity", 2**22 - 1, "valid_from", None),
]


@pytest.mark.parametrize(("field", "written", "claim", "read"), AT_THE_BOUNDS)
def test_the_packed_claims_are_bounded_one_by_one(field: str, written: int, claim: str, read: float | None) -> None:
    claims = content(**{field: written})
    if read is None:
        with pytest.raises(MalformedError, match="claim_out_of_range"):
            taken(claims)
        return
    expected = replace(CLAIMS, **{claim: read})  # type: ignore[arg-type]
    assert taken(claims) == expected
    assert type(getattr(taken(claims), claim)) is type(read)
    assert signcode.issue(expected, AUTHORITY).encode() == code_text(claims)


def test_an_unused_bit_in_front_is_not_taken() -> None:
    """88 bits are all in use: a packed claim has no room for a 89th."""
    assert sum(BITS.values()) == 88
    for length in (0, 10, 12):
        with pytest.raises(MalformedError, match="claim_out_of_range"):
            taken(content() | {-300: packed()[:length].rjust(length, b"\x00")})


@pytest.mark.parametrize(("expiry", "good"), [(-1, False), (0, False), (1, True), (LATEST, True), (LATEST + 1, False)])
def test_an_expiry_is_within_unix_time(expiry: int, good: bool) -> None:
    claims = content(validity=1) | {4: expiry}
    if good:
        read = taken(claims)
        assert (read.valid_from, read.valid_until) == (max(0, expiry - 3600), expiry)
        issued = replace(CLAIMS, valid_from=expiry - 3600, valid_until=expiry)
        assert signcode.issue(issued, AUTHORITY).encode() == code_text(claims)
    else:
        with pytest.raises(MalformedError, match="claim_out_of_range"):
            taken(claims)
        with pytest.raises(IssueError, match=r"^valid_until:"):
            signcode.issue(replace(CLAIMS, valid_from=expiry - 3600, valid_until=expiry), AUTHORITY)


def test_a_validity_longer_than_time_itself_begins_at_its_beginning() -> None:
    assert taken(content(validity=2) | {4: 7201}).valid_from == 1
    assert taken(content(validity=2) | {4: 7200}).valid_from == 0
    assert taken(content(validity=2) | {4: 7199}).valid_from == 0


@pytest.mark.parametrize("sign_id", [b"", bytes(7), bytes(9)], ids=len)
def test_a_sign_id_has_eight_bytes(sign_id: bytes) -> None:
    with pytest.raises(MalformedError, match="claim_out_of_range"):
        taken(content() | {7: sign_id})
    with pytest.raises(IssueError, match=r"^sign_id:"):
        signcode.issue(replace(CLAIMS, sign_id=sign_id), AUTHORITY)


BAD_SHAPES = {
    "no expiry": {7: SIGN_ID, -300: packed()},
    "no sign id": {4: UNTIL, -300: packed()},
    "no packed claim": {4: UNTIL, 7: SIGN_ID},
    "an issuer as well": content() | {1: "authority"},
    "an expiry as text": content() | {4: "1800000000"},
    "a sign id as text": content() | {7: "12345678"},
    "a packed claim as text": content() | {-300: "12345678901"},
    "the expiry under another label": {5: UNTIL, 7: SIGN_ID, -300: packed()},
    "an array": [UNTIL, SIGN_ID, packed()],
}


@pytest.mark.parametrize("name", BAD_SHAPES)
def test_even_a_good_signature_does_not_excuse_another_shape(name: str) -> None:
    with pytest.raises(MalformedError, match="bad_claims"):
        taken(BAD_SHAPES[name])


def test_claims_do_not_nest() -> None:
    with pytest.raises(MalformedError, match="too_deep"):
        taken(content() | {7: []})


@pytest.mark.parametrize("purpose", [b"", b"sealcam sign code 0", b"sealcam sign code 2", b"sealcam register 1"])
def test_a_signature_for_another_purpose_is_no_sign_code(purpose: bytes) -> None:
    with pytest.raises(ForgedError, match="bad_signature"):
        signcode.verify(b"SR1:" + base45.b45encode(signed(content(), AUTHORITY, purpose)), TRUSTED)


@pytest.mark.parametrize("prefix", [b"SR0:", b"SR2:", b"sr1:", b" SR1:", b"SR1", b""])
def test_another_prefix_is_not_ours(prefix: bytes) -> None:
    with pytest.raises(NotOursError, match="not_a_sign_code"):
        signcode.verify(prefix + code_text(content())[4:], TRUSTED)


@pytest.mark.parametrize(("size", "reason"), [(511, "truncated"), (512, "bad_base45"), (513, "oversized")])
def test_the_longest_text_that_is_looked_at_has_512_characters(size: int, reason: str) -> None:
    text = b"SR1:" + base45.b45encode(b"\x98\xff" * 169)
    assert len(text) == 511
    with pytest.raises(MalformedError, match=reason):
        signcode.verify(text.ljust(size, b"0"), TRUSTED)


NOT_ISSUED = [
    ("class_id", -1),
    ("class_id", LAST_CLASS + 1),
    ("lat", 90.00001),
    ("lat", -90.00001),
    ("lon", 180.00001),
    ("lon", -180.00001),
    ("lon", float("nan")),
    ("heading", -0.01),
    ("heading", 360.01),
    ("heading", float("nan")),
    ("heading", float("-inf")),
    ("valid_from", UNTIL - 3599),
    ("valid_from", UNTIL + 1),
    ("valid_until", -1),
]


@pytest.mark.parametrize(("name", "value"), NOT_ISSUED)
def test_a_claim_just_out_of_range_is_not_issued_and_is_named(name: str, value: float) -> None:
    with pytest.raises(IssueError, match=f"^{name}:"):
        signcode.issue(replace(CLAIMS, **{name: value}), AUTHORITY)  # type: ignore[arg-type]


def test_a_code_is_not_valid_for_more_than_twenty_years() -> None:
    longest = replace(CLAIMS, valid_from=UNTIL - 3600 * LONGEST_HOURS)
    assert taken(content(validity=LONGEST_HOURS)) == longest
    assert signcode.issue(replace(longest, valid_from=longest.valid_from - 3599), AUTHORITY)  # a whole hour is counted
    with pytest.raises(IssueError, match=r"^valid_until:"):
        signcode.issue(replace(longest, valid_from=longest.valid_from - 3600), AUTHORITY)


@pytest.mark.parametrize(
    ("heading", "kept"), [(0.0, 0), (0.4, 0), (0.6, 1), (180.4, 180), (359.4, 359), (359.6, 0), (360.0, 0)]
)
def test_a_heading_is_kept_to_the_degree_around_the_circle(heading: float, kept: int) -> None:
    assert signcode.issue(replace(CLAIMS, heading=heading), AUTHORITY).encode() == code_text(content(heading=kept))


def test_a_beginning_is_moved_up_to_a_whole_hour_before_the_end() -> None:
    code = code_text(content(validity=2))
    for early in (0, 1, 3599):
        assert signcode.issue(replace(CLAIMS, valid_from=UNTIL - 7200 - early), AUTHORITY).encode() == code


@given(
    st.binary(min_size=11, max_size=11) | st.integers(1, 2**20).map(lambda low: packed()[:-3] + low.to_bytes(3, "big"))
)
@settings(max_examples=200, deadline=None)
def test_any_signed_claim_is_refused_or_could_have_been_issued(bits: bytes) -> None:
    text = code_text(content() | {-300: bits})
    try:
        read = signcode.verify(text, TRUSTED)[0]
    except HostileInputError as error:
        assert error.reason == "claim_out_of_range"
        return
    assert signcode.issue(read, AUTHORITY).encode() == text
