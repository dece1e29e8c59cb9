"""From a message to an envelope in the spool; and what becomes of it while the spool takes none.

Nothing is thrown away before it must be: `verdict` keeps a verdict that is refused and sends it again, and a report
waits in here. What does not come to be stored after all is counted, and told with a gap as soon as there is room.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from device.channel.failures import REFUSALS, FailureName
from device.channel.messages import Health, Verdict
from device.sealer.core import Identity, SealedEvent, seal
from device.sealer.errors import SpoolRefusedError
from device.sealer.gap import NO_GAP, Gap
from device.sealer.spool import Spool
from wire.errors import IssueError

MOST_REPORTS: Final = 64
"""Reports that wait for room; one more is lost, and counted."""
MOST_VERDICTS: Final = 1024
"""Refused verdicts that are remembered by their ids. `verdict` keeps half as many, and counts what it drops itself."""
RETRY_SECONDS: Final = 0.5
"""After a refusal the spool is left alone so long: else each verdict that is sent again would be sealed for nothing."""
GAP_SECONDS: Final = 60.0
"""Between two gaps, and between two `spool_full`: a disk which is now full and now not is told in few words."""
_NOTE_SECONDS: Final = 1.0
_DETAILS: Final[dict[FailureName, str]] = {"spool_full": "no_room"}


class Sender(Protocol):
    """Whom a message that cannot be sealed is held against."""

    invalid: int


class Storing:
    """Seals and stores, and counts what cannot be.

    Args:
        clock: seconds, monotonic; unix_ms: unix milliseconds.

    Attributes:
        trouble: why the spool takes nothing at the moment, None while it does.
    """

    def __init__(
        self,
        spool: Spool,
        identity: Identity,
        boot_id: bytes,
        *,
        clock: Callable[[], float],
        unix_ms: Callable[[], int],
    ) -> None:
        self._spool, self._identity, self._boot_id = spool, identity, boot_id
        self._clock, self._unix_ms = clock, unix_ms
        self._reports: deque[tuple[Health, Sender, int]] = deque()  # they wait for room, since then
        self._refused: dict[str, int] = {}  # verdict id -> since when it waits
        self._lost, self._lost_here = spool.lost, spool.lost_in_this_run
        self._noted = (spool.lost, NO_GAP)
        self._not_before = {"verdict": 0.0, "health": 0.0}
        self._full_not_before = self._gap_not_before = self._note_not_before = 0.0
        self._finished = self._trouble_with_health = False
        self._refused_last = 0  # verdicts that waited when the run ended, and are counted as lost
        self.trouble: SpoolRefusedError | None = None

    # --- what comes in ----------------------------------------------------------------------------------------------

    def verdict(self, verdict: Verdict) -> bool:
        """Store a verdict once; whether it is stored now. Raises IssueError when the wire refuses it."""
        try:
            stored = self.store(verdict, verdict.verdict_id)
        except IssueError:
            self._refused.pop(verdict.verdict_id, None)
            raise
        if stored:
            self._refused.pop(verdict.verdict_id, None)
        elif len(self._refused) < MOST_VERDICTS:
            self._refused.setdefault(verdict.verdict_id, self._unix_ms())
        return stored

    def health(self, report: Health, sender: Sender) -> None:
        """Store a report about the device, at once or later. What the wire refuses is held against its sender.

        `unsealed` is no report: `verdict` says with it how many verdicts it had no memory left for.
        """
        now = self._unix_ms()
        if report.kind == "unsealed":
            self._lose(NO_GAP.with_verdicts(report.count, now))
        elif len(self._reports) >= MOST_REPORTS:
            self._lose(NO_GAP.with_health(1, now))
        else:
            self._reports.append((report, sender, now))
            self._store_reports()

    def store(self, message: Verdict | Health, once: str | None) -> bool:
        """Store a message, once where it has a mark; whether it is stored. Raises IssueError."""
        kind = "health" if once is None else "verdict"
        try:
            if once is not None and self._spool.has(once):
                return True
            if self._clock() < self._not_before[kind]:
                return False
            self._spool.refresh()
            self._spool.add(self._sealed(message), once)
        except SpoolRefusedError as refusal:
            self.refuse(refusal, health=once is None)
            return False
        if once is not None or self._trouble_with_health or not self._refused:
            self.trouble = None  # a report needs less room: it proves nothing where a verdict waits
        return True

    def report(self, message: Health | Gap, *, told: bool = False, leave: int = 0) -> bool:
        """Store what sealer itself has to say, in the room that is kept where there is no other."""
        try:
            self._spool.refresh()
            self._spool.add_report(self._sealed(message), told=told, waiting=self._waiting(), leave=leave)
        except SpoolRefusedError:
            return False
        return True

    def refuse(self, refusal: SpoolRefusedError, *, health: bool) -> None:
        """The spool has refused something: leave it alone for a moment, and say so when it is the first time."""
        first, self.trouble = self.trouble is None, refusal
        self._trouble_with_health = health and (first or self._trouble_with_health)
        again = self._clock() + RETRY_SECONDS
        self._not_before["verdict"] = again
        if health:  # which needs less room: a verdict would be refused too
            self._not_before["health"] = again
        if first and self._clock() >= self._full_not_before:
            self._full_not_before = self._clock() + GAP_SECONDS
            detail = _DETAILS.get(refusal.failure, refusal.failure)
            full = Health("spool_full", "sealer", self._spool.waiting, self._unix_ms(), detail)
            self.report(full, leave=1)  # for the gap, which says what came of it

    def room(self) -> None:
        """Something was forgotten: there may be room again."""
        self._not_before = {"verdict": 0.0, "health": 0.0}

    # --- what waits, and what is lost -------------------------------------------------------------------------------

    def retry(self) -> None:
        """Call often: store the reports that wait, tell the gap when there is room, and count durably meanwhile."""
        self._store_reports()
        now = self._clock()
        if self._lost.count and self.trouble is None and now >= self._gap_not_before:
            self._tell_gap()
        counted = (self._lost, self._waiting())
        if counted != self._noted and now >= self._note_not_before:
            self._note_not_before = now + _NOTE_SECONDS
            self._note(*counted)

    def finish(self, unsaid: int) -> None:
        """The run ends: what still waits is lost. Tell it, in the room that is kept if need be, or leave it counted.

        `unsaid`: reports of sealer's own that were never stored.
        """
        self.room()
        self._store_reports()
        waiting = self._waiting()
        self._refused_last = len(self._refused)
        self._reports.clear()
        self._refused.clear()
        self._lose(waiting)
        if unsaid:
            self._lose(NO_GAP.with_health(unsaid, self._unix_ms()))
        if self._lost.count and not self._tell_gap():
            self._note(self._lost, NO_GAP)
        self._finished = True

    def facts(self) -> dict[str, int]:
        """For warden: what this process has lost and has waiting, why, and whether that is final."""
        trouble = self.trouble
        return {
            "lost_verdicts": self._lost_here.verdicts,
            "lost_health": self._lost_here.health,
            "refused_verdicts": len(self._refused),
            "refused_last": self._refused_last,
            "refused_health": len(self._reports),
            "trouble": 0 if trouble is None else 1 + REFUSALS.index(trouble.failure),
            "trouble_number": 0 if trouble is None else next(iter(trouble.numbers), 0),
            "finished": int(self._finished),
        }

    def _store_reports(self) -> None:
        while self._reports:
            report, sender, _ = self._reports[0]
            try:
                if not self.store(report, None):
                    return
            except IssueError:
                sender.invalid += 1
            self._reports.popleft()

    def _waiting(self) -> Gap:
        """What is lost if the run ends now."""
        times = [*self._refused.values(), *(at for _, _, at in self._reports)]
        if not times:
            return NO_GAP
        return Gap(len(self._refused), len(self._reports), min(times), max(times)).bounded()

    def _lose(self, gap: Gap) -> None:
        self._lost, self._lost_here = self._lost.plus(gap), self._lost_here.plus(gap)

    def _tell_gap(self) -> bool:
        if not self.report(self._lost, told=True):
            return False
        self._lost = NO_GAP
        self._noted = (NO_GAP, self._waiting())
        self._gap_not_before = self._clock() + GAP_SECONDS
        return True

    def _note(self, lost: Gap, waiting: Gap) -> None:
        try:
            self._spool.note(lost, waiting)
        except SpoolRefusedError:
            return  # it stays counted in here, and in what warden is told
        self._noted = (lost, waiting)

    def _sealed(self, message: Verdict | Health | Gap) -> SealedEvent:
        return seal(message, self._spool.head, self._identity, self._boot_id)
