"""Who is restarted on whose word, and what it costs whom: no compartment can spend another's budget.

What warden itself sees of a compartment (it ended, it is silent, what it sent to warden is no message) is paid from
that compartment's own budget. What one compartment says of another is evidence against the *pair*: the accused may have
sent garbage, or the accuser may lie. It is paid from the budget of that pair, which no third is part of.

    who is in the pair          who is restarted                          when the pair's budget is spent
    one that can be missed      that one alone, whoever accuses whom      it stays away for a window
    two that are needed         the accused, from the second time both    the run ends, and names both
    a dispute about frames      the readers, then all four                the run ends, and names all

Verdict cannot know who lies where the readers contradict each other about the time of a frame: one of them, or capture,
which told each of them that time. So all three are accused, and with verdict, whose word it is, they are the group that
pays. Who accuses a compartment that it shares no link with, or says that it was flooded on a link that has no rate, has
contradicted the wiring, and pays alone. Any other flood is dropped where it arrives, and told as its receiver's word:
nobody is restarted for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device.launcher.child import RestartBudget
from device.warden.table import JUDGE, PEERS, RATED, READERS, ROWS, SOURCE
from wire.vocabulary import CompartmentName

FLOOD_EVERY_SECONDS: Final = 60.0
"""A flood on one link is an event at most so often, however long it goes on."""
DISPUTES: Final = "disputes"
"""The fact in which verdict counts what cannot all be true of what was said of frames."""
_DISPUTING: Final = (SOURCE, *READERS)


@dataclass(frozen=True)
class Sentence:
    """What follows: who is restarted, after how many seconds (None: the budget is spent), and who has to pay.

    `alone`: there is no pair, the compartment pays from its own budget. `what`: the word of what is said of them.
    """

    restarts: tuple[CompartmentName, ...]
    wait: float | None = 0.0
    pair: tuple[CompartmentName, ...] | None = None
    what: str = "said"

    @property
    def accused(self) -> tuple[CompartmentName, ...]:
        """Who is named by whoever says it."""
        if self.what == "times_said":
            return _DISPUTING
        return (self.pair or self.restarts)[:1]

    @property
    def reproach(self) -> str:
        """What they did, in our own words."""
        first, second, *others = self.pair or self.restarts
        if self.what != "times_said":
            return f"{first} and {second} failed each other"
        return (
            f"by {others[-1]}'s word, {first}, {second} and {others[0]} contradict each other about the times of frames"
        )

    @property
    def alone(self) -> bool:
        return self.pair is None


class Blame:
    """Accusations, and stalls between two, over all restarts.

    Args:
        allowed, window: restarts of one pair within so many seconds.
    """

    def __init__(self, allowed: int, window: float) -> None:
        self._allowed, self._window = allowed, window
        self._budgets: dict[frozenset[str], RestartBudget] = {}
        self._seen: dict[tuple[str, str, str], tuple[int, int]] = {}  # accuser, peer, what: process id, count
        self._floods_told: dict[tuple[str, str], float] = {}
        self.invalid: Counter[CompartmentName] = Counter()
        self.flooded: Counter[CompartmentName] = Counter()

    def hear(
        self, accuser: CompartmentName, pid: int, counts: Mapping[CompartmentName, int], now: float
    ) -> list[Sentence]:
        """What invalid messages come to. `counts`: by peer since the accuser (process `pid`) started."""
        found: list[Sentence] = []
        for peer, more in self._news("invalid", accuser, pid, counts):
            if peer not in PEERS[accuser]:
                self.invalid[accuser] += 1
                return [Sentence((accuser,))]
            self.invalid[peer] += more
            if peer in ROWS:  # dialer is the command's to restart
                found.append(self.between(peer, accuser, now))
        return found

    def floods(
        self, receiver: CompartmentName, pid: int, counts: Mapping[CompartmentName, int], now: float
    ) -> list[Sentence]:
        """Whose flood is to be told now. `counts`: messages beyond a link's rate, which the receiver has dropped."""
        due: list[Sentence] = []
        for peer, more in self._news("flooded", receiver, pid, counts):
            if peer not in RATED[receiver]:
                self.invalid[receiver] += 1
                return [Sentence((receiver,))]
            self.flooded[peer] += more
            if now - self._floods_told.get((receiver, peer), float("-inf")) >= FLOOD_EVERY_SECONDS:
                self._floods_told[receiver, peer] = now
                due.append(Sentence((), pair=(peer, receiver)))
        return due

    def disputes(self, pid: int, count: int, now: float) -> list[Sentence]:
        """What it comes to that the readers contradict each other. `count`: since verdict (process `pid`) started."""
        if not self._news(DISPUTES, JUDGE, pid, {JUDGE: count}):
            return []
        group = *_DISPUTING, JUDGE
        wait, again = self._spend(group, now)
        return [Sentence(group if again else READERS, wait, group, "times_said")]

    def between(self, first: CompartmentName, second: CompartmentName, now: float) -> Sentence:
        """One of the two is at fault, and both may lie. `first`: the accused, or the cheaper to restart."""
        pair = first, second
        wait, again = self._spend(pair, now)
        spared = [name for name in pair if not ROWS[name].needed]
        if spared:
            return Sentence((spared[0],), wait, pair)
        return Sentence(pair if again else (first,), wait, pair)

    def _spend(self, group: tuple[CompartmentName, ...], now: float) -> tuple[float | None, bool]:
        """Seconds to wait, None when the group's budget is spent; and whether it is not the first time."""
        budget = self._budgets.setdefault(frozenset(group), RestartBudget(self._allowed, self._window))
        wait = budget.spend(now)
        return wait, budget.spent > 1

    def _news(
        self, what: str, accuser: CompartmentName, pid: int, counts: Mapping[CompartmentName, int]
    ) -> list[tuple[CompartmentName, int]]:
        """Peer and how many more, for each count that has grown. A new process counts from 0."""
        found: list[tuple[CompartmentName, int]] = []
        for peer, count in counts.items():
            before, known = self._seen.get((accuser, peer, what), (pid, 0))
            more = count - (known if before == pid else 0)
            self._seen[accuser, peer, what] = pid, count
            if more > 0:
                found.append((peer, more))
        return found
