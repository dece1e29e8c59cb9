"""The frames of a video as the device's capture takes them, for what is measured without the device around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from device.capture.picture import Slot
from device.capture.settings import CaptureSettings
from device.capture.video import VideoSource


def footage(video: Path) -> VideoSource:
    """The video, opened as for a replay in lockstep. Raises InputError."""
    settings = CaptureSettings("video", str(video), "lockstep", 0.0, 64, 64, 1.0, start_frame=0)
    return VideoSource(video, settings)


def frames(video: Path, slot: Slot) -> Iterator[tuple[int, int]]:
    """Number and time in milliseconds of each sound frame, whose pixels are then where `slot` said."""
    for number, t_ms in footage(video).frames(slot, 0):
        if t_ms is not None:
            yield number, t_ms
