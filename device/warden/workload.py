"""How many of the stream's frames each reader judged, what became of the others, and when that is too few.

What a reader says of itself is held against what verdict heard of it, and all counts against the frames of the stream.
These are findings for telemetry, the screen and the exit status: no compartment is restarted or stopped for them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from device.channel import damage
from device.channel.damage import DamageName
from device.channel.messages import Beat
from device.warden.table import JUDGE, READERS, SOURCE
from wire.vocabulary import CompartmentName

Word = Literal["few_judged", "lightened"]
"""What an overload event says: too few frames are judged; or a reader does less for each frame."""

WINDOW_SECONDS: Final = 10.0
MIN_SECONDS: Final = 3.0
"""A share over less says nothing: a reader that is restarted is away for a second or two."""
REPEAT_SECONDS: Final = 60.0
"""An event of one kind, of one reader, comes at most so often: a reader that lies could fill the spool with them."""

_IN_FLIGHT: Final = 4
"""Frames in the ring when a run is cut off or a reader restarted: given, and perhaps judged by nobody."""
_BETWEEN_BEATS: Final = 32
"""Frames in lockstep: as many as a compartment that is killed may have counted since its last beat."""


class Counted(Protocol):
    """The supervisor, as far as counts go."""

    def generations(self, name: CompartmentName) -> list[Any]: ...
    def total(self, name: CompartmentName, key: str) -> int: ...
    def fact(self, name: CompartmentName, key: str) -> int: ...
    def told_in_all(self, name: CompartmentName, key: str) -> int: ...
    def of_the_input(self, key: str) -> int: ...
    def damage(self) -> dict[DamageName, int]: ...


def beats(device: Counted, name: CompartmentName) -> list[Beat]:
    """The last beat of each start of a compartment."""
    return [child.beat for child in device.generations(name) if child.beat is not None]


def frames(device: Counted) -> int:
    """Frames of the stream so far."""
    return max((beat.handled for beat in beats(device, SOURCE)), default=0)


def fit(device: Counted) -> int:
    """Frames that a reader could judge: those of the stream without the damaged, which capture shows to nobody.

    Only damage that is told excuses a frame: it makes a run's status 1, so that capture cannot pass over frames unseen.
    Both come from the same count.
    """
    came, found = frames(device), device.damage()
    told = sum(found.get(name, 0) for name in damage.OF_FRAMES)
    return came - min(came, device.of_the_input("passed_over"), told)


def judged(device: Counted, reader: CompartmentName) -> int:
    """Frames whose results a reader has sent and verdict has got, at most those of the stream."""
    return min(frames(device), _said(device, reader), _heard(device, reader))


def late(device: Counted) -> int:
    """Frames of which readers spoke when verdict had been told that the stream is at its end: no evidence."""
    return max(device.told_in_all(JUDGE, f"{reader}_late") for reader in READERS)


def _said(device: Counted, reader: CompartmentName) -> int:
    """Frames that a reader says it has judged."""
    return sum(beat.handled for beat in beats(device, reader))


def _heard(device: Counted, reader: CompartmentName) -> int:
    """Frames of a reader that verdict has judged by, each once: what is given again after a restart is none more."""
    return device.total(JUDGE, f"{reader}_judged")


def dropped(device: Counted, name: CompartmentName, *, lockstep: bool) -> dict[str, int]:
    """What a compartment did not handle, by cause. Of a reader no more than the frames of the stream.

    A frame of which the reader says nothing has the cause `away`: in realtime the reader was being restarted then. In
    lockstep every frame is waited for, so that such a frame is one that no reader was shown or none told of. A restart
    excuses the frames in flight; and a count of who was killed is not known since its last beat, so that then the
    other's count alone is exact: that of verdict where a reader was restarted.
    """
    causes: Counter[str] = Counter()
    for beat in beats(device, name):
        causes.update(beat.dropped)
    if name not in READERS:
        return {cause: count for cause, count in causes.items() if count}
    came = fit(device)
    possible = came if lockstep else max(0, came - judged(device, name))
    told: dict[str, int] = {}
    for cause, count in causes.items():
        told[cause] = min(count, possible)
        possible -= told[cause]
    left = came - judged(device, name) - sum(told.values())
    told["away"] = max(0, left) if not lockstep or _is_missed(device, name, came - sum(told.values())) else 0
    return {cause: count for cause, count in told.items() if count}


def _is_missed(device: Counted, reader: CompartmentName, due: int) -> bool:
    """Whether of `due` frames more were not judged than restarts explain, by the reader's word or by verdict's."""
    of_reader, of_judge = (max(0, len(device.generations(name)) - 1) for name in (reader, JUDGE))
    in_flight = _IN_FLIGHT * (1 + of_reader)
    return (
        due - _heard(device, reader) > in_flight + _BETWEEN_BEATS * of_judge
        or due - _said(device, reader) > in_flight + _BETWEEN_BEATS * of_reader
    )


def judged_share(device: Counted, reader: CompartmentName, *, lockstep: bool) -> float:
    """The share of the frames to be judged that a reader judged; 1 where there was none."""
    came = fit(device)
    return 1.0 - sum(dropped(device, reader, lockstep=lockstep).values()) / came if came else 1.0


@dataclass
class _Glance:
    """The counts at a moment."""

    at: float
    frames: int
    judged: dict[CompartmentName, int]


@dataclass
class Workload:
    """Watches the shares while the device runs.

    Args:
        least: the share below which a reader judges too little.
    """

    least: float
    _glances: deque[_Glance] = field(default_factory=deque)
    _told: dict[tuple[CompartmentName, Word], float] = field(default_factory=dict)
    _light: dict[CompartmentName, bool] = field(default_factory=dict)

    def look(self, device: Counted, now: float) -> list[tuple[CompartmentName, Word]]:
        """What is to be told now: (reader, word). `now`: monotonic seconds."""
        self._glances.append(_Glance(now, fit(device), {reader: judged(device, reader) for reader in READERS}))
        while now - self._glances[1 if len(self._glances) > 1 else 0].at > WINDOW_SECONDS:
            self._glances.popleft()
        found: list[tuple[CompartmentName, Word]] = []
        for reader in READERS:
            light = bool(device.fact(reader, "light"))
            if light and not self._light.get(reader):
                found.append((reader, "lightened"))
            self._light[reader] = light
        found += [(reader, "few_judged") for reader, share in self.shares().items() if share < self.least]
        return [event for event in found if self._is_due(event, now)]

    def shares(self) -> Mapping[CompartmentName, float]:
        """The share of the last frames that each reader judged; empty while too few came to say."""
        first, last = self._glances[0], self._glances[-1]
        came = last.frames - first.frames
        if last.at - first.at < MIN_SECONDS or came <= 0:
            return {}
        return {reader: min(1.0, max(0, last.judged[reader] - first.judged[reader]) / came) for reader in READERS}

    def _is_due(self, event: tuple[CompartmentName, Word], now: float) -> bool:
        if now - self._told.get(event, float("-inf")) < REPEAT_SECONDS:
            return False
        self._told[event] = now
        return True
