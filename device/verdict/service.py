"""The work of verdict: gives the judge what comes in, and keeps verdicts until sealer has stored them."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from device.channel.compartment import Compartment, Handlers
from device.channel.link import Link
from device.channel.memory import Memory
from device.channel.messages import (
    Fix,
    FixesEnd,
    Go,
    Health,
    PlaceRepeated,
    Readings,
    Sightings,
    StreamEnd,
    Tamper,
    Verdict,
    VerdictStored,
)
from device.channel.tracks import MISWRITTEN
from device.verdict import persistence
from device.verdict.errors import SnapshotError
from device.verdict.heard import Heard
from device.verdict.intake.cross_check import SIDES, Side
from device.verdict.judge import Judge
from device.verdict.persistence import sound
from device.verdict.settings import VerdictSettings
from device.verdict.trust import load_trust
from wire.vocabulary import HealthKind

_RESEND_SECONDS = 1.0
_MAX_UNSTORED = 512  # of at most 2 KiB each, beside the judge's state, in a memory of 4 MiB
_MOST_UNRECORDED: Final = 32  # of those that may wait for the recorder; finishing makes more at once
_HAND_OVER_SECONDS: Final = 1.0  # warden waits for five in all
_MAX_COUNT = 2**40
_MAX_REPORTS = 16
_SURVEY_SECONDS = 3.0
_MAX_SURVEYED = 100_000
_UNSURE: Final = {"place_unchecked": "unplaced_codes", "time_unchecked": "untimed_codes"}
"""Reasons for which an authentic code is not VERIFIED -> the fact that counts them."""


class VerdictService:
    """The judge, its memory, and the verdicts that are not yet on disk: the first 512 of them survive a restart.

    Further verdicts, while these wait, are dropped and counted; sealer is told how many, and tells the sink.
    """

    def __init__(self, me: Compartment, settings: VerdictSettings) -> None:
        self._me = me
        trust = load_trust(Path(settings.trust) if settings.trust else None)
        self._judge = Judge(
            trust.anchors,
            trust.register,
            stream=settings.stream,
            lockstep=settings.lockstep,
            sure_scores=settings.sure_scores,
            track=settings.track,
        )
        self._track = settings.track
        self._lockstep = settings.lockstep
        self._memory = Memory(me.descriptor("memory"))
        self._unstored: dict[str, Verdict] = {}
        self._heard = Heard()
        self._disputes = 0
        self._dropped = 0  # and not yet told to sealer
        self._ended: set[str] = set()
        self._finished = False
        self._changed = False
        self._resend_at = self._tell_at = 0.0
        self._wall, self._held = True, False
        self._unsure: Counter[str] = Counter()
        self._surveyed = 0  # fixes that came after the end of the stream
        self._survey_ends: float | None = None
        self._fixes_by = 0.0  # monotonic seconds
        lost = self._restore()
        self._judged_before = {side: self._judge.judged(side) for side in SIDES}
        self._position, self._indicator = me.link("position"), me.link("indicator")
        self._sealer, self._recorder = me.link("sealer"), me.link("recorder")
        self._readers: dict[Side, Link] = {"perception": me.link("perception"), "codes": me.link("codes")}
        self.handlers: dict[Link, Handlers] = {
            self._readers["perception"]: {
                Sightings: self._on_sightings,
                StreamEnd: lambda _: self._on_end("perception"),
            },
            self._readers["codes"]: {Readings: self._on_readings, StreamEnd: lambda _: self._on_end("codes")},
            self._position: {
                Fix: self._on_fix,
                PlaceRepeated: self._on_place_repeated,
                FixesEnd: self._on_fixes_end,
            },
            self._indicator: {Tamper: self._on_tamper},
            self._sealer: {VerdictStored: self._on_stored},
        }
        self._reports: list[Health] = []
        self._memory_lost = lost

    def begin(self, go: Go) -> None:
        """Warden starts the run: it alone says when the stream began, and how long ago that was."""
        began_ms = None if self._lockstep else _now_ms() - go.elapsed_ms
        self._judge.start(
            go.utc_ms,
            began_ms,
            earliest_ms=go.earliest_ms,
            latest_ms=go.latest_ms,
            dated=go.dated,
            rated=go.rated,
            drift_ppm=go.drift_ppm,
            date_doubt=(go.date_earlier_ms, go.date_later_ms),
        )
        self._wall = go.wall
        if self._memory_lost:
            self._tell(self._own("restarted", "memory_lost"))

    # --- what comes in --------------------------------------------------------------------------------------------

    def _on_sightings(self, sightings: Sightings) -> None:
        if not self._is_of_the_stream("perception", sightings.frame):
            return
        began = time.perf_counter()
        self._give(self._judge.on_sightings(sightings, self._clock()))
        self._accuse()
        self._me.sample("verdict", time.perf_counter() - began)
        self._me.handled += 1

    def _on_readings(self, readings: Readings) -> None:
        if not self._is_of_the_stream("codes", readings.frame):
            return
        self._give(self._judge.on_readings(readings, self._clock()))
        self._accuse()

    def _is_of_the_stream(self, side: Side, frame: int) -> bool:
        """Whether what a reader says of a frame is evidence; counts the frame.

        Until both have told the end, one that goes on takes its word back. After that all is judged and the track is
        let go, so that a frame could only be judged by less than there was: it is counted for warden, and the run is
        not good. That is held against no reader: it may have been told the end by a capture that lied.
        """
        late = self._finished and frame > self._judge.last_frame(side)
        self._heard.take(side, frame, late=late)
        if not self._finished and side in self._ended:
            self._ended.discard(side)
            self._changed = True
        return not late

    def _on_fix(self, fix: Fix) -> None:
        if not self._track:  # where no source is, position makes it up
            self._position.invalid += 1
            return
        self._ended.discard("position")
        self._surveyed += self._finished
        self._give(self._judge.on_fix(fix))

    def _on_place_repeated(self, repeated: PlaceRepeated) -> None:
        if not self._track:
            self._position.invalid += 1
            return
        self._judge.on_place_repeated(repeated)
        self._changed = True

    def _on_fixes_end(self, _: FixesEnd) -> None:
        if "position" not in self._ended:
            self._give(self._judge.on_fixes_end())
            self._on_end("position")

    def _on_tamper(self, tamper: Tamper) -> None:
        if tamper.opened:
            self._tell(Health("tamper", "indicator", 1, tamper.at_ms, "case_opened"))
            self._report()

    def _on_stored(self, stored: VerdictStored) -> None:
        if self._unstored.pop(stored.verdict_id, None) is not None:
            self._changed = True

    def _on_end(self, side: str) -> None:
        self._changed = self._changed or side not in self._ended
        self._ended.add(side)

    def _clock(self) -> int | None:
        """Our own clock in realtime; in lockstep the result must not depend on a clock."""
        return None if self._lockstep else _now_ms()

    def _accuse(self) -> None:
        """Counts that what was said of frames cannot all be true; the next beat tells warden, which restarts them.

        It is held against no reader: capture, which tells each of them a frame's time, may have told them two.
        """
        self._disputes += bool(self._judge.accused())

    # --- what goes out --------------------------------------------------------------------------------------------

    def step(self) -> None:
        """After each round of messages: finish when both readers have ended, remember, resend what is not stored."""
        if not self._finished and {"perception", "codes"} <= self._ended:
            self._finished = True  # first: `_give` remembers, and a successor must know
            self._give(self._judge.finish())
            self._survey_ends = self._fixes_by = time.monotonic() + _SURVEY_SECONDS
        if self._survey_ends is not None:
            self._survey(self._survey_ends)
        (self._me.resume if self._judge.wants_fixes else self._me.pause)(self._position)
        self._hold_up(self._recorder.waiting > _MOST_UNRECORDED)
        if self._changed:
            self._remember()
        self._report()
        self._resend()
        judged = self._finished and self._survey_ends is None and not self._owes_fixes()
        stored = {"unstored": len(self._unstored), "dropped": self._dropped, "finished": int(judged)}
        stored |= {"unrecorded": self._recorder.lost, "disputes": self._disputes}
        stored |= {"fixes_told": self._judge.fixes_told, "fixes_due": int(self._takes_fixes())}
        facts = {**stored, **self._heard.facts(), **self._judged(), **self._judge.places(), **self._unsure}
        if judged and facts.items() - self._me.facts.items():
            self._me.facts.update(facts)
            self._me.report()
        self._me.facts.update(facts)

    def _judged(self) -> dict[str, int]:
        """For warden: `SIDE_judged`, frames that this start has judged by, and `SIDE_reached`, how far each came."""
        judged = {f"{s}_judged": max(0, self._judge.judged(s) - self._judged_before[s]) for s in self._readers}
        return judged | {f"{side}_reached": self._judge.reached(side) for side in self._readers}

    def _hold_up(self, held: bool) -> None:
        """A record that is not taken holds the frames up, and loses no verdict."""
        if held != self._held:
            self._held = held
            for link in self._readers.values():
                (self._me.pause if held else self._me.resume)(link)

    def _takes_fixes(self) -> bool:
        """Whether nothing here keeps from us what position has not told: what it promised and we lack, it owes."""
        return self._judge.wants_fixes or "position" in self._ended

    def _owes_fixes(self) -> bool:
        """After the last frame, for a moment: whether position may be about to send more, that we would take."""
        waits = self._track and "position" not in self._ended and time.monotonic() < self._fixes_by
        return waits and self._judge.wants_fixes

    def _survey(self, until: float) -> None:
        """After the last frame: the rest of the way may tell where the codes belong that were not placed."""
        self._judge.survey()
        going_on = self._surveyed < _MAX_SURVEYED and time.monotonic() < until
        if going_on and self._judge.wants_the_rest_of_the_way:
            return
        self._survey_ends = None
        remote = self._judge.remote()
        if remote is not None:
            hint = MISWRITTEN.index(remote.miswritten) + 1 if remote.miswritten is not None else 0
            self._me.facts |= {"remote_m": remote.nearest_m, "miswritten": hint}
        offset = self._judge.offset()
        if offset is not None:
            later = offset.offset_ms >= 0
            self._me.facts["offset_later_ms" if later else "offset_earlier_ms"] = abs(offset.offset_ms)
            self._me.facts |= {"offset_fitting": offset.fitting, "offset_codes": offset.codes}

    def _report(self) -> None:
        now = time.monotonic()
        while self._reports:
            if not self._sealer.try_send(self._reports[0]):
                return
            self._reports.pop(0)
        if self._dropped and now >= self._tell_at:
            dropped = msgspec.structs.replace(self._own("unsealed", "dropped"), count=self._dropped)
            if self._sealer.try_send(dropped):
                self._dropped, self._changed, self._tell_at = 0, True, now + _RESEND_SECONDS

    def _tell(self, report: Health) -> None:
        """A report for sealer, sent when there is room."""
        if len(self._reports) < _MAX_REPORTS:
            self._reports.append(report)

    def _own(self, kind: HealthKind, detail: str) -> Health:
        return Health(kind, "verdict", 1, round(time.time() * 1000) if self._wall else 0, detail)

    def _give(self, made: list[Verdict]) -> None:
        """Remember first, send then: a verdict is not lost whenever this process ends, unless 512 wait already.

        A verdict that its receivers would refuse is our own fault; it is reported instead, so that it does not end us.
        """
        self._changed = True
        verdicts = [verdict for verdict in made if sound(verdict)]
        if len(verdicts) < len(made):
            self._tell(self._own("invalid_message", "verdict_out_of_bounds"))
        for verdict in verdicts:
            if verdict.code is not None and verdict.reasons[:1] and verdict.reasons[0] in _UNSURE:
                self._unsure[_UNSURE[verdict.reasons[0]]] += 1
        if not verdicts:
            return
        room = max(0, _MAX_UNSTORED - len(self._unstored))
        for verdict in verdicts[:room]:
            self._unstored[verdict.verdict_id] = verdict
        self._dropped = min(_MAX_COUNT, self._dropped + len(verdicts[room:]))
        self._remember()
        for verdict in verdicts:
            self._recorder.post(verdict)
            self._indicator.try_send(verdict)
        for verdict in verdicts[:room]:
            self._sealer.try_send(verdict)

    def record_again(self) -> None:
        """After a restart: the recorder may have missed the last verdicts. It drops those whose ids it knows."""
        for verdict in self._unstored.values():
            self._recorder.post(verdict)

    def hand_over(self) -> None:
        """After Stop: send what is not stored until it is, for a moment, so that what warden hears last is true."""
        if self._unstored or self._reports:
            self._me.serve_until(
                lambda: not self._unstored and not self._reports,
                {self._sealer: self.handlers[self._sealer]},
                tick=self.step,
                tick_seconds=lambda: 0.05,
                at_most=_HAND_OVER_SECONDS,
            )

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
            persistence.to_bytes(
                self._judge.snapshot(), self._unstored.values(), self._ended, self._finished, self._dropped
            )
        )

    def _restore(self) -> bool:
        """Restores what was remembered, part by part. Returns whether any of it is lost."""
        kept = self._memory.load()
        if not kept:
            return False
        remembered = persistence.from_bytes(kept)
        self._unstored = {verdict.verdict_id: verdict for verdict in remembered.unstored}
        self._ended, self._finished, self._dropped = remembered.ended, remembered.finished, remembered.dropped
        try:
            self._judge.restore(remembered.judge)
        except SnapshotError:
            return True  # begin with no open pass
        return remembered.lost > 0


def _now_ms() -> int:
    return round(time.monotonic() * 1000)
