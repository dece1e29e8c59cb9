"""Hostile CBOR is refused within bounds; what is accepted has exactly one encoding."""

from __future__ import annotations

import time

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import reason_of_refusal
from wire import cbor
from wire.errors import HostileInputError

HOSTILE = {
    "empty": (b"", "truncated"),
    "nested arrays": (b"\x81" * 100_000 + b"\x00", "too_deep"),
    "nested maps": (b"\xa1\x00" * 50_000 + b"\x00", "too_deep"),
    "four billion bytes": (b"\x5a\xff\xff\xff\xff", "truncated"),
    "2**63 bytes": (b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", "truncated"),
    "2**64 - 1 items": (b"\x9b" + b"\xff" * 8, "truncated"),
    "a map of 65 pairs": (b"\xb8\x41" + b"".join(cbor.encode(n) + b"\x00" for n in range(65)), "map_too_large"),
    "endless array": (b"\x9f\x01\xff", "indefinite_or_reserved_length"),
    "endless text": (b"\x7f\x61a\xff", "indefinite_or_reserved_length"),
    "a lone break": (b"\xff", "indefinite_or_reserved_length"),
    "reserved length": (b"\x1c", "indefinite_or_reserved_length"),
    "a regular expression": (cbor2.dumps(cbor2.CBORTag(35, "(a+)+$")), "tag"),
    "a big number": (b"\xc2\x49\x01" + b"\x00" * 8, "tag"),
    "a shared reference": (b"\xd8\x1c\x81\xd8\x1d\x00", "tag"),
    "half a NaN": (b"\xf9\x7e\x00", "float_or_simple"),
    "a double": (b"\xfb" + b"\x00" * 8, "float_or_simple"),
    "undefined": (b"\xf7", "float_or_simple"),
    "true where no boolean is expected": (b"\xf5", "float_or_simple"),
    "trailing bytes": (b"\x00\x00", "trailing_bytes"),
    "a long spelling of 1": (b"\x18\x01", "not_deterministic"),
    "the same key twice": (b"\xa2\x01\x00\x01\x01", "bad_cbor"),
    "keys out of order": (b"\xa2\x02\x00\x01\x01", "not_deterministic"),
    "a byte string as a key": (b"\xa1\x41a\x00", "bad_map_key"),
    "an array as a key": (b"\xa1\x80\x00", "bad_map_key"),
    "text that is not UTF-8": (b"\x62\xc3\x28", "bad_cbor"),
    "text with a lone surrogate": (b"\x63\xed\xa0\x80", "bad_cbor"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_cbor_is_refused_with_its_reason(name: str) -> None:
    data, reason = HOSTILE[name]
    assert reason_of_refusal(lambda: cbor.decode(data, max_bytes=200_000, max_depth=4)) == reason


def test_oversized_input_is_not_looked_at() -> None:
    assert reason_of_refusal(lambda: cbor.decode(b"\x00" * 101, max_bytes=100)) == "oversized"


def test_the_work_is_linear_in_the_input() -> None:
    data = b"\x9a" + (400_000).to_bytes(4, "big") + b"\x80" * 399_999  # one item short
    began = time.process_time()
    assert reason_of_refusal(lambda: cbor.decode(data, max_bytes=500_000)) == "truncated"
    assert time.process_time() - began < 5.0


VALUES = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=30) | st.text(max_size=30) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(-300, 300), inner, max_size=5),
    max_leaves=12,
)


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_every_value_survives_the_way_out_and_back(value: object) -> None:
    data = cbor.encode(value)
    assert cbor.decode(data, max_bytes=10_000, max_depth=16, simple=True) == value


@given(st.binary(max_size=80))
@settings(max_examples=400, deadline=None)
def test_random_bytes_are_refused_or_have_one_encoding(data: bytes) -> None:
    try:
        value = cbor.decode(data, max_bytes=100, simple=True)
    except HostileInputError:
        return
    assert cbor.encode(value) == data
