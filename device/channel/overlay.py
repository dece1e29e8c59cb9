"""What is drawn into an annotated video: the record of a run, as the command hands it to annotator.

Msgpack in a memory file. The command makes it from messages whose bounds were checked as they came; annotator checks
them once more as it reads.
"""

from __future__ import annotations

import os
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from device.channel.errors import OwnFaultError
from device.channel.messages import (
    MAX_BOXES,
    MAX_READINGS,
    Box,
    ClassId,
    CodeBox,
    FrameNumber,
)
from wire.vocabulary import StateName

MAX_OVERLAY_BYTES: Final = 512 * 1024 * 1024


class FrameOverlay(Struct, frozen=True, forbid_unknown_fields=True):
    """What perception and the code reader saw in one frame; None: that reader did not judge it."""

    boxes: Annotated[list[Box], Meta(max_length=MAX_BOXES)] | None = None
    codes: Annotated[list[CodeBox], Meta(max_length=MAX_READINGS)] | None = None


class VerdictOverlay(Struct, frozen=True, forbid_unknown_fields=True):
    """One verdict: the frames that show its sign, what is held to be true, and what perception took it for."""

    state: StateName
    class_id: ClassId | None
    perceived_class_id: ClassId | None
    first_frame: FrameNumber
    last_frame: FrameNumber


class Overlay(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is drawn: frames by number, verdicts in their order. `last_frame`: nothing was judged after it."""

    frames: dict[FrameNumber, FrameOverlay]
    verdicts: list[VerdictOverlay]
    last_frame: FrameNumber


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Overlay, strict=True)


def write(overlay: Overlay) -> int:
    """The overlay in a new memory file; its descriptor, owned by the caller. Raises OwnFaultError over the cap."""
    content = _encoder.encode(overlay)
    if len(content) > MAX_OVERLAY_BYTES:
        raise OwnFaultError(f"an overlay of {len(content)} bytes is over the {MAX_OVERLAY_BYTES} byte cap")
    descriptor = os.memfd_create("sealcam-overlay", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    return descriptor


def read(descriptor: int) -> Overlay:
    """What `write` wrote. Owns and closes the descriptor. Raises msgspec.ValidationError or DecodeError."""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        return _decoder.decode(file.read(MAX_OVERLAY_BYTES))
