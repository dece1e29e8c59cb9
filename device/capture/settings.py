"""The settings that capture is given."""

from __future__ import annotations

from typing import Literal

import msgspec


class CaptureSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`path`: the video, folder or camera, by its name in here. `start_frame`: where a restart goes on."""

    kind: Literal["video", "folder", "camera"]
    path: str
    pace: Literal["lockstep", "realtime"]
    folder_fps: float
    width: int
    height: int
    fps: float
    start_frame: int
