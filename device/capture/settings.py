"""The settings that capture is given."""

from __future__ import annotations

from typing import Literal

import msgspec

Degrees = Literal[0, 90, 180, 270]
Flip = Literal["none", "horizontal", "vertical"]


class CaptureSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`path`: the video, folder or camera, by its name in here. `start_frame`: where a restart goes on.

    `rotate_degrees` (clockwise) and `flip`: how the camera hangs, beyond what a file says of itself. `untimed_fps`,
    `folder_fps`: the rate of a video without time stamps, and of a folder of images, 0 where it is not known.
    """

    kind: Literal["video", "folder", "camera"]
    path: str
    pace: Literal["lockstep", "realtime"]
    folder_fps: float
    width: int
    height: int
    fps: float
    start_frame: int
    rotate_degrees: Degrees = 0
    flip: Flip = "none"
    untimed_fps: float = 0.0
