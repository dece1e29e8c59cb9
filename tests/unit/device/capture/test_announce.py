"""Frames are announced with times that never go back, whatever the file says: else the readers would be accused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from device.capture.announce import AHEAD, Announcer
from device.capture.settings import CaptureSettings
from device.capture.stream import StreamTally
from device.channel import ring
from device.channel.messages import FrameDone, FrameReady, Message

SETTINGS = CaptureSettings("video", "/x", "lockstep", 10.0, 4, 4, 25.0, 0)


class HeldReader:
    def __init__(self) -> None:
        self.told: list[Message] = []

    def try_send(self, message: Message) -> bool:
        self.told.append(message)
        return True

    send = try_send


class StillSource:
    tally, timed = StreamTally(), True

    def frames(self, slot: Any, start: int) -> Iterator[tuple[int, int]]:
        for number, t_ms in enumerate([0, 40, 10, 0, 120]):
            slot(4, 4)[:] = number
            yield number, t_ms


def test_times_that_go_back_in_the_file_do_not_go_back_for_the_readers() -> None:
    reader: Any = HeldReader()
    me: Any = SimpleNamespace(sample=lambda stage, seconds: None, done=lambda facts: None, handled=0, dropped=0)
    source: Any = StillSource()
    announcer = Announcer(me, ring.RingWriter(os.dup(ring.create())), [reader], source, SETTINGS)
    announcer.step()
    for frame in range(5):
        announcer.step()
        announcer.acknowledged(reader, FrameDone(frame))
        announcer.step()
    assert [told.t_ms for told in reader.told if isinstance(told, FrameReady)] == [0, 40, 40, 40, 120]


def stepped(announcer: Announcer, times: int = 20) -> None:
    for _ in range(times):
        announcer.step()


def test_readers_go_on_apart_but_no_slot_is_written_again_before_all_are_done() -> None:
    fast: Any = HeldReader()
    slow: Any = HeldReader()
    me: Any = SimpleNamespace(sample=lambda stage, seconds: None, done=lambda facts: None, handled=0, dropped=0)
    source: Any = StillSource()
    announcer = Announcer(me, ring.RingWriter(os.dup(ring.create())), [fast, slow], source, SETTINGS)
    for frame in range(5):
        stepped(announcer)
        announcer.acknowledged(fast, FrameDone(frame))
    frames = [told.frame for told in fast.told if isinstance(told, FrameReady)]
    assert sorted(set(frames)) == list(range(AHEAD))  # the slow reader still holds frame 0
    assert {told.frame for told in slow.told if isinstance(told, FrameReady)} == {0}
    for frame in range(5):
        announcer.acknowledged(slow, FrameDone(frame))
        stepped(announcer)
        announcer.acknowledged(fast, FrameDone(max(frames) + 1 + frame))
    assert {told.frame for told in slow.told if isinstance(told, FrameReady)} == set(range(5))


class DamagedSource:
    tally, timed = StreamTally(), True

    def frames(self, slot: Any, start: int) -> Iterator[tuple[int, int | None]]:
        for number, t_ms in enumerate([0, None, 80, None, None]):
            if t_ms is not None:
                slot(4, 4)[:] = number
            self.timed = number < 2
            yield number, t_ms


def test_a_frame_that_is_no_evidence_is_not_announced_and_keeps_its_number() -> None:
    reader: Any = HeldReader()
    told: list[dict[str, int]] = []
    me: Any = SimpleNamespace(sample=lambda stage, seconds: None, done=told.append, handled=0, dropped=0)
    source: Any = DamagedSource()
    source.tally.damaged("frames_corrupt")
    announcer = Announcer(me, ring.RingWriter(os.dup(ring.create())), [reader], source, SETTINGS)
    for frame in range(5):
        stepped(announcer, 3)
        announcer.acknowledged(reader, FrameDone(frame))
        stepped(announcer, 3)
    ready = [message for message in reader.told if isinstance(message, FrameReady)]
    assert [(message.frame, message.t_ms, message.timed) for message in ready] == [(0, 0, True), (2, 80, False)]
    assert told == [{"frames": 5, "damage.frames_corrupt": 1}]
