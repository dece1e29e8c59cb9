"""Which compartments run, and what every start of each has said: counts that outlive a process, in bounded room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from device.channel import damage
from device.channel.damage import DamageName
from device.channel.messages import MAX_COUNT, Beat
from device.launcher.child import MOST_KEYS, Child
from device.warden.latencies import Latencies
from device.warden.table import SOURCE
from wire.vocabulary import CompartmentName

MOST_STARTS: Final = 32
"""Ended starts of one compartment that are kept apart; older ones become one, with their counts added up."""
_MAX_SUM: Final = 2**53


class Start(Protocol):
    """One start of a compartment, running or ended, as far as it is counted."""

    @property
    def name(self) -> CompartmentName: ...
    @property
    def beat(self) -> Beat | None: ...
    @property
    def facts(self) -> dict[str, int] | None: ...
    @property
    def done(self) -> dict[str, int] | None: ...
    @property
    def highest(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Ended:
    """What an ended start has said: its last beat without samples, facts of Ready and of Done, each at its highest."""

    name: CompartmentName
    beat: Beat | None
    facts: dict[str, int] | None
    done: dict[str, int] | None
    highest: Mapping[str, int]


class Roster:
    """The running compartments by name, and the ended ones in the order of their ends.

    Args:
        live: the source is a camera, of which each start sees other frames. Of a file each start counts from the begin.
    """

    def __init__(self, *, live: bool = False) -> None:
        self._live = live
        self.running: dict[CompartmentName, Child] = {}
        self.latencies = Latencies()
        self._ended: dict[CompartmentName, list[Ended]] = {}  # the newest last

    def end(self, name: CompartmentName) -> Child:
        """The compartment does not run any more; what it said is kept. Returns it."""
        child = self.running.pop(name)
        beat = child.beat
        kept = None if beat is None else Beat(beat.handled, dict(beat.dropped), dict(beat.invalid), {}, _told(child))
        past = self._ended.setdefault(name, [])
        past.append(Ended(name, kept, child.facts, child.done, dict(child.highest)))
        if len(past) > MOST_STARTS:
            past[:2] = [_merged(past[0], past[1], sums=self._live or name != SOURCE)]
        return child

    def generations(self, name: CompartmentName) -> list[Start]:
        """Every start of this compartment, the newest first."""
        current: list[Start] = [self.running[name]] if name in self.running else []
        return [*current, *reversed(self._ended.get(name, []))]

    def fact(self, name: CompartmentName, key: str) -> int:
        """The newest value of a compartment's fact, over its restarts; 0 where it gave none."""
        for start in self.generations(name):
            if start.beat is not None and key in start.beat.facts:
                return start.beat.facts[key]
        return 0

    def ready(self, name: CompartmentName) -> Mapping[str, int]:
        """What a compartment said when it was ready, the newest start that has been; empty before."""
        return next((start.facts for start in self.generations(name) if start.facts), {})

    def total(self, name: CompartmentName, key: str) -> int:
        """The sum of a counting fact over a compartment's restarts."""
        return sum(start.beat.facts.get(key, 0) for start in self.generations(name) if start.beat is not None)

    def told(self, name: CompartmentName, key: str) -> int:
        """The highest that any start of a compartment ever said of a fact."""
        return max((start.highest.get(key, 0) for start in self.generations(name)), default=0)

    def told_in_all(self, name: CompartmentName, key: str) -> int:
        """The sum of the highest that each start of a compartment said of a fact."""
        return sum(start.highest.get(key, 0) for start in self.generations(name))

    def of_the_input(self, key: str) -> int:
        """What the source counted of its input, over its restarts: the highest, of a camera the sum."""
        return self.told_in_all(SOURCE, key) if self._live else self.told(SOURCE, key)

    def damage(self) -> dict[DamageName, int]:
        """What capture found wrong with its input, over its restarts. It may be hostile: a count is all it chooses.

        What it has said once it cannot take back: frames that damage excuses are damage that the user is told of.
        """
        return damage.counts({key: self.of_the_input(key) for key in map(damage.fact, damage.DAMAGES)})

    def promised(self) -> int:
        """How many frames have to come, as the first source said before it gave any; 0: it does not tell."""
        first = next((start.facts for start in reversed(self.generations(SOURCE)) if start.facts is not None), {})
        return first.get("promised", 0)

    def source_is_done(self) -> bool:
        """Whether the newest source has come to the end of its input: one that was started again has to come there."""
        newest = next(iter(self.generations(SOURCE)), None)
        return newest is not None and newest.done is not None


def _told(start: Start) -> dict[str, int]:
    """A compartment's newest facts: those of its last beat, and what it said when it was done."""
    return {**(start.beat.facts if start.beat is not None else {}), **(start.done or {})}


def _merged(older: Ended, newer: Ended, *, sums: bool) -> Ended:
    """Two starts as one, whose counts are the sums. A source counts its frames from the stream's begin: the highest.

    `sums`: so are the facts at their highest; else each is the highest of both.
    """
    beats = [start.beat for start in (older, newer) if start.beat is not None]
    handled = [beat.handled for beat in beats]
    dropped: Counter[str] = Counter()
    facts: dict[str, int] = {}
    for beat in beats:
        dropped.update(beat.dropped)
        facts = _added(facts, beat.facts)
    causes = {cause: min(MAX_COUNT, count) for cause, count in dropped.items()}
    done: dict[str, int] | None = (
        {} if older.done is not None or newer.done is not None else None
    )  # what it said is among the facts
    count = max(handled, default=0) if older.name == SOURCE else min(MAX_COUNT, sum(handled))
    first = older.facts if older.facts is not None else newer.facts
    beat = Beat(count, causes, {}, {}, facts)  # type: ignore[arg-type]
    return Ended(older.name, beat, first, done, _added(older.highest, newer.highest, sums=sums))


def _added(older: Mapping[str, int], newer: Mapping[str, int], *, sums: bool = True) -> dict[str, int]:
    """The sums of two starts' facts, or the highest of each, in bounded room."""
    facts = dict(older)
    for key, value in newer.items():
        if key in facts or len(facts) < MOST_KEYS:
            before = facts.get(key, 0)
            facts[key] = min(_MAX_SUM, before + value if sums else max(before, value))
    return facts
