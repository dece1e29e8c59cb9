"""Messages: what a hostile peer sends is refused at the boundary, whole and with nothing of it believed."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.channel.errors import HostileMessageError
from device.channel.messages import (
    MAX_BOXES,
    MAX_MESSAGE_BYTES,
    Beat,
    Box,
    Codec,
    FrameReady,
    Go,
    SealedEnvelope,
    Sightings,
    StreamEnd,
    VerdictStored,
    encode,
)

BOX: dict[str, Any] = {"x": 1.0, "y": 2.0, "w": 3.0, "h": 4.0, "score": 0.5, "class_id": 14, "class_score": 0.9}
GOOD: dict[str, Any] = {
    "type": "sightings", "frame": 1, "t_ms": 40, "width": 640, "height": 480, "boxes": [BOX],
}  # fmt: skip
CODEC = Codec(Sightings, StreamEnd)


def packed(**changes: object) -> bytes:
    return msgspec.msgpack.encode({**GOOD, **changes})


def test_a_good_message_arrives_as_it_was_sent() -> None:
    sent = Sightings(1, 40, 640, 480, [Box(1.0, 2.0, 3.0, 4.0, 0.5, 14, 0.9)])
    assert CODEC.decode(encode(sent)) == sent


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\xc1",
        b"\x91" * 40_000,  # nested arrays without an end
        b"x" * (MAX_MESSAGE_BYTES + 1),
        packed(frame=-1),
        packed(frame=2**63),
        packed(frame="1"),
        packed(frame=True),
        packed(frame=1.5),
        packed(boxes=[BOX] * (MAX_BOXES + 1)),
        packed(boxes=[{**BOX, "x": math.nan}]),
        packed(boxes=[{**BOX, "w": math.inf}]),
        packed(boxes=[{**BOX, "w": -1.0}]),
        packed(boxes=[{**BOX, "class_id": 43}]),
        packed(boxes=[{**BOX, "score": 1.01}]),
        packed(boxes=[{**BOX, "extra": 1}]),
        packed(boxes=None),
        packed(width=0),
        packed(extra=1),
        packed(type="go"),
        encode(Go(0)),  # well formed, but not what this peer may send
        encode(FrameReady(1, 0, 2, 0)),
        packed() + b"\x00",
    ],
)  # fmt: skip
def test_what_the_type_does_not_allow_is_refused(data: bytes) -> None:
    with pytest.raises(HostileMessageError):
        CODEC.decode(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_refused_or_are_a_message(data: bytes) -> None:
    try:
        message = CODEC.decode(data)
    except HostileMessageError:
        return
    assert isinstance(message, Sightings | StreamEnd)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_one_changed_byte_never_raises_anything_else(position: int, value: int) -> None:
    data = bytearray(packed())
    data[position % len(data)] = value
    try:
        CODEC.decode(bytes(data))
    except HostileMessageError:
        return


def test_an_identifier_with_a_line_break_at_its_end_is_refused() -> None:
    stored = Codec(VerdictStored)
    stored.decode(msgspec.msgpack.encode({"type": "verdict_stored", "verdict_id": "v-1"}))
    with pytest.raises(HostileMessageError):
        stored.decode(msgspec.msgpack.encode({"type": "verdict_stored", "verdict_id": "v-1\n"}))


def test_our_own_oversized_message_is_our_own_bug() -> None:
    with pytest.raises(ValueError, match="over the"):
        encode(SealedEnvelope(1, b"x" * (MAX_MESSAGE_BYTES + 1)))


def test_a_stage_that_nobody_measures_is_refused() -> None:
    def beat(stage: str) -> bytes:
        counts = {"handled": 1, "dropped": {}, "invalid": {}, "facts": {}}
        return msgspec.msgpack.encode({"type": "beat", **counts, "latencies_ms": {stage: [1.0]}})

    assert isinstance(Codec(Beat).decode(beat("detect")), Beat)
    with pytest.raises(HostileMessageError):
        Codec(Beat).decode(beat("your_device_was_hacked:evil.example"))
