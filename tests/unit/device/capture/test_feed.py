"""The thread that fills slots: each frame once, in order, at its time; its errors are the process's."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from device.capture.announce import Announcer
from device.capture.errors import InputError
from device.capture.feed import FrameFeed
from device.capture.settings import CaptureSettings
from device.capture.stream import StreamTally
from device.channel import damage, ring
from device.channel.messages import Beat, Codec, FrameDone, FrameReady, Message, StreamEnd, encode


class Reader:
    """Answers each frame when it is told of it."""

    peer = "perception"

    def __init__(self) -> None:
        self.told: list[Message] = []

    def try_send(self, message: Message) -> bool:
        self.told.append(message)
        return True


class Me:
    """As much of a compartment as a feed needs."""

    def __init__(self) -> None:
        self.handled = 0
        self.dropped: Counter[str] = Counter()
        self.facts: dict[str, int] = {}
        self.said: dict[str, int] | None = None
        self.samples: list[float] = []

    def sample(self, stage: str, seconds: float) -> None:
        self.samples.append(seconds)

    def pause(self, link: Any) -> None: ...
    def resume(self, link: Any) -> None: ...

    def done(self, facts: dict[str, int]) -> None:
        self.said = facts


class Source:
    """`times`: None for a frame that is no evidence. From `untimed_from` on what time it was is not known."""

    def __init__(
        self, times: Sequence[int | None], error: Exception | None = None, untimed_from: int = 1_000_000
    ) -> None:
        self._times, self._error, self._untimed_from = times, error, untimed_from
        self.tally, self.timed = StreamTally(), True

    def frames(self, slot: Any, start: int) -> Iterator[tuple[int, int | None]]:
        for number, t_ms in enumerate(self._times):
            if t_ms is not None:
                slot(4, 4)[:] = number
            self.timed = number < self._untimed_from
            yield number, t_ms
        if self._error is not None:
            raise self._error


def played(source: Any, pace: str, kind: str = "video", start: int = 0) -> tuple[Me, Reader]:
    me, reader = Me(), Reader()
    parts: Any = (me, [reader])
    announcer = Announcer(*parts, lockstep=pace == "lockstep")
    settings = CaptureSettings(kind, "/x", pace, 10.0, 4, 4, 25.0, start)  # type: ignore[arg-type]
    feed = FrameFeed(parts[0], ring.RingWriter(os.dup(ring.create())), announcer, settings)
    feed.start(source)
    link: Any = reader
    answered = 0
    while me.said is None:
        feed.step()
        for message in reader.told[answered:]:
            answered += 1
            if isinstance(message, FrameReady):
                announcer.answered(link, FrameDone(message.frame))
    feed.stop()
    return me, reader


@pytest.mark.parametrize("pace", ["lockstep", "realtime"])
def test_times_that_go_back_in_the_file_do_not_go_back_for_the_readers(pace: str) -> None:
    _, reader = played(Source([0, 4, 1, 0, 12]), pace)
    times = [told.t_ms for told in reader.told if isinstance(told, FrameReady)]
    assert times == sorted(times) and times[-1] == 12


def test_in_lockstep_every_frame_is_announced_once_and_the_end_is_told() -> None:
    me, reader = played(Source(list(range(0, 4000, 40))), "lockstep")
    frames = [told.frame for told in reader.told if isinstance(told, FrameReady)]
    assert frames == list(range(100))
    assert reader.told[-1] == StreamEnd(100) and me.said == {"frames": 100}
    assert len(me.samples) == 100


def test_in_realtime_a_frame_is_not_announced_before_it_is_due() -> None:
    _, reader = played(Source([0, 60, 120]), "realtime")
    first, *_, last = (told for told in reader.told if isinstance(told, FrameReady))
    assert last.frame == 2 and last.taken_us - first.taken_us >= 115_000


def test_a_camera_is_read_without_waiting_for_the_clock() -> None:
    _, reader = played(Source([0, 3_600_000]), "realtime", kind="camera")
    assert any(isinstance(told, FrameReady) and told.frame == 1 for told in reader.told)


def test_what_the_source_raises_ends_the_process_that_serves() -> None:
    with pytest.raises(InputError):
        played(Source([0, 40], InputError("camera_ended")), "realtime")


def test_while_a_camera_gives_nothing_the_process_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warden knows a stuck source by its silence."""
    monkeypatch.setattr("device.capture.feed._STUCK_SECONDS", 0.0)
    gives, asked = threading.Event(), threading.Event()

    class StuckSource:
        damaged = False

        def frames(self, slot: Any, start: int) -> Iterator[tuple[int, int]]:
            asked.set()
            gives.wait()
            slot(4, 4)[:] = 0
            yield 0, 0

    me: Any = Me()
    announcer = Announcer(me, [], lockstep=False)
    settings = CaptureSettings("camera", "/x", "realtime", 10.0, 4, 4, 25.0, 0)
    feed = FrameFeed(me, ring.RingWriter(os.dup(ring.create())), announcer, settings)
    feed.start(StuckSource())
    asked.wait()
    serving = threading.Thread(target=feed.step)
    serving.start()
    assert serving.is_alive() and me.said is None
    gives.set()
    serving.join(30)
    assert not serving.is_alive()
    feed.stop()


@pytest.mark.parametrize("pace", ["lockstep", "realtime"])
def test_a_frame_that_is_no_evidence_is_not_announced_and_keeps_its_number(pace: str) -> None:
    source = Source([0, None, 80, None, None], untimed_from=2)
    source.tally.damaged("frames_corrupt")
    me, reader = played(source, pace)
    ready = [message for message in reader.told if isinstance(message, FrameReady)]
    shown = dict.fromkeys((message.frame, message.t_ms, message.timed) for message in ready)
    assert list(shown) == [(0, 0, True), (2, 80, False)]
    assert me.said == {"frames": 5, "damage.frames_corrupt": 1}
    assert (me.facts["passed_over"], me.facts["reached"], me.facts.get("pause_ms", 0)) == (3, 5, 0)


@pytest.mark.parametrize("start", [0, 1, 3, 5])
def test_damage_is_passed_over_once_wherever_a_restart_goes_on(start: int) -> None:
    """Frames before it that were shown count for nothing, damaged ones as they did for the predecessor."""

    class Damaged(Source):
        def frames(self, slot: Any, start: int) -> Iterator[tuple[int, int | None]]:
            for number in range(6):
                if number in (1, 2, 4):
                    self.tally.damaged("frames_corrupt")
                    yield number, None
                elif number < start:
                    yield number, None
                else:
                    slot(4, 4)[:] = number
                    yield number, 40 * number

    me, _ = played(Damaged([]), "lockstep", start=start)
    assert me.said == {"frames": 6, "damage.frames_corrupt": 3} and me.facts["passed_over"] == 3


def test_all_facts_that_capture_can_have_at_once_fit_into_a_beat() -> None:
    tally = StreamTally()
    for name in damage.DAMAGES:
        tally.damaged(name)
    times = ("time.breaks", "time.guessed", "time.unknown", "time.missing", "index.hidden")
    own = ("pause_ms", "reached", "passed_over")
    readers = [f"{name}_{what}" for name in ("perception", "codes") for what in ("given", "answered", "leases_lost")]
    facts = {**tally.facts, **dict.fromkeys((*times, *own, *readers), 1)}
    beat = Beat(0, {}, {}, {}, facts)
    assert Codec(Beat).decode(encode(beat)) == beat
