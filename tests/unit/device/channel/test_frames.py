"""The reading end: each announced frame is answered once, and what is not judged is counted by its cause."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Any

import pytest

from device.channel import ring
from device.channel.frames import FrameStream
from device.channel.link import Link, pair
from device.channel.messages import FrameDone, FrameReady, StreamEnd
from device.channel.overload import Overload


class Rig:
    """A frame stream, the writer of its ring, and capture's end of its link."""

    def __init__(self) -> None:
        descriptor = ring.create()
        self.writer = ring.RingWriter(os.dup(descriptor))
        ours, theirs = pair()
        self.capture = Link("perception", theirs, FrameDone)
        self.handled, self.dropped, self.facts = 0, Counter[str](), dict[str, int]()
        self.samples: list[float] = []
        self._descriptor, self._ours = descriptor, ours
        me: Any = self
        self.stream = FrameStream(me, age="perception_age")

    def link(self, peer: str) -> Link:
        return Link(peer, self._ours)

    def descriptor(self, name: str) -> int:
        return os.dup(self._descriptor)

    def sample(self, stage: str, seconds: float) -> None:
        self.samples.append(seconds)

    def write(self, frame: int, spared: tuple[int, ...] = (), taken_us: int = 0) -> FrameReady:
        self.writer.slot(8, 8, spared)[:] = frame & 0xFF
        return FrameReady(frame, *self.writer.publish(frame), frame * 40, taken_us)

    def tell(self, ready: FrameReady) -> None:
        self.stream.handlers[FrameReady](ready)

    def work(self) -> bool:
        """What a reader does with the frame that waits. Returns whether it was judged."""
        ready = self.stream.pending
        assert ready is not None
        frame = self.stream.view(ready)
        judged = frame is not None and bool((frame == ready.frame & 0xFF).all()) and self.stream.intact(ready)
        if judged:
            self.stream.judged(ready)
        self.stream.done(ready)
        return judged

    @property
    def answers(self) -> list[int]:
        found = []
        while isinstance(message := self.capture.receive(), FrameDone):
            found.append(message.frame)
        return found


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_each_frame_is_answered_and_skipped_ones_are_counted(rig: Rig) -> None:
    for frame in (4, 5, 9):
        rig.tell(rig.write(frame))
        assert rig.work()
    assert rig.answers == [4, 5, 9]
    assert (rig.handled, rig.dropped) == (3, {"skipped": 3})


def test_a_frame_that_is_announced_again_is_neither_answered_nor_worked_on_twice(rig: Rig) -> None:
    ready = rig.write(3)
    rig.tell(ready)
    rig.tell(ready)
    rig.work()
    rig.tell(ready)
    assert rig.stream.pending is None and rig.answers == [3] and rig.handled == 1


def test_a_leased_slot_outlives_any_number_of_frames(rig: Rig) -> None:
    ready = rig.write(0)
    rig.tell(ready)
    for frame in range(1, 100):
        rig.write(frame, spared=(ready.slot,))
    assert rig.work() and rig.dropped == {}


def test_results_of_a_frame_whose_lease_was_taken_away_are_thrown_away(rig: Rig) -> None:
    rig.tell(rig.write(0))
    pending = rig.stream.pending
    assert pending is not None and rig.stream.view(pending) is not None
    for frame in range(1, 6):
        rig.write(frame)
    assert not rig.stream.intact(pending)
    rig.stream.done(pending)
    assert (rig.handled, rig.dropped, rig.answers) == (0, {"lease_lost": 1}, [0])


def test_a_frame_that_was_taken_away_before_it_was_begun_gives_way_to_the_next(rig: Rig) -> None:
    rig.tell(rig.write(0))
    rig.tell(rig.write(30))
    assert rig.stream.pending is not None and rig.stream.pending.frame == 30
    assert rig.work() and rig.dropped == {"lease_lost": 1, "skipped": 29}


def test_a_slot_that_was_written_again_is_not_looked_at(rig: Rig) -> None:
    rig.tell(rig.write(0))
    for frame in range(1, 6):
        rig.write(frame)
    assert not rig.work()
    assert rig.dropped == {"lease_lost": 1} and rig.stream.link.invalid == 0


def test_the_age_of_a_judged_frame_is_recorded_and_an_impossible_one_is_not(rig: Rig) -> None:
    now = time.monotonic_ns() // 1000
    for frame, taken_us in enumerate((now - 50_000, now - 10**9, now + 10**12, 0)):
        rig.tell(rig.write(frame, taken_us=taken_us))
        rig.work()
    assert len(rig.samples) == 1 and 0.05 <= rig.samples[0] < 60.0


def test_the_end_is_told_only_when_nothing_waits(rig: Rig) -> None:
    rig.tell(rig.write(0))
    rig.stream.handlers[StreamEnd](StreamEnd(1))
    assert rig.stream.end_to_tell() is None
    rig.work()
    assert rig.stream.end_to_tell() == StreamEnd(1)


def test_frames_that_got_less_work_are_counted(rig: Rig) -> None:
    overload = Overload(8.0)
    for frame in range(0, 300, 10):
        rig.stream.keep_up(FrameReady(frame, 0, 2, frame * 33), overload, 0.3)
    assert rig.facts["light"] == 1 and 0 < rig.facts["light_frames"] < 30


def test_a_frame_after_the_end_is_captures_lie_and_the_frames_go_on(rig: Rig) -> None:
    rig.tell(rig.write(0))
    assert rig.work()
    rig.stream.handlers[StreamEnd](StreamEnd(126))
    assert rig.stream.end_to_tell() == StreamEnd(126)
    rig.tell(rig.write(1))
    assert (rig.stream.link.invalid, rig.stream.end_to_tell()) == (1, None)
    assert rig.work()
    rig.tell(rig.write(2))
    assert rig.stream.link.invalid == 1


def test_a_frame_that_is_announced_again_after_the_end_is_no_lie(rig: Rig) -> None:
    ready = rig.write(0)
    rig.tell(ready)
    assert rig.work()
    rig.stream.handlers[StreamEnd](StreamEnd(1))
    rig.tell(ready)
    assert rig.stream.link.invalid == 0 and rig.stream.ended == StreamEnd(1)
