"""The settings that annotator is given."""

from __future__ import annotations

from typing import Literal

import msgspec

from device.capture.settings import CaptureSettings


class AnnotatorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`path`: the video or folder, by its name in here. `folder_fps`: the rate that a folder of frames was taken at."""

    kind: Literal["video", "folder"]
    path: str
    folder_fps: float


def as_capture(settings: AnnotatorSettings) -> CaptureSettings:
    """What capture was given to read the same frames: every frame of the file, from its first."""
    return CaptureSettings(
        kind=settings.kind,
        path=settings.path,
        pace="lockstep",
        folder_fps=settings.folder_fps,
        width=0,
        height=0,
        fps=0.0,
        start_frame=0,
    )
