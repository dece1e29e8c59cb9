"""What warden tells: incidents to telemetry and to the command, each thing once or at most so often."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from device.channel.damage import DamageName
from device.channel.link import Link
from device.channel.messages import MAX_COUNT, Health
from device.launcher.plan import RunPlan
from device.launcher.report import Incident, Notice, Progress
from device.warden import refusals, storage
from device.warden.roster import Roster
from device.warden.stream import StreamClock
from device.warden.table import JUDGE, SOURCE, STORE
from device.warden.workload import Workload
from wire.vocabulary import CompartmentName, HealthKind

_REPORT_SECONDS: Final = 0.2


class Teller:
    """Tells of one run.

    Args:
        health: the link to sealer. launcher: the link to the command.
        named: what this run calls its inputs.

    Attributes:
        clock: what is known of the stream's time and this machine's.
    """

    def __init__(self, plan: RunPlan, roster: Roster, health: Link, launcher: Link, named: Mapping[str, str]) -> None:
        self._plan, self._roster, self._health, self._launcher, self._named = plan, roster, health, launcher, named
        self.clock = StreamClock()
        self._workload = Workload(plan.config.warden.least_judged_share)
        self._storage = storage.StorageWatch()
        self._damage_told: dict[DamageName, tuple[int, bool]] = {}  # the count, and whether it was the last
        self._doubts_told: set[str] = set()
        self._refusals_told: set[str] = set()
        self._next_report = 0.0

    def incident(self, kind: HealthKind, name: CompartmentName, detail: str, count: int = 1) -> None:
        """To telemetry and to the command, at once."""
        at_ms = round(time.time() * 1000) if self.clock.wall else 0  # no time is better than a wrong time
        self._health.try_send(Health(kind, name, min(count, MAX_COUNT), at_ms, detail))
        self._launcher.try_send(Incident(kind, name, detail))

    def look(self, now: float, judged_at: float | None = None) -> None:
        """Tell what has changed. Call it often. `judged_at`: since when nothing but the delivery is waited for."""
        self._doubts()
        self._progress(now, now - judged_at if judged_at is not None else 0.0)
        self._trouble(now)

    def damage(self) -> None:
        """Each kind of damage when it is first found, and how much it was at the end: never more, whatever comes."""
        over = self._roster.source_is_done()
        for name, count in self._roster.damage().items():
            told, final = self._damage_told.get(name, (0, False))
            if not told or (over and not final and count > told):
                self._damage_told[name] = count, over
                self.incident("input_damaged", SOURCE, name, count)

    def _doubts(self) -> None:
        """Each doubt about time once: of the stream's start where place or time is judged by it, of our own clock."""
        judged_by_it = self._plan.gpx or self._plan.kind == "camera" or self._roster.total(JUDGE, "untimed_codes")
        if self.clock.source != "none" and judged_by_it:
            for doubt in self.clock.doubts:
                self._once("clock_unsure", "warden", doubt)
        if not self.clock.wall:
            self._once("clock_unsure", "warden", "clock_impossible")
        refusal = refusals.current(self._roster, self._plan.config.uplink)
        if refusal is not None and refusal.told:
            self._once("degraded", "uplink", refusal.word)
        if refusal is not None and self._plan.kind == "camera" and refusal.word not in self._refusals_told:
            self._refusals_told.add(refusal.word)  # a replay says it at its end, which is near
            self._launcher.try_send(Notice(refusal.sentence, f"{refusal.remedy}; until then events wait in the spool"))

    def _once(self, kind: HealthKind, name: CompartmentName, detail: str) -> None:
        if detail not in self._doubts_told:
            self._doubts_told.add(detail)
            self.incident(kind, name, detail)

    def _progress(self, now: float, delivering: float) -> None:
        if now < self._next_report:
            return
        self._next_report = now + _REPORT_SECONDS
        self.damage()
        sources = self._roster.generations(SOURCE)
        frame = next((source.beat.handled for source in sources if source.beat), 0)
        frames = next((source.facts.get("frames", 0) for source in sources if source.facts), 0)
        share = 1.0
        if self._plan.pace == "realtime":
            for reader, word in self._workload.look(self._roster, now):
                self.incident("overload", reader, word)
            share = min(self._workload.shares().values(), default=1.0)
        sealed, receipted = self._roster.fact(STORE, "sealed"), self._roster.fact(STORE, "receipted")
        waiting = self._roster.fact(STORE, "waiting")
        self._launcher.try_send(Progress(frame, frames, sealed, receipted, share, waiting, delivering))

    def _trouble(self, now: float) -> None:
        """Tell the user at once that verdicts are not stored, and why; telemetry is told by sealer itself."""
        trouble = storage.trouble(self._roster, self._named)
        news = self._storage.news(trouble, now)
        if news is None:
            return
        if trouble is not None:
            self._launcher.try_send(Incident("spool_full", STORE, trouble.word))
        self._launcher.try_send(Notice(*news))
