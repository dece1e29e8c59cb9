"""The plan of a run, which the command hands to warden."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from device.config import Config


class RunPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of the device. Paths are absolute; empty strings mean "none"."""

    kind: Literal["video", "folder", "camera"]
    input: str
    shown: str
    gpx: str
    gpx_shown: str
    pace: Literal["lockstep", "realtime"]
    start: Annotated[str, Meta(pattern=r"^(file|gps|[0-9]{1,15})\Z")]  # when the stream begins; digits: UTC ms
    home: str
    models: str
    run_id: str  # 16 random bytes as hex: new for each run, kept over restarts in it
    config: Config
    offset_ms: Annotated[int, Meta(ge=-(2**47), le=2**47)] | None = None  # the user's correction of the file's own time
    newest_s: Annotated[int, Meta(ge=0, le=2**40)] = 0  # unix seconds; a clock that says less is wrong
    clock_error_ms: Annotated[int, Meta(ge=0, le=2**47)] | None = None  # this machine's; None: unsynchronised
