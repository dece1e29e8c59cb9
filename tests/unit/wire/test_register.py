"""The register: an authority's list is accepted whole and in order, or not at all."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import AUTHORITY, AUTHORITY_KID, STRANGER, TRUSTED, reason_of_refusal
from wire import cbor, cose, register
from wire.errors import IssueError, UnknownKeyError
from wire.register import RegisterEntry

STOP = RegisterEntry(bytes(7) + b"\x02", 14, 52.52, 13.405, 270.0, 1_700_000_000, 1_800_000_000)
YIELD = RegisterEntry(bytes(7) + b"\x01", 13, 52.5209, 13.405, 90.0, 1_700_000_000, 1_800_000_000, revoked=True)
SIGNED = register.issue([STOP, YIELD], AUTHORITY, issued_at=1_700_000_000)
RECORD = struct.Struct(">8sBiiHQQB")


def signed(payload: object) -> bytes:
    return cose.sign1(cbor.encode(payload), AUTHORITY, AUTHORITY_KID, register.PURPOSE)


def test_entries_are_found_by_their_ids() -> None:
    read = register.verify(SIGNED, TRUSTED)
    assert read.lookup(STOP.sign_id) == STOP
    assert read.lookup(YIELD.sign_id) == YIELD
    assert read.lookup(bytes(8)) is None
    assert (read.issued_at, read.key_id, len(read.entries)) == (1_700_000_000, AUTHORITY_KID, 2)


def test_entries_are_found_by_their_place_the_nearest_first() -> None:
    read = register.verify(SIGNED, TRUSTED)
    assert read.near(52.5208, 13.405, 200.0) == [YIELD, STOP]
    assert read.near(52.5201, 13.405, 50.0) == [STOP]
    assert read.near(52.6, 13.405, 1000.0) == []


def test_an_empty_register_is_a_register() -> None:
    assert not register.verify(register.issue([], AUTHORITY), TRUSTED).entries


def test_a_register_of_another_authority_is_refused() -> None:
    with pytest.raises(UnknownKeyError):
        register.verify(register.issue([STOP], STRANGER), TRUSTED)


@pytest.mark.parametrize(
    "change",
    [
        {"class_id": 43},
        {"lat": float("nan")},
        {"lon": -181.0},
        {"heading": 361.0},
        {"sign_id": b""},
        {"valid_from": -1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_entry_out_of_range_is_not_issued(change: dict[str, object]) -> None:
    with pytest.raises(IssueError, match=next(iter(change))):
        register.issue([replace(STOP, **change)], AUTHORITY)  # type: ignore[arg-type]


def test_a_sign_is_listed_once() -> None:
    with pytest.raises(IssueError, match="twice"):
        register.issue([STOP, STOP], AUTHORITY)


GOOD = (bytes(8), 0, 0, 0, 0, 0, 9, 0)
BAD_PAYLOADS = {
    "another version": [2, 0, b""],
    "part of a record": [1, 0, bytes(35)],
    "class 43": [1, 0, RECORD.pack(b"1" * 8, 43, 0, 0, 0, 0, 9, 0)],
    "beyond the pole": [1, 0, RECORD.pack(b"1" * 8, 0, 900_000_001, 0, 0, 0, 9, 0)],
    "beyond the date line": [1, 0, RECORD.pack(b"1" * 8, 0, 0, -1_800_000_001, 0, 0, 9, 0)],
    "heading 360": [1, 0, RECORD.pack(b"1" * 8, 0, 0, 0, 36_000, 0, 9, 0)],
    "ends before it begins": [1, 0, RECORD.pack(b"1" * 8, 0, 0, 0, 0, 9, 8, 0)],
    "revoked twice over": [1, 0, RECORD.pack(b"1" * 8, 0, 0, 0, 0, 0, 9, 2)],
    "out of order": [1, 0, RECORD.pack(b"2" * 8, *GOOD[1:]) + RECORD.pack(b"1" * 8, *GOOD[1:])],
    "a sign twice": [1, 0, RECORD.pack(b"1" * 8, *GOOD[1:]) * 2],
    "an array of arrays": [1, 0, [[1, 2]]],
    "issued before time": [1, -1, b""],
    "a map": {1: 1},
}


@pytest.mark.parametrize("name", BAD_PAYLOADS)
def test_even_a_good_signature_does_not_excuse_bad_content(name: str) -> None:
    reason_of_refusal(lambda: register.verify(signed(BAD_PAYLOADS[name]), TRUSTED))


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_refused(data: bytes) -> None:
    reason_of_refusal(lambda: register.verify(data, TRUSTED))


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_a_changed_register_is_refused(at: int, change: int) -> None:
    data = bytearray(SIGNED)
    data[at] ^= change
    reason_of_refusal(lambda: register.verify(bytes(data), TRUSTED))
