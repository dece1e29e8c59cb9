"""Whether position gives the fixes that it promised: its own word when it was ready, held against what verdict took.

The promise is made before the first frame, and the stream's clock rests on it. A position that ends early, or says no
more, leaves every code without a place, which looks like a track that does not cover the video. Verdict counts each fix
once, and says whether it would take more: what it has no room for yet is not owed. Either of the two may lie, so that
the pair is at fault (docs/decisions/0029).
"""

from __future__ import annotations

from typing import Final

from device.warden.roster import Roster
from device.warden.table import JUDGE, TRACK

SETTLE_SECONDS: Final = 5.0
"""After a position that says it is done: what is on its way to verdict arrives within this."""


def missing(roster: Roster) -> int:
    """How many fixes are owed now. The first start's promise counts: what is taken over later is held to it."""
    starts = reversed(roster.generations(TRACK))
    promised = next((start.facts.get("fixes", 0) for start in starts if start.facts is not None), 0)
    owed = promised - roster.told(JUDGE, "fixes_told")
    return max(0, owed) if roster.fact(JUDGE, "fixes_due") else 0


class FixesOwed:
    """Watches one run.

    Args:
        limit: seconds without a further fix that are too long for a position that says it has more.

    Attributes:
        worst: the most fixes that were owed when the two were found at fault.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._mark: tuple[int, int, int] | None = None
        self._since = 0.0
        self.worst = 0

    def at_fault(self, roster: Roster, now: float) -> bool:
        """Whether fixes are owed for too long while both run. Who is restarted gets the whole time again."""
        track, judge = roster.running.get(TRACK), roster.running.get(JUDGE)
        owed = missing(roster)
        if not owed or track is None or judge is None or not (track.told and judge.told):
            self._mark = None
            return False
        mark = track.pid, judge.pid, roster.told(JUDGE, "fixes_told")
        if mark != self._mark:
            self._mark, self._since = mark, now
        if roster.fact(JUDGE, "finished") or now - self._since <= (SETTLE_SECONDS if track.is_done else self._limit):
            return False
        self._since, self.worst = now, max(self.worst, owed)
        return True

    def at_the_end(self, roster: Roster) -> int:
        """All is judged: the most that was owed at any time."""
        self.worst = max(self.worst, missing(roster))
        return self.worst
