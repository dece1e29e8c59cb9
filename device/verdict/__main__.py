"""verdict: joins sightings, readings and fixes to the judge, and keeps each verdict until sealer has stored it."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from device.channel.compartment import Compartment, Handler, run
from device.channel.link import Link
from device.channel.memory import Memory
from device.channel.messages import (
    Fix,
    FixesEnd,
    Go,
    Health,
    Message,
    Readings,
    Sightings,
    StreamEnd,
    Tamper,
    Verdict,
    VerdictStored,
)
from device.verdict import persistence
from device.verdict.errors import SnapshotError
from device.verdict.intake.cross_check import Side
from device.verdict.judge import Judge
from device.verdict.persistence import sound
from device.verdict.trust import load_trust
from wire.vocabulary import HealthKind

_RESEND_SECONDS = 1.0
_MAX_UNSTORED = 512  # of at most 2 KiB each, beside the judge's state, in a memory of 4 MiB
_MAX_REPORTS = 16


class VerdictSettings(msgspec.Struct, forbid_unknown_fields=True):
    """`trust`: the folder of anchors and register in here. `stream`: names this run; verdict ids begin with it."""

    trust: str | None
    stream: str
    lockstep: bool
    sure_score: float  # the models' manifest: from here on a detection counts as sure


class Court:
    """The judge with what stands around it: its memory, and the verdicts that are not yet on disk."""

    def __init__(self, me: Compartment, settings: VerdictSettings) -> None:
        self._me = me
        trust = load_trust(Path(settings.trust) if settings.trust else None)
        self._judge = Judge(
            trust.anchors,
            trust.register,
            stream=settings.stream,
            lockstep=settings.lockstep,
            sure_score=settings.sure_score,
        )
        self._lockstep = settings.lockstep
        self._memory = Memory(me.descriptor("memory"))
        self._unstored: dict[str, Verdict] = {}
        self._ended: set[str] = set()
        self._finished = False
        self._changed = False
        self._resend_at = 0.0
        lost = self._restore()
        self._position = me.link("position", Fix, FixesEnd)
        self._indicator = me.link("indicator", Tamper)
        self._sealer = me.link("sealer", VerdictStored)
        self._recorder = me.link("recorder")
        self._readers: dict[Side, Link] = {
            "perception": me.link("perception", Sightings, StreamEnd),
            "codes": me.link("codes", Readings, StreamEnd),
        }
        self.handlers: dict[Link, Handler] = {
            self._readers["perception"]: self._from_perception,
            self._readers["codes"]: self._from_codes,
            self._position: self._from_position,
            self._indicator: self._from_indicator,
            self._sealer: self._from_sealer,
        }
        self._reports: list[tuple[HealthKind, str]] = [("restarted", "memory_lost")] if lost else []

    def begin(self, go: Go) -> None:
        """Warden lets us go: it alone says when the stream began, and how long ago that was."""
        self._judge.start(go.utc_ms, None if self._lockstep else _now_ms() - go.elapsed_ms)

    # --- what comes in --------------------------------------------------------------------------------------------

    def _from_perception(self, message: Message) -> None:
        if isinstance(message, Sightings):
            began = time.perf_counter()
            self._give(self._judge.on_sightings(message, self._clock()))
            self._accuse()
            self._me.sample("verdict", time.perf_counter() - began)
            self._me.handled += 1
        else:
            self._end_of("perception")

    def _from_codes(self, message: Message) -> None:
        if isinstance(message, Readings):
            self._give(self._judge.on_readings(message, self._clock()))
            self._accuse()
        else:
            self._end_of("codes")

    def _from_position(self, message: Message) -> None:
        if isinstance(message, Fix):
            self._give(self._judge.on_fix(message))
        elif "position" not in self._ended:
            self._give(self._judge.on_fixes_end())
            self._end_of("position")

    def _from_indicator(self, message: Message) -> None:
        if isinstance(message, Tamper) and message.opened:
            self._sealer.try_send(Health("tamper", "indicator", 1, message.at_ms, "case_opened"))

    def _from_sealer(self, message: Message) -> None:
        if isinstance(message, VerdictStored) and self._unstored.pop(message.verdict_id, None) is not None:
            self._changed = True

    def _end_of(self, side: str) -> None:
        self._changed = self._changed or side not in self._ended
        self._ended.add(side)

    def _clock(self) -> int | None:
        """Our own clock in realtime; in lockstep the result must not depend on one."""
        return None if self._lockstep else _now_ms()

    def _accuse(self) -> None:
        """Counts against a reader what the judge caught it at; the next beat tells warden, who restarts it."""
        for side in self._judge.accused():
            self._readers[side].invalid += 1

    # --- what goes out --------------------------------------------------------------------------------------------

    def step(self) -> None:
        """After each round of messages: finish when all has ended, remember, send again what is not stored."""
        if not self._finished and {"perception", "codes"} <= self._ended:
            self._give(self._judge.finish())
            self._finished = True
        (self._me.resume if self._judge.wants_fixes else self._me.pause)(self._position)
        if self._changed:
            self._remember()
        self._report()
        self._resend()
        facts = {"unstored": len(self._unstored), "finished": int(self._finished)}
        if self._finished and facts != self._me.facts:
            self._me.facts.update(facts)
            self._me.report()
        self._me.facts.update(facts)

    def _report(self) -> None:
        while self._reports:
            kind, detail = self._reports[0]
            if not self._sealer.try_send(Health(kind, "verdict", 1, round(time.time() * 1000), detail)):
                return
            self._reports.pop(0)

    def _give(self, made: list[Verdict]) -> None:
        """Remember first, send then: a verdict that was made is not lost whenever this process ends.

        One that its receivers would refuse is our own fault; it is reported instead, so that it does not end us.
        """
        self._changed = True
        verdicts = [verdict for verdict in made if sound(verdict)]
        if len(verdicts) < len(made) and len(self._reports) < _MAX_REPORTS:
            self._reports.append(("invalid_message", "verdict_out_of_bounds"))
        if not verdicts:
            return
        for verdict in verdicts[: max(0, _MAX_UNSTORED - len(self._unstored))]:
            self._unstored[verdict.verdict_id] = verdict
        self._remember()
        for verdict in verdicts:
            self._recorder.send(verdict)
            self._indicator.try_send(verdict)
            self._sealer.try_send(verdict)

    def record_again(self) -> None:
        """After a restart: the recorder may have missed what was remembered just before the end. It knows the ids."""
        for verdict in self._unstored.values():
            self._recorder.send(verdict)

    def _resend(self) -> None:
        now = time.monotonic()
        if now < self._resend_at:
            return
        self._resend_at = now + _RESEND_SECONDS
        for verdict in self._unstored.values():
            if not self._sealer.try_send(verdict):
                return

    def _remember(self) -> None:
        self._changed = False
        self._memory.save(
            persistence.to_bytes(self._judge.snapshot(), self._unstored.values(), self._ended, self._finished)
        )

    def _restore(self) -> bool:
        """Takes up what was remembered, part by part. Returns whether any of it is lost."""
        kept = self._memory.load()
        if not kept:
            return False
        remembered = persistence.from_bytes(kept)
        self._unstored = {verdict.verdict_id: verdict for verdict in remembered.unstored}
        self._ended, self._finished = remembered.ended, remembered.finished
        try:
            self._judge.restore(remembered.judge)
        except SnapshotError:
            return True  # begin with no open pass
        return remembered.lost > 0


def _now_ms() -> int:
    return round(time.monotonic() * 1000)


def main(me: Compartment) -> None:
    court = Court(me, me.settings(VerdictSettings))
    court.begin(me.ready())
    court.record_again()
    me.serve(court.handlers, tick=court.step)


if __name__ == "__main__":
    run("verdict", main)
