"""Receipts: only on a whole, bounded, signed one may a device forget what it holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import RECEIPTS, signed, signed_bytes
from wire import receipt
from wire.errors import ForgedError, IssueError, MalformedError
from wire.receipt import Receipt

PURPOSE = b"sealcam receipt 1"
GOOD = [1, "cam-1", 7, bytes(32)]
LARGEST_SEQUENCE = 2**53


def taken(content: object) -> Receipt:
    """The receipt in `content`, under the sink's good signature."""
    return receipt.verify(signed(content, RECEIPTS, PURPOSE), RECEIPTS.public_key())


def with_one_changed(at: int, value: object) -> list[object]:
    return [*GOOD[:at], value, *GOOD[at + 1 :]]


@pytest.mark.parametrize("sequence", [0, 1, LARGEST_SEQUENCE - 1, LARGEST_SEQUENCE])
def test_a_sequence_within_bounds_is_issued_and_taken(sequence: int) -> None:
    assert taken(with_one_changed(2, sequence)) == Receipt("cam-1", sequence, bytes(32))
    issued = receipt.issue("cam-1", sequence, bytes(32), RECEIPTS)
    assert receipt.verify(issued, RECEIPTS.public_key()) == Receipt("cam-1", sequence, bytes(32))


CHANGES = {
    "version 0": (0, 0),
    "version 2": (0, 2),
    "version as text": (0, "1"),
    "a device id of two characters": (1, "ca"),
    "a device id of a path": (1, "../cam-1"),
    "the sink's own name": (1, "sink"),
    "a device id in bytes": (1, b"cam-1"),
    "sequence -1": (2, -1),
    "a sequence over the largest": (2, LARGEST_SEQUENCE + 1),
    "a sequence as text": (2, "7"),
    "a sequence of true": (2, True),
    "a digest of 31 bytes": (3, bytes(31)),
    "a digest of 33 bytes": (3, bytes(33)),
    "a digest as text": (3, "0" * 32),
}


@pytest.mark.parametrize("name", CHANGES)
def test_even_a_good_signature_does_not_excuse_one_bad_field(name: str) -> None:
    with pytest.raises(MalformedError):
        taken(with_one_changed(*CHANGES[name]))


@pytest.mark.parametrize("content", [GOOD[:3], [*GOOD, 0], [], 7, {0: 1}, "receipt"], ids=str)
def test_even_a_good_signature_does_not_excuse_another_shape(content: object) -> None:
    with pytest.raises(MalformedError, match="bad_receipt"):
        taken(content)


def test_a_receipt_does_not_nest() -> None:
    with pytest.raises(MalformedError, match="too_deep"):
        taken(with_one_changed(3, []))


@pytest.mark.parametrize(
    "change",
    [
        {"device_id": "ca"},
        {"device_id": "sink"},
        {"sequence": -1},
        {"sequence": LARGEST_SEQUENCE + 1},
        {"digest": bytes(31)},
        {"digest": bytes(33)},
    ],
    ids=str,
)
def test_a_receipt_out_of_range_is_not_issued(change: dict[str, object]) -> None:
    arguments = {"device_id": "cam-1", "sequence": 7, "digest": bytes(32)} | change
    with pytest.raises(IssueError, match="out of range"):
        receipt.issue(**arguments, key=RECEIPTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "reason"), [(512, "bad_cbor|trailing|truncated"), (513, "oversized")])
def test_the_largest_receipt_that_is_looked_at_has_512_bytes(size: int, reason: str) -> None:
    data = signed_bytes(bytes(size - 85), RECEIPTS, PURPOSE)
    assert len(data) == size
    with pytest.raises(MalformedError, match=reason):
        receipt.verify(data, RECEIPTS.public_key())


@pytest.mark.parametrize("purpose", [b"", b"sealcam receipt 0", b"sealcam receipt 2", b"sealcam register 1"])
def test_a_signature_for_another_purpose_is_no_receipt(purpose: bytes) -> None:
    with pytest.raises(ForgedError, match="bad_signature"):
        receipt.verify(signed(GOOD, RECEIPTS, purpose), RECEIPTS.public_key())


@given(
    st.integers(0, 3),
    st.integers(-(2**64), 2**64 - 1) | st.text(max_size=40) | st.binary(max_size=40) | st.none() | st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_what_is_taken_could_have_been_issued(at: int, value: object) -> None:
    try:
        read = taken(with_one_changed(at, value))
    except MalformedError:
        return
    issued = receipt.issue(read.device_id, read.sequence, read.digest, RECEIPTS)
    assert issued == signed(with_one_changed(at, value), RECEIPTS, PURPOSE)
