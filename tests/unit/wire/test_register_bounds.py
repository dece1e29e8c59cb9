"""Each bound of a register at both of its sides, issued by the authority or made by a thief of its key."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import AUTHORITY, AUTHORITY_KID, STRANGER, TRUSTED, signed
from wire import register
from wire.classes import NUMBER_OF_CLASSES
from wire.errors import ForgedError, HostileInputError, IssueError, MalformedError, UnknownKeyError
from wire.register import Register, RegisterEntry

PURPOSE = b"sealcam register 1"
LAST_CLASS, LATEST, MAX_ENTRIES = NUMBER_OF_CLASSES - 1, 2**40, 100_000
RECORD = struct.Struct(">8sBiiHQQB")
FIELDS = ("sign_id", "class_id", "lat", "lon", "heading", "valid_from", "valid_until", "revoked")
GOOD = {
    "sign_id": b"sign 001",
    "class_id": 14,
    "lat": 525_200_000,
    "lon": 134_050_000,
    "heading": 27_000,
    "valid_from": 1_700_000_000,
    "valid_until": 1_800_000_000,
    "revoked": 0,
}
ENTRY = RegisterEntry(b"sign 001", 14, 52.52, 13.405, 270.0, 1_700_000_000, 1_800_000_000)


def record(**changes: object) -> bytes:
    return RECORD.pack(*((GOOD | changes)[name] for name in FIELDS))


def taken(records: object, version: object = 1, issued_at: object = 0) -> Register:
    """The register of `records`, under the authority's good signature."""
    return register.verify(signed([version, issued_at, records], AUTHORITY, PURPOSE), TRUSTED)


def test_the_unchanged_sample_is_taken_and_issued() -> None:
    assert taken(record()).entries == {b"sign 001": ENTRY}
    assert register.issue([ENTRY], AUTHORITY) == signed([1, 0, record()], AUTHORITY, PURPOSE)


# field, what stands in the record, what is read; None where it is refused
AT_THE_BOUNDS = [
    ("class_id", 0, 0),
    ("class_id", LAST_CLASS, LAST_CLASS),
    ("class_id", LAST_CLASS + 1, None),
    ("class_id", 255, None),
    ("lat", 900_000_000, 90.0),
    ("lat", 900_000_001, None),
    ("lat", -900_000_000, -90.0),
    ("lat", -900_000_001, None),
    ("lat", 1, 1e-7),
    ("lon", 1_800_000_000, 180.0),
    ("lon", 1_800_000_001, None),
    ("lon", -1_800_000_000, -180.0),
    ("lon", -1_800_000_001, None),
    ("lon", -1, -1e-7),
    ("heading", 0, 0.0),
    ("heading", 1, 0.01),
    ("heading", 35_999, 359.99),
    ("heading", 36_000, None),
    ("valid_from", 0, 0),
    ("valid_from", 1_800_000_000, 1_800_000_000),
    ("valid_from", 1_800_000_001, None),
    ("valid_until", 1_700_000_000, 1_700_000_000),
    ("valid_until", 1_699_999_999, None),
    ("valid_until", LATEST, LATEST),
    ("valid_until", LATEST + 1, None),
    ("valid_until", 2**64 - 1, None),
    ("revoked", 1, True),
    ("revoked", 2, None),
    ("revoked", 255, None),
    ("sign_id", bytes(8), bytes(8)),
    ("sign_id", b"\xff" * 8, b"\xff" * 8),
]


@pytest.mark.parametrize(("name", "written", "read"), AT_THE_BOUNDS)
def test_a_record_is_bounded_field_by_field(name: str, written: object, read: object) -> None:
    records = record(**{name: written})
    if read is None:
        with pytest.raises(MalformedError, match="entry_out_of_range"):
            taken(records)
        return
    (entry,) = taken(records).entries.values()
    assert entry == replace(ENTRY, **{name: read})  # type: ignore[arg-type]
    assert type(getattr(entry, name)) is type(read)
    assert register.issue([entry], AUTHORITY) == signed([1, 0, records], AUTHORITY, PURPOSE)


NOT_ISSUED = [
    ("sign_id", b"sign 01"),
    ("sign_id", b"sign 0001"),
    ("class_id", -1),
    ("class_id", LAST_CLASS + 1),
    ("lat", 90.0000001),
    ("lat", -90.0000001),
    ("lon", 180.0000001),
    ("lon", -180.0000001),
    ("lon", float("nan")),
    ("heading", -0.01),
    ("heading", 360.01),
    ("heading", float("nan")),
    ("valid_from", -1),
    ("valid_until", 1_699_999_999),
    ("valid_until", LATEST + 1),
]


@pytest.mark.parametrize(("name", "value"), NOT_ISSUED)
def test_an_entry_just_out_of_range_is_not_issued_and_its_field_is_named(name: str, value: object) -> None:
    with pytest.raises(IssueError, match=f"^{name}:"):
        register.issue([replace(ENTRY, **{name: value})], AUTHORITY)  # type: ignore[arg-type]


def test_a_beginning_after_the_last_second_is_not_issued() -> None:
    with pytest.raises(IssueError, match=r"^valid_from:"):
        register.issue([replace(ENTRY, valid_from=LATEST + 1, valid_until=LATEST + 2)], AUTHORITY)
    assert register.issue([replace(ENTRY, valid_from=LATEST, valid_until=LATEST)], AUTHORITY)


@pytest.mark.parametrize(("heading", "written"), [(360.0, 0), (359.996, 0), (359.994, 35_999), (0.004, 0), (0.006, 1)])
def test_a_heading_is_rounded_around_the_circle(heading: float, written: int) -> None:
    issued = register.issue([replace(ENTRY, heading=heading)], AUTHORITY)
    assert issued == signed([1, 0, record(heading=written)], AUTHORITY, PURPOSE)


# --- the whole ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("issued_at", [0, 1, LATEST])
def test_a_time_of_issue_within_bounds_is_taken(issued_at: int) -> None:
    data = register.issue([ENTRY], AUTHORITY, issued_at=issued_at)
    assert register.verify(data, TRUSTED).issued_at == issued_at
    assert register.verify_issued_at(data, TRUSTED) == issued_at


BAD = {
    "version 0": (0, 0, b""),
    "version 2": (2, 0, b""),
    "version as text": ("1", 0, b""),
    "issued before time": (1, -1, b""),
    "issued after the last second": (1, LATEST + 1, b""),
    "issued at a text": (1, "0", b""),
    "records as text": (1, 0, ""),
    "a byte": (1, 0, b"\x00"),
    "a byte less than a record": (1, 0, record()[:-1]),
    "a byte more than a record": (1, 0, record() + b"\x00"),
}


@pytest.mark.parametrize("name", BAD)
def test_even_a_good_signature_does_not_excuse_one_bad_field(name: str) -> None:
    data = signed(list(BAD[name]), AUTHORITY, PURPOSE)
    for verify in (register.verify, register.verify_issued_at):
        with pytest.raises(MalformedError, match="bad_register"):
            verify(data, TRUSTED)


@pytest.mark.parametrize("content", [[1, 0], [1, 0, b"", 0], [], {1: 1}, 1], ids=str)
def test_even_a_good_signature_does_not_excuse_another_shape(content: object) -> None:
    with pytest.raises(MalformedError, match="bad_register"):
        register.verify(signed(content, AUTHORITY, PURPOSE), TRUSTED)


def test_a_register_does_not_nest() -> None:
    with pytest.raises(MalformedError, match="too_deep"):
        register.verify(signed([1, 0, []], AUTHORITY, PURPOSE), TRUSTED)


def test_a_time_of_issue_is_read_without_a_look_at_the_entries() -> None:
    data = signed([1, 5, record(revoked=2)], AUTHORITY, PURPOSE)
    assert register.verify_issued_at(data, TRUSTED) == 5
    with pytest.raises(MalformedError):
        register.verify(data, TRUSTED)


def test_entries_are_issued_in_order_and_taken_in_order_only() -> None:
    low, high = record(sign_id=b"sign 001"), record(sign_id=b"sign 002")
    assert list(taken(low + high).entries) == [b"sign 001", b"sign 002"]
    for records in (high + low, low + low, low + high + low):
        with pytest.raises(MalformedError, match="not_in_order"):
            taken(records)
    backwards = [replace(ENTRY, sign_id=b"sign 002"), ENTRY]
    assert register.issue(backwards, AUTHORITY) == signed([1, 0, low + high], AUTHORITY, PURPOSE)


def test_a_sign_that_differs_only_in_its_place_is_still_twice_in_the_list() -> None:
    with pytest.raises(IssueError, match=r"^sign_id: twice"):
        register.issue([ENTRY, replace(ENTRY, lat=1.0)], AUTHORITY)


def test_a_register_has_up_to_100_000_entries() -> None:
    assert register.verify_issued_at(signed([1, 9, bytes(36 * MAX_ENTRIES)], AUTHORITY, PURPOSE), TRUSTED) == 9
    with pytest.raises(MalformedError, match="bad_register"):
        register.verify_issued_at(signed([1, 9, bytes(36 * (MAX_ENTRIES + 1))], AUTHORITY, PURPOSE), TRUSTED)
    with pytest.raises(IssueError, match="twice"):  # so many are not too many
        register.issue([ENTRY] * MAX_ENTRIES, AUTHORITY)
    with pytest.raises(IssueError, match="entries: 100001"):
        register.issue([ENTRY] * (MAX_ENTRIES + 1), AUTHORITY)


@pytest.mark.parametrize(("size", "reason"), [(3_600_256, "bad_register"), (3_600_257, "oversized")])
def test_the_largest_register_that_is_looked_at(size: int, reason: str) -> None:
    data = signed([1, 0, bytes(size - 95)], AUTHORITY, PURPOSE)
    assert len(data) == size == register.MAX_REGISTER_BYTES + (reason == "oversized")
    with pytest.raises(MalformedError, match=reason):
        register.verify(data, TRUSTED)


@pytest.mark.parametrize("purpose", [b"", b"sealcam register 0", b"sealcam register 2", b"sealcam sign code 1"])
def test_a_signature_for_another_purpose_is_no_register(purpose: bytes) -> None:
    with pytest.raises(ForgedError, match="bad_signature"):
        register.verify(signed([1, 0, record()], AUTHORITY, purpose), TRUSTED)


def test_the_authority_is_one_of_the_trusted_ones_and_is_named() -> None:
    assert taken(record()).key_id == AUTHORITY_KID
    for verify in (register.verify, register.verify_issued_at):
        with pytest.raises(UnknownKeyError):
            verify(signed([1, 0, record()], STRANGER, PURPOSE), TRUSTED)


@given(st.binary(min_size=36, max_size=36) | st.binary(min_size=27, max_size=27).map(lambda b: b"sign 001\x0e" + b))
@settings(max_examples=200, deadline=None)
def test_any_signed_record_is_refused_or_could_have_been_issued(records: bytes) -> None:
    try:
        read = taken(records)
    except HostileInputError as error:
        assert error.reason == "entry_out_of_range"
        return
    assert register.issue(read.entries.values(), AUTHORITY) == signed([1, 0, records], AUTHORITY, PURPOSE)


@pytest.mark.parametrize("issued_at", [-1, 2**40 + 1])
def test_a_time_of_issue_that_no_device_would_take_is_not_signed(issued_at: int) -> None:
    with pytest.raises(IssueError, match="issued_at"):
        register.issue([], AUTHORITY, issued_at=issued_at)
