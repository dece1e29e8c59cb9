"""Whether the frames go on: found from what was announced and what was answered, never from beats.

A compartment that beats and does nothing would hang a lockstep run for ever. So warden asks who has work and does not
go on with it. Three compartments count the same frames, and any of them may lie:

    capture   announced a frame to a reader; got the reader's answer to it
    reader    judged a frame, and sent what it saw
    verdict   heard of a frame from that reader

Where two of them disagree for too long, the *pair* is at fault, since either may lie. No compartment can bring up a
pair that it is not one of. Only where the source by its own word waits for nobody, and gives nothing, it alone is.
No I/O, and no clock of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from device.warden.table import JUDGE, READERS, SOURCE
from wire.vocabulary import CompartmentName

MAX_PAUSE_SECONDS: Final = 600.0
"""A recording with a gap is replayed with it; capture is believed so far that the next frame is not due yet."""

_LAG_FRAMES: Final = 16
"""Beats come a quarter of a second apart, and not together: a count that is so little behind is not behind."""


class Counts(Protocol):
    """One running compartment, as far as progress goes."""

    @property
    def pid(self) -> int: ...
    @property
    def handled(self) -> int: ...
    @property
    def said(self) -> Mapping[str, int]: ...
    @property
    def is_done(self) -> bool: ...


Stall = tuple[CompartmentName, ...]
"""Who is at fault: one compartment, or two, the cheaper to restart first."""


@dataclass
class _Trail:
    """A count that must follow another: since when it has not, though the other has gone on. Monotonic seconds."""

    who: object = None
    leads: int = 0  # when the follower moved last
    follows: int = 0
    since: float | None = None

    def look(self, who: object, leads: int, follows: int, now: float) -> float:
        """Seconds for which the follower owes a step. `who`: the processes; new ones count from nothing."""
        if who != self.who or follows != self.follows or leads < self.leads:
            self.who, self.leads, self.follows, self.since = who, leads, follows, None
        elif leads - self.leads >= _LAG_FRAMES and self.since is None:
            self.since = now
        return 0.0 if self.since is None else now - self.since


@dataclass
class _Still:
    """A count that must move while there is work."""

    mark: object = None
    since: float = 0.0

    def look(self, mark: object, now: float, *, has_work: bool) -> float:
        """Seconds for which it has not moved."""
        if mark != self.mark or not has_work:
            self.mark, self.since = mark, now
        return now - self.since


class FrameProgress:
    """Watches one run.

    Args:
        limit: seconds without progress, while there is work, that are too long.
        lockstep: capture waits for the readers.
    """

    def __init__(self, limit: float, *, lockstep: bool) -> None:
        self._limit, self._lockstep = limit, lockstep
        self._excused_until = float("-inf")
        self.excuse(0.0)

    def excuse(self, now: float) -> None:
        """Something outside of the compartments holds the run up, or one of them was restarted: begin anew."""
        self._source = _Still(since=now)
        self._answers = {reader: _Still(since=now) for reader in READERS}
        self._judged = {reader: _Trail() for reader in READERS}
        self._heard = {reader: _Trail() for reader in READERS}

    def stalled(self, running: Mapping[CompartmentName, Counts], now: float) -> Stall | None:
        """Who has work and has not gone on with it for too long; None: nobody, or one of them is not running."""
        source, judge = running.get(SOURCE), running.get(JUDGE)
        readers = {name: running[name] for name in READERS if name in running}
        if source is None or judge is None or len(readers) < len(READERS):
            return None
        for name, reader in readers.items():
            if (stall := self._reader(name, reader, source, judge, now)) is not None:
                return stall
        waits = self._lockstep and any(_owes(source, name) for name in READERS)
        has_work = not source.is_done and not waits
        pause = min(source.said.get("pause_ms", 0) / 1000.0, MAX_PAUSE_SECONDS)
        mark = (source.pid, source.handled, source.said.get("reached", 0))
        if self._source.look(mark, now, has_work=has_work) > self._limit + pause:
            return (SOURCE,)
        return None

    def _reader(self, name: CompartmentName, reader: Counts, source: Counts, judge: Counts, now: float) -> Stall | None:
        answered = source.said.get(f"{name}_answered", 0)
        pids = (source.pid, reader.pid)
        blocked = reader.said.get("blocked", 0) > 0  # by its own word: what it saw is not taken from it
        if self._answers[name].look((*pids, answered), now, has_work=_owes(source, name)) > self._limit:
            return (name, JUDGE) if blocked else (name, SOURCE)
        if self._judged[name].look(pids, answered, reader.handled, now) > self._limit:
            return (name, SOURCE)
        heard = judge.said.get(f"{name}_frames", 0)
        if self._heard[name].look((reader.pid, judge.pid), reader.handled, heard, now) > self._limit:
            return (name, JUDGE)
        return None


def _owes(source: Counts, reader: CompartmentName) -> bool:
    """Whether a reader has a frame that it has not answered, by capture's word."""
    return source.said.get(f"{reader}_given", 0) > source.said.get(f"{reader}_answered", 0)
