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
    Health,
    Message,
    Readings,
    Sightings,
    StreamEnd,
    Tamper,
    Verdict,
    VerdictStored,
)
from device.verdict.core import Judge
from device.verdict.errors import SnapshotError
from device.verdict.trust import load_trust

_RESEND_SECONDS = 1.0
_MAX_UNSTORED = 4096


class VerdictSettings(msgspec.Struct, forbid_unknown_fields=True):
    """`trust`: the folder of anchors and register in here. `stream`: names this run; verdict ids begin with it."""

    trust: str | None
    stream: str
    lockstep: bool
    sure_score: float  # the models' manifest: from here on a detection counts as sure


class Remembered(msgspec.Struct, forbid_unknown_fields=True):
    """What outlives a restart."""

    judge: bytes
    unstored: list[Verdict]
    ended: list[str]
    finished: bool


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
        self._memory = Memory(me.descriptor("memory"))
        self._unstored: dict[str, Verdict] = {}
        self._ended: set[str] = set()
        self._finished = False
        self._changed = False
        self._resend_at = 0.0
        self._restore()
        self._position = me.link("position", Fix, FixesEnd)
        self._indicator = me.link("indicator", Tamper)
        self._sealer = me.link("sealer", VerdictStored)
        self._recorder = me.link("recorder")
        self.handlers: dict[Link, Handler] = {
            me.link("perception", Sightings, StreamEnd): self._from_perception,
            me.link("codes", Readings, StreamEnd): self._from_codes,
            self._position: self._from_position,
            self._indicator: self._from_indicator,
            self._sealer: self._from_sealer,
        }

    # --- what comes in --------------------------------------------------------------------------------------------

    def _from_perception(self, message: Message) -> None:
        if isinstance(message, Sightings):
            began = time.perf_counter()
            self._give(self._judge.on_sightings(message))
            self._me.sample("verdict", time.perf_counter() - began)
            self._me.handled += 1
        else:
            self._end_of("perception")

    def _from_codes(self, message: Message) -> None:
        if isinstance(message, Readings):
            self._give(self._judge.on_readings(message))
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

    # --- what goes out --------------------------------------------------------------------------------------------

    def step(self) -> None:
        """After each round of messages: finish when all has ended, remember, send again what is not stored."""
        if not self._finished and {"perception", "codes"} <= self._ended:
            self._give(self._judge.finish())
            self._finished = True
        (self._me.resume if self._judge.wants_fixes else self._me.pause)(self._position)
        if self._changed:
            self._remember()
        self._resend()
        self._me.facts["unstored"] = len(self._unstored)
        self._me.facts["finished"] = int(self._finished)

    def _give(self, verdicts: list[Verdict]) -> None:
        """Remember first, send then: a verdict that was made is not lost whenever this process ends."""
        self._changed = True
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
        kept = Remembered(self._judge.snapshot(), list(self._unstored.values()), sorted(self._ended), self._finished)
        self._memory.save(msgspec.msgpack.encode(kept))

    def _restore(self) -> None:
        kept = self._memory.load()
        if not kept:
            return
        try:
            remembered = msgspec.msgpack.decode(kept, type=Remembered, strict=True)
            self._judge.restore(remembered.judge)
        except (msgspec.DecodeError, SnapshotError):
            return  # a memory that cannot be read is worth nothing: begin with no open pass
        self._unstored = {v.verdict_id: v for v in remembered.unstored}
        self._ended = set(remembered.ended)
        self._finished = remembered.finished


def main(me: Compartment) -> None:
    court = Court(me, me.settings(VerdictSettings))
    me.ready()
    court.record_again()
    me.serve(court.handlers, tick=court.step)


if __name__ == "__main__":
    run("verdict", main)
