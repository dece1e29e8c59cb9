"""Frames are announced with times that never go back, whatever the file says: the readers would be held for liars."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from device.capture.__main__ import Announcer, CaptureSettings
from device.channel import ring
from device.channel.messages import FrameDone, FrameReady, Message

SETTINGS = CaptureSettings("video", "/x", "x", "lockstep", 10.0, 4, 4, 25.0, 0)


class Reader:
    def __init__(self) -> None:
        self.told: list[Message] = []

    def try_send(self, message: Message) -> bool:
        self.told.append(message)
        return True

    send = try_send


class Source:
    damaged = False

    def frames(self, slot: Any, start: int) -> Iterator[tuple[int, int]]:
        for number, t_ms in enumerate([0, 40, 10, 0, 120]):
            slot(4, 4)[:] = number
            yield number, t_ms


def test_times_that_go_back_in_the_file_do_not_go_back_for_the_readers() -> None:
    reader: Any = Reader()
    me: Any = SimpleNamespace(sample=lambda stage, seconds: None, done=lambda facts: None, handled=0, dropped=0)
    source: Any = Source()
    announcer = Announcer(me, ring.RingWriter(os.dup(ring.create())), [reader], source, SETTINGS)
    for frame in range(5):
        announcer.step()
        announcer.acknowledged(reader, FrameDone(frame))
    assert [told.t_ms for told in reader.told if isinstance(told, FrameReady)] == [0, 40, 40, 40, 120]
