"""Each bound of the CBOR reader at both of its sides, and each head of RFC 8949 section 3 by its bytes."""

from __future__ import annotations

import cbor2
import pytest

from tests.support.wire_samples import reason_of_refusal
from wire import cbor

ENCODINGS = {  # RFC 8949 appendix A, and the last value of each length of head
    0: "00",
    23: "17",
    24: "1818",
    255: "18ff",
    256: "190100",
    65_535: "19ffff",
    65_536: "1a00010000",
    2**32 - 1: "1affffffff",
    2**32: "1b0000000100000000",
    2**64 - 1: "1bffffffffffffffff",
    -1: "20",
    -24: "37",
    -25: "3818",
    -256: "38ff",
    -257: "390100",
    -(2**64): "3bffffffffffffffff",
    b"": "40",
    b"\x01\x02": "420102",
    bytes(24): "5818" + "00" * 24,
    bytes(256): "590100" + "00" * 256,
    "": "60",
    "a": "6161",
    "\u00fc": "62c3bc",
    "z" * 24: "7818" + "7a" * 24,
}


@pytest.mark.parametrize("value", ENCODINGS, ids=lambda value: str(value)[:12])
def test_each_value_has_one_encoding(value: object) -> None:
    data = bytes.fromhex(ENCODINGS[value])  # type: ignore[index]
    assert cbor.encode(value) == data
    decoded = cbor.decode(data, max_bytes=len(data), max_depth=0)
    assert decoded == value and type(decoded) is type(value)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ([], "80"),
        ([1, [2, b"\x03"]], "820182024103"),
        ([0] * 24, "9818" + "00" * 24),
        ({}, "a0"),
        ({1: 2, -1: 3, "a": {}}, "a30102200361 61a0"),
        ({4: [1, 2], 5: {0: 0}}, "a204820102 05a10000"),
        ([{1: 1}, {}, [], {2: []}], "84a10101 a0 80 a10280"),
    ],
    ids=str,
)
def test_containers_of_every_kind_have_one_encoding(value: object, data: str) -> None:
    assert cbor.encode(value).hex() == data.replace(" ", "")
    assert cbor.decode(bytes.fromhex(data), max_bytes=100) == value


def test_keys_are_written_in_the_order_of_their_bytes() -> None:
    assert cbor.encode({"b": 0, -300: 0, 7: 0, 4: 0, "a": 0}).hex() == "a5040007006161006162003901" + "2b00"


@pytest.mark.parametrize("value", [b"\x00" * 8, "z" * 8, [[0] * 6]], ids=str)
@pytest.mark.parametrize("limit", [8, 9, 10])
def test_input_may_be_as_long_as_the_limit_and_no_longer(value: object, limit: int) -> None:
    data = cbor2.dumps(value)
    if len(data) <= limit:
        assert cbor.decode(data, max_bytes=limit) == value
    else:
        assert reason_of_refusal(lambda: cbor.decode(data, max_bytes=limit)) == "oversized"


def nested(depth: int, opening: bytes = b"\x81") -> bytes:
    """`depth` containers, each in the one before, and a zero in the last."""
    return opening * depth + b"\x00"


@pytest.mark.parametrize("opening", [b"\x81", b"\xa1\x00"], ids=["arrays", "maps"])
@pytest.mark.parametrize("depth", [0, 1, 2, 4, 15, 16])
def test_containers_nest_as_deep_as_the_limit_and_no_deeper(depth: int, opening: bytes) -> None:
    assert cbor.decode(nested(depth, opening), max_bytes=100, max_depth=depth) is not None
    too_deep = nested(depth + 1, opening)
    assert reason_of_refusal(lambda: cbor.decode(too_deep, max_bytes=100, max_depth=depth)) == "too_deep"


def test_containers_nest_four_deep_where_nothing_is_said() -> None:
    assert cbor.decode(nested(4), max_bytes=100) == [[[[0]]]]
    assert reason_of_refusal(lambda: cbor.decode(nested(5), max_bytes=100)) == "too_deep"


def test_depth_is_counted_by_what_is_open_not_by_what_has_been() -> None:
    side_by_side = [[[0]], [[0]], {1: {1: 1}}, [[]], 0]
    assert cbor.decode(cbor2.dumps(side_by_side), max_bytes=100, max_depth=3) == side_by_side


def test_a_map_has_up_to_64_pairs() -> None:
    largest = {number: number for number in range(64)}
    assert cbor.decode(cbor2.dumps(largest), max_bytes=1000) == largest
    assert reason_of_refusal(lambda: cbor.decode(cbor2.dumps(largest | {64: 64}), max_bytes=1000)) == "map_too_large"


def test_an_array_may_have_more_items_than_a_map_has_pairs() -> None:
    assert cbor.decode(cbor2.dumps([0] * 1000), max_bytes=2000) == [0] * 1000


@pytest.mark.parametrize(("data", "value"), [("f4", False), ("f5", True), ("f6", None)])
def test_booleans_and_null_are_taken_only_where_they_are_expected(data: str, value: object) -> None:
    assert cbor.decode(bytes.fromhex(data), max_bytes=10, simple=True) is value
    assert cbor.decode(bytes.fromhex("81" + data), max_bytes=10, simple=True) == [value]
    for refused in (data, "81" + data, "a100" + data):
        assert reason_of_refusal(lambda refused=refused: cbor.decode(bytes.fromhex(refused), max_bytes=10)) == (
            "float_or_simple"
        )


@pytest.mark.parametrize("data", ["e0", "f3", "f7", "f814", "f820", "f8ff", "f97e00", "fa00000000", "fb" + "00" * 8])
def test_no_other_simple_value_and_no_float_is_ever_taken(data: str) -> None:
    assert reason_of_refusal(lambda: cbor.decode(bytes.fromhex(data), max_bytes=10, simple=True)) == "float_or_simple"


@pytest.mark.parametrize("tag", ["c000", "c100", "d7410a", "d818 4100", "d9d9f700"])
def test_no_tag_is_taken(tag: str) -> None:
    assert reason_of_refusal(lambda: cbor.decode(bytes.fromhex(tag), max_bytes=10, simple=True)) == "tag"


@pytest.mark.parametrize("major", range(8))
@pytest.mark.parametrize("information", [28, 29, 30, 31])
def test_reserved_and_indefinite_lengths_are_refused(major: int, information: int) -> None:
    data = bytes([major << 5 | information]) + bytes(20)
    assert reason_of_refusal(lambda: cbor.decode(data, max_bytes=100)) == "indefinite_or_reserved_length"


@pytest.mark.parametrize("key", ["f4", "f6", "40", "80", "a0"])
def test_a_key_is_a_number_or_a_text(key: str) -> None:
    for data in (f"a1{key}00", f"a2 00 00 {key} 00", f"a1 00 a1 {key} 00", f"82 00 a1 {key} 00"):
        reason = reason_of_refusal(lambda data=data: cbor.decode(bytes.fromhex(data), max_bytes=10, simple=True))
        assert reason == "bad_map_key"


def test_what_is_no_key_may_be_a_value() -> None:
    value = {0: b"", 1: [], 2: {}, "a": None}
    assert cbor.decode(cbor2.dumps(value), max_bytes=30, simple=True) == value


WHOLE = [cbor2.dumps(v) for v in (24, 256, 2**16, 2**32, -25, b"abc", "abc", bytes(30), [1, 2], {1: 2, "b": [b"c"]})]


@pytest.mark.parametrize("data", WHOLE, ids=bytes.hex)
def test_an_item_cut_anywhere_is_truncated_and_an_item_more_is_trailing(data: bytes) -> None:
    for length in range(len(data)):
        assert reason_of_refusal(lambda length=length: cbor.decode(data[:length], max_bytes=100)) == "truncated"
    assert reason_of_refusal(lambda: cbor.decode(data + b"\x00", max_bytes=100)) == "trailing_bytes"


@pytest.mark.parametrize(
    "data",
    [
        "1800",
        "1817",
        "190017",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3817",
        "580100",
        "780161",
        "980100",
        "b80100 00",
    ],
)
def test_a_longer_spelling_is_not_deterministic(data: str) -> None:
    assert reason_of_refusal(lambda: cbor.decode(bytes.fromhex(data), max_bytes=20)) == "not_deterministic"
