"""What a device's own key can put into an envelope: one whole, bounded payload, well padded, for its own labels.

Each envelope here opens, and its inside is signed by the device for this sink: what is refused is refused for the one
thing that is changed.
"""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import (
    DEVICE,
    ENVELOPE_TOPIC,
    SINK,
    SUITE,
    envelope_info,
    padded,
    sealed_for_sink,
    signed_inside,
)
from wire import cose, envelope
from wire.envelope import Opened
from wire.errors import ForgedError, HostileInputError, IssueError, MalformedError, SealBrokenError

LARGEST_SEQUENCE = 2**53
GOOD = [1, "cam-1", 7, bytes(32), bytes(16), b"event"]
LARGEST_EVENT = 31_083  # so that the padded inside has 61 blocks: 62 would not fit


def opened(sealed: bytes, device_id: str = "cam-1") -> Opened:
    return envelope.open_envelope(
        sealed, topic=ENVELOPE_TOPIC, device_id=device_id, sink_private=SINK, device_key=DEVICE.public_key()
    )


def sealed_by_device(event: bytes = b"event", **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "device_id": "cam-1",
        "sequence": 7,
        "previous": bytes(32),
        "boot_id": bytes(16),
        "topic": ENVELOPE_TOPIC,
        "signing_key": DEVICE,
        "device_kid": cose.key_id(DEVICE.public_key()),
        "sink_key": SINK.public,
    }
    return envelope.seal(event, **(arguments | changes))  # type: ignore[arg-type]


def refused(sealed: bytes) -> HostileInputError:
    with pytest.raises(HostileInputError) as caught:
        opened(sealed)
    return caught.value


def with_one_changed(at: int, value: object) -> list[object]:
    return [*GOOD[:at], value, *GOOD[at + 1 :]]


def test_the_unchanged_sample_opens() -> None:
    sealed = sealed_for_sink(padded(signed_inside(GOOD)))
    assert opened(sealed) == Opened("cam-1", 7, bytes(32), bytes(16), b"event", envelope.digest(sealed))


# --- inside -------------------------------------------------------------------------------------------------------

DIFFERENT = {
    "version 0": (0, 0),
    "version 2": (0, 2),
    "another device": (1, "cam-2"),
    "the sequence before": (2, 6),
    "the sequence after": (2, 8),
}
BAD_FIELDS = {
    "version as text": (0, "1"),
    "a device id in bytes": (1, b"cam-1"),
    "a sequence as text": (2, "7"),
    "a previous digest of 31 bytes": (3, bytes(31)),
    "a previous digest of 33 bytes": (3, bytes(33)),
    "a previous digest as text": (3, "0" * 32),
    "a boot id of 15 bytes": (4, bytes(15)),
    "a boot id of 17 bytes": (4, bytes(17)),
    "a boot id as text": (4, "0" * 16),
    "an event as text": (5, "event"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_signed_labels_are_those_outside(name: str) -> None:
    error = refused(sealed_for_sink(padded(signed_inside(with_one_changed(*DIFFERENT[name])))))
    assert (type(error), error.reason) == (MalformedError, "inside_and_outside_differ")


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_even_a_good_signature_does_not_excuse_one_bad_field(name: str) -> None:
    error = refused(sealed_for_sink(padded(signed_inside(with_one_changed(*BAD_FIELDS[name])))))
    assert (type(error), error.reason) == (MalformedError, "bad_envelope_payload")


@pytest.mark.parametrize("content", [GOOD[:5], [*GOOD, 0], [], {0: 1}, 7], ids=lambda value: str(value)[:20])
def test_even_a_good_signature_does_not_excuse_another_shape(content: object) -> None:
    assert refused(sealed_for_sink(padded(signed_inside(content)))).reason == "bad_envelope_payload"


def test_an_event_is_not_nested_in_the_payload() -> None:
    assert refused(sealed_for_sink(padded(signed_inside(with_one_changed(5, []))))).reason == "too_deep"


# --- padding ------------------------------------------------------------------------------------------------------


def inside_of(size: int) -> bytes:
    """A signed inside of `size` bytes."""
    event_bytes = size - 130
    while len(inside := signed_inside(with_one_changed(5, bytes(event_bytes)))) > size:
        event_bytes -= 1
    assert len(inside) == size
    return inside


@pytest.mark.parametrize(("size", "zeros"), [(511, 0), (510, 1), (512, 511), (1023, 0), (1024, 511)])
def test_padding_has_from_no_zeros_to_511(size: int, zeros: int) -> None:
    plain = padded(inside_of(size))
    assert plain.endswith(b"\x80" + bytes(zeros)) and len(plain) == size + 1 + zeros
    assert opened(sealed_for_sink(plain)).device_id == "cam-1"


PADDINGS = {
    "512 zeros": inside_of(511) + b"\x80" + bytes(512),
    "513 zeros": inside_of(510) + b"\x80" + bytes(513),
    "a byte less than a block": inside_of(450) + b"\x80" + bytes(60),
    "a byte more than a block": inside_of(450) + b"\x80" + bytes(62),
    "no padding": inside_of(512),
    "no mark": inside_of(450) + bytes(62),
    "another mark": inside_of(450) + b"\x81" + bytes(61),
    "a mark at the far end only": inside_of(450) + bytes(61) + b"\x81",
    "nothing": b"",
    "zeros": bytes(512),
}


@pytest.mark.parametrize("name", PADDINGS)
def test_another_padding_is_refused(name: str) -> None:
    error = refused(sealed_for_sink(PADDINGS[name]))
    assert (type(error), error.reason) == (MalformedError, "bad_padding")


def test_a_padding_without_any_inside_is_malformed() -> None:
    assert isinstance(refused(sealed_for_sink(padded(b""))), MalformedError)


@pytest.mark.parametrize("size", [0, 1, 100, 400, 900])
def test_a_sealed_event_fills_whole_blocks_of_512_bytes(size: int) -> None:
    ciphertext = cbor2.loads(sealed_by_device(bytes(size)))[3]
    plain = SUITE.decrypt(ciphertext, SINK.key, info=envelope_info())
    assert plain == padded(signed_inside(with_one_changed(5, bytes(size))))
    assert len(plain) % 512 == 0


# --- outside ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", [0, 1, LARGEST_SEQUENCE - 1, LARGEST_SEQUENCE])
def test_a_sequence_within_bounds_is_sealed_and_opened(sequence: int) -> None:
    assert opened(sealed_by_device(sequence=sequence)).sequence == sequence


@pytest.mark.parametrize("sequence", [-1, LARGEST_SEQUENCE + 1])
def test_a_sequence_out_of_range_is_neither_sealed_nor_opened(sequence: int) -> None:
    inside = signed_inside(with_one_changed(2, sequence))
    error = refused(sealed_for_sink(padded(inside), outside=(1, "cam-1", sequence)))
    assert (type(error), error.reason) == (MalformedError, "wrong_device_or_sequence")
    with pytest.raises(IssueError, match="sequence"):
        sealed_by_device(sequence=sequence)


def test_another_devices_labels_are_refused_although_they_open() -> None:
    error = refused(sealed_for_sink(padded(signed_inside(with_one_changed(1, "cam-2"))), outside=(1, "cam-2", 7)))
    assert (type(error), error.reason) == (MalformedError, "wrong_device_or_sequence")


OUTSIDES = {
    "version 0": (1, [0, "cam-1", 7]),
    "version 2": (1, [2, "cam-1", 7]),
    "version as text": (1, ["1", "cam-1", 7]),
    "a device id in bytes": (1, [1, b"cam-1", 7]),
    "a sequence as text": (1, [1, "cam-1", "7"]),
    "a label less": (1, [1, "cam-1"]),
    "a label more": (1, [1, "cam-1", 7, 0]),
    "no ciphertext": (0, [1, "cam-1", 7]),
    "two ciphertexts": (2, [1, "cam-1", 7]),
}


@pytest.mark.parametrize("name", OUTSIDES)
def test_another_frame_is_not_an_envelope(name: str) -> None:
    count, labels = OUTSIDES[name]
    ciphertext = SUITE.encrypt(padded(signed_inside(GOOD)), SINK.public.key, info=envelope_info())
    assert refused(cbor2.dumps([*labels, *[ciphertext] * count])).reason == "not_an_envelope"


def test_a_frame_does_not_nest_and_its_ciphertext_is_bytes() -> None:
    assert refused(cbor2.dumps([1, "cam-1", 7, []])).reason == "too_deep"
    assert refused(cbor2.dumps([1, "cam-1", 7, "text"])).reason == "not_an_envelope"


@pytest.mark.parametrize(("size", "expected"), [(32_768, "does_not_open"), (32_769, "oversized")])
def test_the_largest_envelope_that_is_looked_at_has_32_kib(size: int, expected: str) -> None:
    sealed = cbor2.dumps([1, "cam-1", 7, bytes(size - 12)])
    assert len(sealed) == size
    assert refused(sealed).reason == expected


def test_the_largest_event_that_fits_comes_through_and_a_byte_more_is_not_sealed() -> None:
    event = bytes(range(256)) * 122
    assert opened(sealed_by_device(event[:LARGEST_EVENT])).event == event[:LARGEST_EVENT]
    with pytest.raises(IssueError, match="too large"):
        sealed_by_device(event[: LARGEST_EVENT + 1])


# --- arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device_id": "ca"}, "device_id"),
        ({"device_id": "c" * 33}, "device_id"),
        ({"previous": bytes(31)}, "previous"),
        ({"previous": bytes(33)}, "previous"),
        ({"boot_id": bytes(15)}, "boot_id"),
        ({"boot_id": bytes(17)}, "boot_id"),
    ],
    ids=str,
)
def test_each_argument_out_of_range_is_not_sealed(change: dict[str, object], message: str) -> None:
    with pytest.raises(IssueError, match=message):
        sealed_by_device(**change)


def test_the_digest_is_that_of_the_sealed_bytes() -> None:
    assert envelope.digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert not any(envelope.FIRST_PREVIOUS) and len(envelope.FIRST_PREVIOUS) == 32


@given(st.integers(0, 5), st.integers(-(2**64), 2**64 - 1) | st.text(max_size=9) | st.binary(max_size=40) | st.none())
@settings(max_examples=100, deadline=None)
def test_what_opens_could_have_been_sealed(at: int, value: object) -> None:
    sealed = sealed_for_sink(padded(signed_inside(with_one_changed(at, value))))
    try:
        read = opened(sealed)
    except HostileInputError as error:
        assert not isinstance(error, ForgedError | SealBrokenError)
        return
    again = sealed_by_device(read.event, sequence=read.sequence, previous=read.previous, boot_id=read.boot_id)
    assert SUITE.decrypt(cbor2.loads(again)[3], SINK.key, info=envelope_info()) == padded(
        signed_inside(with_one_changed(at, value))
    )
