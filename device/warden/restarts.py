"""What becomes of a compartment that falls or is at fault: ended, paid for, and started again, or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from device.config import WardenConfig
from device.launcher.child import RestartBudget
from device.launcher.errors import GivenUpError
from device.warden.blame import Sentence
from device.warden.roster import Roster
from device.warden.table import COMPARTMENTS, JUDGE, READERS, ROWS, SOURCE
from device.warden.telling import Teller
from device.warden.wiring import Wiring
from wire.vocabulary import CompartmentName

_YOUNG_SECONDS: Final = 5.0
_FALLS_UNTIL_FORGOTTEN: Final = 3
_SEE: Final = "run: sealcam doctor, and report it with the incidents above"


class Restarts:
    """Who is to be started again, and when; who pays for it.

    Args:
        named: what this run calls its inputs.

    Attributes:
        counts: restarts of each compartment, whoever paid.
    """

    def __init__(
        self, limits: WardenConfig, roster: Roster, wiring: Wiring, teller: Teller, named: Mapping[str, str]
    ) -> None:
        self._limits, self._roster, self._wiring, self._teller, self._named = limits, roster, wiring, teller, named
        self._budgets = {
            row.name: RestartBudget(limits.restarts, limits.restart_window_seconds) for row in COMPARTMENTS
        }
        self._falls: Counter[CompartmentName] = Counter()  # in a row, soon after the start
        self._due: dict[CompartmentName, float] = {}
        self.counts: Counter[CompartmentName] = Counter()

    def due(self, now: float) -> list[CompartmentName]:
        """Those that are to be started now, in the order of the flow; they are due no more."""
        found = [row.name for row in COMPARTMENTS if self._due.get(row.name, now + 1) <= now]
        for name in found:
            del self._due[name]
        return found

    def fell(self, name: CompartmentName, how: str, now: float) -> None:
        """A compartment has ended, or was killed for what it did itself: it pays.

        Raises GivenUpError when it is needed and its budget is spent, or the input failed.
        """
        child = self._roster.end(name)
        reason = child.reason(self._named)
        if name == SOURCE and reason is not None:
            sentence, remedy = reason
            raise GivenUpError(sentence, remedy)
        if name == SOURCE and child.done is not None and self._roster.fact(JUDGE, "finished"):
            return  # its work was done already, and not by its own word alone
        wait = self._budgets[name].spend(now)
        self._teller.incident("restarted", name, how)
        if wait is None:
            self._teller.incident("budget_spent", name, how)
            if ROWS[name].needed:
                why, remedy = reason or (how, _SEE)
                raise GivenUpError(f"{name} failed more than {self._often} ({why})", remedy)
            wait = self._stay_away(name)
        else:
            self.counts[name] += 1
        self._falls[name] = self._falls[name] + 1 if child.facts is None or child.age() < _YOUNG_SECONDS else 0
        if self._falls[name] >= _FALLS_UNTIL_FORGOTTEN:
            self._forget(name, now)
        self._again(name, now + wait)

    def pair(self, sentence: Sentence, how: str, now: float) -> None:
        """What follows where one of two, or of a group, is at fault: the group pays, none of them.

        Raises GivenUpError when all are needed and the group's budget is spent.
        """
        names = [name for name in sentence.restarts if name in self._roster.running]
        wait = sentence.wait
        for name in names:
            self._teller.incident("restarted", name, how)
            self.retire(name)
            self.counts[name] += 1
        if wait is None:
            for name in sentence.restarts:
                self._teller.incident("budget_spent", name, how)
            if all(ROWS[name].needed for name in sentence.restarts):
                raise GivenUpError(f"{sentence.reproach} more than {self._often} ({how})", _SEE)
            wait = max(self._stay_away(name) for name in sentence.restarts)
        for name in names:
            if not ROWS[name].needed:
                self._wiring.discard_from(name)  # else what it has left with its peers is blamed again
            self._again(name, now + wait)

    def retire(self, name: CompartmentName) -> None:
        """End a compartment for no fault of its own."""
        child = self._roster.running[name]
        child.kill()
        child.process.wait()
        child.release()
        self._roster.end(name)

    def _stay_away(self, name: CompartmentName) -> float:
        """Seconds for which a compartment that can be missed is away."""
        self._teller.incident("degraded", name, "down")
        return self._limits.restart_window_seconds

    def _again(self, name: CompartmentName, at: float) -> None:
        self._due[name] = max(at, self._due.get(name, at))
        if name == SOURCE:
            self._together(READERS, self._due[name])

    def _together(self, names: Iterable[CompartmentName], at: float) -> None:
        """Restart others with one that fell: its readers have an old ring, or it has lost what they told it."""
        for name in names:
            if name in self._roster.running:
                self.retire(name)
            self._due[name] = at

    def _forget(self, name: CompartmentName, now: float) -> None:
        """Empty the memory of a compartment that falls soon after each start; what filled it has to send it again."""
        self._falls[name] = 0
        self._wiring.forget(name)
        self._together((other for other in ROWS[name].tells_again if other in self._roster.running), now)

    @property
    def _often(self) -> str:
        return f"{self._limits.restarts} times within {self._limits.restart_window_seconds:.0f} s"
