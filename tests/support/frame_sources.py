"""A source of frames read to its end, without a ring."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from device.capture.settings import CaptureSettings
from device.capture.stream import FrameSource, Taken
from device.channel import damage
from device.channel.damage import DamageName

Picture = npt.NDArray[np.uint8]


def settings(path: Path, **changed: Any) -> CaptureSettings:
    """Settings for a replay of `path` in lockstep."""
    usual: dict[str, Any] = {
        "kind": "folder" if path.is_dir() else "video",
        "path": str(path),
        "pace": "lockstep",
        "folder_fps": 10.0,
        "width": 64,
        "height": 64,
        "fps": 10.0,
        "start_frame": 0,
    }
    return CaptureSettings(**usual | changed)


@dataclass
class Read:
    """What a source gave: every frame, the pictures of those that were shown, and what it said of the rest."""

    taken: list[Taken] = field(default_factory=list)
    pictures: dict[int, Picture] = field(default_factory=dict)
    timed: list[bool] = field(default_factory=list)
    damage: dict[DamageName, int] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)

    @property
    def times(self) -> list[int]:
        """Milliseconds of the frames that were shown."""
        return [t_ms for _, t_ms in self.taken if t_ms is not None]

    @property
    def left_out(self) -> list[int]:
        """The numbers of the frames that were not shown."""
        return [number for number, t_ms in self.taken if t_ms is None]


def read(source: FrameSource, start: int = 0, into: Read | None = None) -> Read:
    """Read a source to its end, as the ring would be filled. `into`: keeps what came where the end is an error."""
    found, newest = into or Read(), [np.zeros((1, 1, 3), np.uint8)]

    def slot(width: int, height: int) -> Picture:
        newest[0] = np.zeros((height, width, 3), np.uint8)
        return newest[0]

    for number, t_ms in source.frames(slot, start):
        found.taken.append((number, t_ms))
        found.facts = dict(source.tally.facts)
        found.damage = damage.counts(found.facts)
        if t_ms is not None:
            found.pictures[number] = newest[0]
            found.timed.append(source.timed)
    found.facts = dict(source.tally.facts)
    found.damage = damage.counts(found.facts)
    return found
