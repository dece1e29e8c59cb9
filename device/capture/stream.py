"""What every source of frames is to its reader: facts, then frames, and a tally of what was not good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from device.capture.picture import Slot
from device.channel import damage
from device.channel.damage import DamageName

Taken = tuple[int, int | None]
"""Frame number and its milliseconds since frame 0; None: the frame is no evidence, or not wanted, and no slot is
filled."""


@dataclass(frozen=True)
class StreamFacts:
    """What is known before the first frame. `frames` is 0 where the source does not tell, `utc_ms` likewise.

    `promised`: how many frames have to come, by the source's index, damaged ones included; 0 where there is none.
    `milli_fps`: where it is only taken to be so, `unrated`; `nominal` where it alone gives the frames their times.
    """

    frames: int
    width: int
    height: int
    milli_fps: int
    utc_ms: int
    zoned: bool = False  # the container names the zone of the camera's clock
    length_ms: int = 0  # as the container says; 0 where it does not
    promised: int = 0
    unset: bool = False  # the container has a time, of a clock that was never set
    unrated: bool = False
    nominal: bool = False


class StreamTally:
    """How much of what was damaged, and how time had to be mended: facts for warden that grow as the run goes on.

    Of a file and a folder each start counts from frame 0, also what comes before the frame at which it goes on: what
    its predecessor counted of the same input is in its own count then, and no frame is told twice.
    """

    def __init__(self) -> None:
        self.facts: dict[str, int] = {}

    def damaged(self, name: DamageName) -> None:
        """Count one more."""
        self.facts[damage.fact(name)] = self.facts.get(damage.fact(name), 0) + 1

    @property
    def damaged_frames(self) -> int:
        """Frames so far that are shown to nobody."""
        return sum(self.facts.get(damage.fact(name), 0) for name in damage.OF_FRAMES)


class FrameSource(Protocol):
    """A stream of frames that fills the slots it is given."""

    facts: StreamFacts
    tally: StreamTally
    timed: bool  # whether the time of the frame that was given last is known; once it is not, it stays so

    def frames(self, slot: Slot, start: int) -> Iterator[Taken]:
        """Fill one slot after the other from frame `start` on. A frame that is damaged takes its number, and no slot.

        Of a file and a folder all frames before `start` are passed over, and the damaged among them counted. The time
        counts from frame 0, for a camera from when frames were first asked for.
        """
        ...
