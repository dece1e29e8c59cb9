"""How often each reader has spoken of a frame: by what warden sees whether the frames go on, and what came too late."""

from __future__ import annotations

from dataclasses import dataclass, field

from device.verdict.intake.cross_check import Side


def _nothing() -> dict[Side, int]:
    return {"perception": 0, "codes": 0}


@dataclass
class Heard:
    """Counts of one start of verdict.

    Attributes:
        frames: frames that each reader has spoken of, the last again by one that was restarted not counted. Frames that
            capture gives again count anew: how many are judged the judge tells (`Judge.judged`).
        late: of those, frames that came after the end of the stream, and are no evidence.
    """

    frames: dict[Side, int] = field(default_factory=_nothing)
    late: dict[Side, int] = field(default_factory=_nothing)
    _last: dict[Side, int] = field(default_factory=dict)

    def take(self, side: Side, frame: int, *, late: bool) -> None:
        """A reader has spoken of a frame."""
        if self._last.get(side) != frame:
            self._last[side] = frame
            self.frames[side] += 1
            self.late[side] += late

    def facts(self) -> dict[str, int]:
        """For warden: `SIDE_frames` of both, and `SIDE_late` where there are any."""
        late = {f"{side}_late": count for side, count in self.late.items() if count}
        return {f"{side}_frames": count for side, count in self.frames.items()} | late
