"""Whether the frames go on: found from what was announced and what was answered, never from beats.

A compartment that beats and does nothing would hang a lockstep run for ever. So warden asks who has work and does not
go on with it. Three compartments count the same frames, and any of them may lie:

    capture   announced a frame to a reader; got the reader's answer to it
    reader    judged a frame, and sent what it saw
    verdict   heard of a frame from that reader

Where two of them disagree for too long, the *pair* is at fault, since either may lie. No compartment can bring up a
pair that it is not one of. Only where the source by its own word waits for nobody, and gives nothing, it alone is.

Counts are those of a role: a process that is started anew goes on with them, and with the time that its predecessor had
already taken. Whoever dies in between, a second clock runs until all three have spoken of further frames.
No I/O, and no clock of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from device.channel import damage
from device.warden.table import JUDGE, READERS, SOURCE
from wire.vocabulary import CompartmentName

MAX_PAUSE_SECONDS: Final = 600.0
"""A recording with a gap is replayed with it; capture is believed so far that the next frame is not due yet."""
PASSED_A_SECOND: Final = 5.0
"""Frames that capture passes over (damaged ones that it tells of; after a restart those that were given before) take
time: at least so many a second are decoded on the slowest machine."""
MAX_PASSING_SECONDS: Final = 600.0
"""So long at most, however many they are; on the way to where it fell as long as the run took so far, if longer."""
STALLS: Final = 2
"""Stalls in a row that are mended by a restart; the next ends the run."""

_LAG_FRAMES: Final = 16
"""Beats come a quarter of a second apart, and not together: a count that is so little behind is not behind."""


_ON_THE_WAY: Final = frozenset({SOURCE, JUDGE, *READERS})


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
class _Sum:
    """A count that each process begins at 0, over all processes of a role."""

    pid: int = 0
    before: int = 0
    last: int = 0

    def look(self, pid: int, count: int) -> int:
        if pid != self.pid:
            self.pid, self.before, self.last = pid, self.before + self.last, 0
        self.last = max(self.last, count)
        return self.before + self.last


@dataclass
class _Highest:
    """The highest number of a frame that was named: frames that come again after a restart are no progress."""

    reached: int = 0

    def look(self, number: int) -> int:
        self.reached = max(self.reached, number)
        return self.reached


@dataclass
class _Trail:
    """A count that must follow another: since when it has not, though the other has gone on. Seconds of work."""

    leads: int = 0  # when the follower moved last
    follows: int = -1
    since: float | None = None

    def look(self, leads: int, follows: int, now: float) -> float:
        """Seconds for which the follower owes a step."""
        if follows != self.follows:
            self.leads, self.follows, self.since = leads, follows, None
        elif leads - self.leads >= _LAG_FRAMES and self.since is None:
            self.since = now
        return 0.0 if self.since is None else now - self.since


@dataclass
class _Still:
    """A count that must move while there is work."""

    mark: int = -1
    since: float = 0.0

    def look(self, mark: int, now: float, *, has_work: bool) -> float:
        """Seconds for which it has not moved."""
        if mark != self.mark or not has_work:
            self.mark, self.since = mark, now
        return now - self.since


@dataclass
class _Path:
    """The way of the frames through one reader, as the three count it. `stood_at`: what they said when it last moved
    for all three, and `at` when that was."""

    given: _Highest = field(default_factory=_Highest)
    answered: _Highest = field(default_factory=_Highest)
    judged: _Sum = field(default_factory=_Sum)
    heard: _Sum = field(default_factory=_Sum)
    answers: _Still = field(default_factory=_Still)
    judges: _Trail = field(default_factory=_Trail)
    hears: _Trail = field(default_factory=_Trail)
    counts: tuple[int, int, int] = (0, 0, 0)
    stood_at: tuple[int, int, int] = (0, 0, 0)
    at: float = 0.0
    suspects: dict[CompartmentName, None] = field(default_factory=dict)  # since then, in the order of the events

    def take(self, name: CompartmentName, running: Mapping[CompartmentName, Counts], now: float) -> None:
        """Take in what is said now."""
        if SOURCE in running:
            self.given.look(running[SOURCE].said.get(f"{name}_given", 0))
            self.answered.look(running[SOURCE].said.get(f"{name}_answered", 0))
        if name in running:
            self.judged.look(running[name].pid, running[name].handled)
        if JUDGE in running:
            self.heard.look(running[JUDGE].pid, running[JUDGE].said.get(f"{name}_frames", 0))
        judged, heard = (one.before + one.last for one in (self.judged, self.heard))
        self.counts = self.answered.reached, judged, heard
        if all(count > before for count, before in zip(self.counts, self.stood_at, strict=True)):
            self.begin(now)

    def begin(self, now: float) -> None:
        """From now on it has to move again."""
        self.stood_at, self.at, self.suspects = self.counts, now, {}

    def rest(self, going: float) -> None:
        """Whatever was owed is forgotten."""
        self.answers, self.judges, self.hears = _Still(since=going), _Trail(), _Trail()

    def at_fault(self, name: CompartmentName) -> Stall:
        """Who fell or stalled since it moved last; else the first whose count did not move, with whom it has to do."""
        if self.suspects:
            return tuple(self.suspects)
        answered, judged, _ = (count > before for count, before in zip(self.counts, self.stood_at, strict=True))
        return (name, JUDGE) if answered and judged else (name, SOURCE)


class FrameProgress:
    """Watches one run.

    Args:
        limit: seconds without progress, while there is work, that are too long.
        lockstep: capture waits for the readers.
    """

    def __init__(self, limit: float, *, lockstep: bool) -> None:
        self._limit, self._lockstep = limit, lockstep
        self._paths = {reader: _Path() for reader in READERS}
        self._source = _Still()
        self._began: float | None = None
        self._going, self._looked_at = 0.0, 0.0  # seconds in which none of the four was away
        self._all_were_there = False
        self._damaged, self._damaged_before = _Sum(), 0  # frames told as damaged, and how many before the last given
        self._allowed = limit

    def excuse(self, now: float) -> None:
        """Something outside of the compartments holds the run up: every clock begins anew."""
        self._looked_at = now
        for path in self._paths.values():
            path.begin(now)
        self._rest()

    def fell(self, name: CompartmentName) -> None:
        """A compartment ended, or was ended for its own fault; or it accused another, or was accused.

        What has no part in the way of the frames cannot be why they do not go on.
        """
        if name in _ON_THE_WAY:
            for path in self._paths.values():
                path.suspects[name] = None

    def at_fault(self) -> Stall:
        """Who is at fault where the stream has ended and no end was heard of by verdict.

        Who fell, or where the counts disagree; where they do not, any of those that pass the end on.
        """
        for name, path in self._paths.items():
            if path.suspects:
                return tuple(path.suspects)
            if path.answered.reached < path.given.reached:
                return name, SOURCE
        return SOURCE, *READERS, JUDGE

    def stalled(self, running: Mapping[CompartmentName, Counts], now: float) -> Stall | None:
        """Who has work and has not gone on with it for too long; None: nobody, or one of them is not running.

        Who is named gets the whole time again.
        """
        self._take(running, now)
        if not self._all_were_there:
            return None
        stall = self._stall(running)
        if stall is not None:
            for name in stall:
                self.fell(name)
            self._rest()
        return stall

    def stuck(self, now: float, starting_seconds: float) -> Stall | None:
        """Who is at fault where no frame has gone all the way for so long that restarts do not help.

        Call it after `stalled`, while the source has not come to its end. It does not ask who runs.

        Args:
            starting_seconds: how long compartments that are started again may take, beside.
        """
        longest = (STALLS + 1) * self._allowed + starting_seconds
        late = next((name for name, path in self._paths.items() if now - path.at > longest), None)
        if late is None:
            return None
        return self._paths[late].at_fault(late)

    def _rest(self) -> None:
        self._source = _Still(since=self._going)
        for path in self._paths.values():
            path.rest(self._going)

    def _take(self, running: Mapping[CompartmentName, Counts], now: float) -> None:
        """Take in what is said, and how much time went by."""
        if self._began is None:
            self._began = now
            for path in self._paths.values():
                path.begin(now)
        all_are_there = running.keys() >= _ON_THE_WAY
        if all_are_there and self._all_were_there:
            self._going += now - self._looked_at
        self._all_were_there, self._looked_at = all_are_there, now
        given = self._given()
        for name, path in self._paths.items():
            path.take(name, running, now)
        if SOURCE in running:
            source = running[SOURCE]
            told = sum(source.said.get(damage.fact(name), 0) for name in damage.OF_FRAMES)
            damaged = self._damaged.look(source.pid, told)
            if self._given() > given:
                self._damaged_before = damaged
            passing = self._passing(source.said, damaged - self._damaged_before, now)
            self._allowed = self._limit + self._pause(source.said) + passing

    def _given(self) -> int:
        return sum(path.given.reached for path in self._paths.values())

    def _pause(self, said: Mapping[str, int]) -> float:
        """Seconds. In lockstep no frame is waited for until it is due."""
        return 0.0 if self._lockstep else min(said.get("pause_ms", 0) / 1000.0, MAX_PAUSE_SECONDS)

    def _passing(self, said: Mapping[str, int], damaged: int, now: float) -> float:
        """Seconds that frames may have taken that no reader is shown. That capture says so makes none of them good: of
        damage the user is told, and what was given before is known from before."""
        came = min(max(path.given.reached for path in self._paths.values()), said.get("reached", 0))
        again = min(came / PASSED_A_SECOND, max(MAX_PASSING_SECONDS, now - (self._began or now)))
        told = min(damaged / PASSED_A_SECOND, MAX_PASSING_SECONDS)
        is_on_its_way = max(said.get(f"{name}_given", 0) for name in READERS) < came
        return told + (again if is_on_its_way else 0.0)

    def _stall(self, running: Mapping[CompartmentName, Counts]) -> Stall | None:
        for name, path in self._paths.items():
            if (stall := self._on_path(name, path, running)) is not None:
                return stall
        source = running[SOURCE]
        waits = self._lockstep and any(_owes(source, name) for name in READERS)
        has_work = not source.is_done and not waits
        if self._source.look(self._given(), self._going, has_work=has_work) > self._allowed:
            return (SOURCE,)
        return None

    def _on_path(self, name: CompartmentName, path: _Path, running: Mapping[CompartmentName, Counts]) -> Stall | None:
        answered, judged, heard = path.counts
        blocked = running[name].said.get("blocked", 0) > 0  # by its own word: what it saw is not taken from it
        if path.answers.look(answered, self._going, has_work=_owes(running[SOURCE], name)) > self._limit:
            return (name, JUDGE) if blocked else (name, SOURCE)
        if path.judges.look(answered, judged, self._going) > self._limit:
            return (name, SOURCE)
        if path.hears.look(judged, heard, self._going) > self._limit:
            return (name, JUDGE)
        return None


def _owes(source: Counts, reader: CompartmentName) -> bool:
    """Whether a reader has a frame that it has not answered, by capture's word."""
    return source.said.get(f"{reader}_given", 0) > source.said.get(f"{reader}_answered", 0)
