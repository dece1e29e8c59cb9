"""Envelopes and receipts cannot be read, altered, moved, forged or reattributed on the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire_samples import DEVICE, RECEIPTS, SINK, STRANGER, reason_of_refusal
from wire import cbor, cose, envelope, receipt, topics
from wire.envelope import FIRST_PREVIOUS, Opened
from wire.errors import ForgedError, IssueError, MalformedError, SealBrokenError
from wire.sink_key import SinkPrivateKey, SinkPublicKey

TOPIC = topics.envelope_topic("cam-1")
KID = cose.key_id(DEVICE.public_key())


def sealed_event(event: bytes = b"event", **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "device_id": "cam-1",
        "sequence": 7,
        "previous": FIRST_PREVIOUS,
        "boot_id": bytes(16),
        "topic": TOPIC,
        "signing_key": DEVICE,
        "device_kid": KID,
        "sink_key": SINK.public,
    }
    return envelope.seal(event, **(arguments | changes))  # type: ignore[arg-type]


def opened(sealed: bytes, *, topic: str = TOPIC, device_id: str = "cam-1", sink: SinkPrivateKey = SINK) -> Opened:
    return envelope.open_envelope(
        sealed, topic=topic, device_id=device_id, sink_private=sink, device_key=DEVICE.public_key()
    )


SEALED = sealed_event()


def test_the_sink_reads_what_the_device_sealed() -> None:
    assert opened(SEALED) == Opened("cam-1", 7, FIRST_PREVIOUS, bytes(16), b"event", envelope.digest(SEALED))


def test_the_content_does_not_show_and_two_sealings_differ() -> None:
    assert b"secret-verdict" not in sealed_event(b"secret-verdict")
    assert sealed_event() != sealed_event()


def test_the_size_does_not_tell_a_short_event_from_a_long_one() -> None:
    assert len(sealed_event(b"")) == len(sealed_event(bytes(300)))


@pytest.mark.parametrize("size", range(0, 1100, 37))
def test_every_event_length_survives_the_padding(size: int) -> None:
    for event in (bytes(size), b"\x80" * size):
        assert opened(sealed_event(event)).event == event


def test_it_opens_under_its_own_topic_only() -> None:
    with pytest.raises(SealBrokenError):
        opened(SEALED, topic=topics.envelope_topic("cam-2"))


def test_it_is_not_taken_for_another_devices() -> None:
    with pytest.raises(MalformedError):
        opened(SEALED, device_id="cam-2")


@pytest.mark.parametrize("renumbered", [[1, "cam-1", 8], [1, "cam-2", 7]])
def test_a_relabelled_envelope_does_not_open(renumbered: list[object]) -> None:
    ciphertext = cbor.decode(SEALED, max_bytes=40_000)[3]  # type: ignore[index,call-overload]
    with pytest.raises(SealBrokenError):
        opened(cbor.encode([*renumbered, ciphertext]), device_id=str(renumbered[1]))


def test_an_envelope_of_a_stranger_is_forged_although_it_opens() -> None:
    with pytest.raises(ForgedError):
        opened(sealed_event(signing_key=STRANGER))
    with pytest.raises(ForgedError):
        opened(sealed_event(signing_key=STRANGER, device_kid=cose.key_id(STRANGER.public_key())))


def test_another_sink_cannot_open_it() -> None:
    with pytest.raises(SealBrokenError):
        opened(SEALED, sink=SinkPrivateKey.generate())


def test_a_sink_cannot_pass_a_signed_event_on_to_another_sink() -> None:
    """The first sink decrypts, and seals the device's own signature to a second sink."""
    from wire.envelope import _SUITE, _info

    second = SinkPrivateKey.generate()
    ciphertext = cbor.decode(SEALED, max_bytes=40_000)[3]  # type: ignore[index,call-overload]
    info = _info(TOPIC, "cam-1", 7)
    padded = _SUITE.decrypt(ciphertext, SINK.key, info=info)  # type: ignore[arg-type]
    forwarded = cbor.encode([1, "cam-1", 7, _SUITE.encrypt(padded, second.public.key, info=info)])
    with pytest.raises(ForgedError):
        opened(forwarded, sink=second)


def test_an_event_too_large_is_not_sealed() -> None:
    with pytest.raises(IssueError, match="too large"):
        sealed_event(bytes(40_000))


@pytest.mark.parametrize(
    "change",
    [{"device_id": "../x"}, {"device_id": "sink"}, {"sequence": -1}, {"previous": b""}, {"boot_id": bytes(15)}],
    ids=str,
)
def test_arguments_out_of_range_are_not_sealed(change: dict[str, object]) -> None:
    with pytest.raises(IssueError):
        sealed_event(**change)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_one_changed_byte_anywhere_is_refused(at: int, change: int) -> None:
    data = bytearray(SEALED)
    data[at] ^= change
    reason_of_refusal(lambda: opened(bytes(data)))


@given(st.binary(max_size=2000))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_refused_framed_or_not(data: bytes) -> None:
    reason_of_refusal(lambda: opened(data))
    reason_of_refusal(lambda: opened(cbor.encode([1, "cam-1", 7, data])))


def test_a_sink_key_survives_storage_and_does_not_show_itself() -> None:
    again = SinkPrivateKey.from_bytes(SINK.to_bytes())
    assert again.public == SINK.public
    assert opened(SEALED, sink=again).event == b"event"
    assert "0505" not in repr(SINK) and "\\x05" not in repr(SINK)


@pytest.mark.parametrize("raw", [b"", bytes(1215), b"\xff" * 1216])
def test_a_damaged_sink_key_is_refused(raw: bytes) -> None:
    reason_of_refusal(lambda: SinkPublicKey.from_bytes(raw))


# --- receipts -----------------------------------------------------------------------------------------------------

RECEIPT = receipt.issue("cam-1", 7, envelope.digest(SEALED), RECEIPTS)


def test_a_receipt_says_which_envelope_is_stored() -> None:
    read = receipt.verify(RECEIPT, RECEIPTS.public_key())
    assert (read.device_id, read.sequence, read.digest) == ("cam-1", 7, envelope.digest(SEALED))


def test_only_the_sink_can_issue_a_receipt() -> None:
    forged = receipt.issue("cam-1", 7, envelope.digest(SEALED), STRANGER)
    with pytest.raises(ForgedError):
        receipt.verify(forged, RECEIPTS.public_key())


def test_a_sinks_other_signature_is_no_receipt() -> None:
    payload = cbor.encode([1, "cam-1", 7, bytes(32)])
    other = cose.sign1(payload, RECEIPTS, cose.key_id(RECEIPTS.public_key()), b"something else")
    assert reason_of_refusal(lambda: receipt.verify(other, RECEIPTS.public_key())) == "bad_signature"


@given(st.integers(0, len(RECEIPT) - 1), st.integers(1, 255))
@settings(max_examples=150, deadline=None)
def test_a_changed_receipt_is_refused(at: int, change: int) -> None:
    data = bytearray(RECEIPT)
    data[at] ^= change
    reason_of_refusal(lambda: receipt.verify(bytes(data), RECEIPTS.public_key()))


# --- topics -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a", "sink", "cam/1", "cam+", "#", "cam-1\n", "Cam-1", "c" * 33, "../../etc"])
def test_a_name_that_could_leave_its_topic_is_no_device(name: str) -> None:
    assert not topics.is_device_id(name)
    with pytest.raises(IssueError):
        topics.envelope_topic(name)
    reason_of_refusal(lambda: topics.device_of(f"sealcam/v1/{name}/envelope"))


def test_a_topic_names_its_device() -> None:
    assert topics.device_of(TOPIC) == "cam-1"
