"""Perception's work for each frame: what it sends, at which operating point, and when it does less."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from device.channel.messages import FrameReady, Message, Region, Regions, Sightings, StreamEnd
from device.perception.core import Recognised
from device.perception.service import PerceptionService


class HeldLink:
    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.waiting = 0

    def post(self, message: Message) -> bool:
        self.sent.append(message)
        return True

    def try_send(self, message: Message) -> bool:
        self.sent.append(message)
        return True


class Stream:
    """A frame stream whose frames are always there; `overloaded` is what keeping up comes to."""

    def __init__(self, *, overloaded: bool = False, intact: bool = True, there: bool = True) -> None:
        self.pending: FrameReady | None = None
        self.ended: StreamEnd | None = None
        self.said: list[int] = []
        self.answered: list[int] = []
        self.kept = 0
        self._overloaded, self._intact, self._there = overloaded, intact, there

    def view(self, ready: FrameReady) -> Any:
        return np.zeros((4, 6, 3), np.uint8) if self._there else None

    def intact(self, ready: FrameReady) -> bool:
        return self._intact

    def keep_up(self, ready: FrameReady, overload: Any, seconds: float) -> None:
        self.kept += 1
        overload.light = self._overloaded

    def judged(self, ready: FrameReady) -> None:
        self.said.append(ready.frame)

    def done(self, ready: FrameReady) -> None:
        self.pending = None
        self.answered.append(ready.frame)

    def waits_for(self, *links: HeldLink) -> bool:
        return any(link.waiting for link in links)

    def end_to_tell(self) -> StreamEnd | None:
        return self.ended


class Recogniser:
    light = False

    @property
    def point(self) -> str:
        return "fast" if self.light else "far"

    def look(self, frame: Any) -> Recognised:
        return Recognised([], [Region(1.0, 2.0, 3.0, 4.0)])


def worked(stream: Stream, frames: int = 3, *, lockstep: bool = False) -> dict[str, HeldLink]:
    links = {name: HeldLink() for name in ("verdict", "recorder", "codes")}
    parts: Any = (SimpleNamespace(link=links.__getitem__), Recogniser(), stream)
    service = PerceptionService(*parts, lockstep=lockstep)
    for frame in range(frames):
        stream.pending = FrameReady(frame, 0, 2, frame * 40)
        service.step()
    stream.ended = StreamEnd(frames)
    service.step()
    return links


def test_sightings_go_to_verdict_and_the_recorder_and_regions_to_codes() -> None:
    links = worked(Stream(), 1)
    assert links["verdict"].sent == [Sightings(0, 0, 6, 4, [], "far"), StreamEnd(1)]
    assert links["recorder"].sent == links["verdict"].sent
    assert links["codes"].sent == [Regions(0, 0, [Region(1.0, 2.0, 3.0, 4.0)])]


def test_while_frames_come_too_fast_they_are_seen_at_the_lighter_point_and_say_so() -> None:
    sent = worked(Stream(overloaded=True))["verdict"].sent
    assert [told.point for told in sent if isinstance(told, Sightings)] == ["far", "fast", "fast"]


def test_in_lockstep_every_frame_gets_the_whole_work() -> None:
    stream = Stream(overloaded=True)
    sent = worked(stream, lockstep=True)["verdict"].sent
    assert {told.point for told in sent if isinstance(told, Sightings)} == {"far"} and stream.kept == 0


@pytest.mark.parametrize("stream", [Stream(intact=False), Stream(there=False)])
def test_of_a_frame_that_was_lost_nothing_is_said(stream: Stream) -> None:
    links = worked(stream, 2)
    assert links["codes"].sent == [] and links["recorder"].sent == [StreamEnd(2)]
    assert (stream.said, stream.answered) == ([], [0, 1])


@pytest.mark.parametrize("deaf", ["verdict", "recorder"])
def test_while_what_was_seen_is_not_taken_the_frame_is_not_answered_and_no_other_is_looked_at(deaf: str) -> None:
    """A receiver that does not read holds the frames up: none is lost, and this process goes on beating."""
    stream = Stream()
    links = {name: HeldLink() for name in ("verdict", "recorder", "codes")}
    parts: Any = (SimpleNamespace(link=links.__getitem__), Recogniser(), stream)
    service = PerceptionService(*parts, lockstep=True)
    stream.pending = FrameReady(0, 0, 2, 0)
    links[deaf].waiting = 1
    service.step()  # there was room once
    links[deaf].waiting = 0
    service.step()
    assert stream.said == [0] and stream.answered == [0]
    stream.pending = FrameReady(1, 0, 4, 40)
    links[deaf].post = lambda message: setattr(links[deaf], "waiting", 1) or True  # type: ignore[method-assign, func-returns-value]
    for _ in range(3):
        service.step()
    assert stream.said == [0, 1] and stream.answered == [0]
    links[deaf].waiting = 0
    service.step()
    assert stream.answered == [0, 1]
