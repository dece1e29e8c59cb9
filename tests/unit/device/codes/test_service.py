"""Codes' work for each frame: with which regions it is read, and when the regions alone are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from device.channel.messages import FrameReady, Readings, Region, Regions
from device.codes.service import MAX_REGIONS_AGE_MS, PACE_SECONDS, CodesService

HERE = [Region(1.0, 2.0, 3.0, 4.0)]


class Bench:
    """The service with a reader that notes what it is asked for, and a stream whose frames are always there."""

    def __init__(self, *, lockstep: bool = False) -> None:
        self.asked: list[tuple[int, list[Region], bool]] = []
        self.sent: list[Any] = []
        self.pending: FrameReady | None = None
        self.overloaded = False
        self.answered: list[int] = []
        self.verdict = verdict = SimpleNamespace(post=self.sent.append, try_send=self.sent.append, waiting=0)
        self.facts: dict[str, int] = {}
        me: Any = SimpleNamespace(facts=self.facts, link=lambda name: verdict, sample=lambda stage, seconds: None)
        reader: Any = self
        stream: Any = self
        self.service = CodesService(me, reader, stream, lockstep=lockstep)

    def read(self, frame: Any, regions: list[Region], number: int, *, whole: bool) -> list[Any]:
        self.asked.append((number, list(regions), whole))
        return []

    def view(self, ready: FrameReady) -> Any:
        return np.zeros((4, 6, 3), np.uint8)

    def intact(self, ready: FrameReady) -> bool:
        return True

    def keep_up(self, ready: FrameReady, overload: Any, seconds: float) -> None:
        overload.light = self.overloaded

    def judged(self, ready: FrameReady) -> None: ...

    def done(self, ready: FrameReady) -> None:
        self.pending = None
        self.answered.append(ready.frame)

    def waits_for(self, *links: Any) -> bool:
        return any(link.waiting for link in links)

    def end_to_tell(self) -> None:
        return None

    def at(self, frame: int, t_ms: int | None = None) -> tuple[int, list[Region], bool] | None:
        """What the reader is asked for in this frame; None: it is waited for regions."""
        self.service.step()
        self.pending = FrameReady(frame, 0, 2, frame * 40 if t_ms is None else t_ms)
        before = len(self.asked)
        self.service.step()
        self.service._began = float("-inf")  # time passes
        self.service.step()
        return self.asked[before] if len(self.asked) > before else None


def test_in_realtime_the_latest_regions_are_used_and_none_are_waited_for() -> None:
    bench = Bench()
    assert bench.at(0) == (0, [], True)
    bench.service.take_regions(Regions(0, 0, HERE))
    assert bench.at(3) == (3, HERE, True)
    assert bench.sent == [Readings(0, 0, 6, 4, []), Readings(3, 120, 6, 4, [])]


@pytest.mark.parametrize(("age_ms", "used"), [(MAX_REGIONS_AGE_MS, HERE), (MAX_REGIONS_AGE_MS + 1, [])])
def test_regions_that_are_too_old_are_not_used(age_ms: int, used: list[Region]) -> None:
    bench = Bench()
    bench.service.take_regions(Regions(0, 1000, HERE))
    assert bench.at(30, 1000 + age_ms) == (30, used, True)


def test_a_reader_that_cannot_keep_up_reads_the_regions_alone_until_it_can() -> None:
    bench = Bench()
    bench.service.take_regions(Regions(0, 0, HERE))
    bench.overloaded = True
    assert bench.at(0) == (0, HERE, True)
    assert bench.at(1) == (1, HERE, False)
    bench.overloaded = False
    bench.at(2)
    assert bench.at(3) == (3, HERE, True)


def test_a_reader_that_cannot_keep_up_reads_whole_frames_where_perception_says_nothing() -> None:
    bench = Bench()
    bench.overloaded = True
    bench.at(0)
    assert bench.at(1) == (1, [], True)


def test_in_lockstep_the_regions_of_the_frame_are_waited_for_and_the_whole_frame_is_read() -> None:
    bench = Bench(lockstep=True)
    bench.overloaded = True
    assert bench.at(0) is None
    bench.service.take_regions(Regions(0, 0, HERE))
    assert bench.at(0) == (0, HERE, True)
    bench.service.take_regions(Regions(1, 40, []))
    assert bench.at(1) == (1, [], True)


def test_in_lockstep_regions_that_never_come_are_not_waited_for_without_end_and_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, clock = Bench(lockstep=True), [0.0]
    monkeypatch.setattr("device.codes.service.time.monotonic", lambda: clock[0])
    for frame in range(6):
        at_once = bench.at(frame)
        assert (at_once is None) == (frame < 4)
        if at_once is None:
            clock[0] += 1.0
            bench.service.step()
    assert [asked[0] for asked in bench.asked] == list(range(6)) and bench.facts == {"without_regions": 6}
    bench.service.take_regions(Regions(5, 200, HERE))
    assert bench.at(6) is None


def test_in_realtime_the_next_frame_is_asked_for_when_perception_has_gone_on_or_after_a_while() -> None:
    bench = Bench()
    for frame in (0, 1):
        bench.pending = FrameReady(frame, 0, 2, frame * 40)
        bench.service.step()
        bench.service.step()
        assert bench.answered == list(range(frame)) and 0.0 < bench.service.seconds_to_next() <= PACE_SECONDS
        if frame == 0:
            bench.service.take_regions(Regions(0, 0, HERE))
        else:
            bench.service._began -= PACE_SECONDS
        bench.service.step()
        assert bench.answered == list(range(frame + 1))
    assert len(bench.asked) == 2


def test_in_lockstep_each_frame_is_answered_at_once() -> None:
    bench = Bench(lockstep=True)
    bench.service.take_regions(Regions(0, 0, HERE))
    bench.pending = FrameReady(0, 0, 2, 0)
    bench.service.step()
    assert bench.answered == [0]


def test_while_verdict_does_not_take_what_was_read_the_frame_is_not_answered() -> None:
    bench = Bench(lockstep=True)
    bench.service.take_regions(Regions(0, 0, HERE))
    bench.pending = FrameReady(0, 0, 2, 0)
    bench.verdict.post = lambda message: setattr(bench.verdict, "waiting", 1)
    for _ in range(3):
        bench.service.step()
    assert len(bench.asked) == 1 and bench.answered == []
    bench.verdict.waiting = 0
    bench.service.step()
    assert bench.answered == [0]
