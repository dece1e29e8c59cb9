"""Who is given which frame, and which slots are spared: for honest readers, slow readers and hostile ones."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from device.capture.announce import AHEAD, LEASE_SECONDS, MAX_LEASE_SECONDS, Announcer
from device.channel.messages import FrameDone, FrameReady, Message, StreamEnd
from device.channel.ring import SLOTS


@dataclass(eq=False)
class HeldLink:
    """A link whose messages are kept; `full` is a queue that takes no more."""

    peer: str
    full: bool = False
    told: list[Message] = field(default_factory=list)

    def try_send(self, message: Message) -> bool:
        if not self.full:
            self.told.append(message)
        return not self.full

    @property
    def frames(self) -> list[int]:
        """The frames that it was told of, each once, in order."""
        return list(dict.fromkeys(message.frame for message in self.told if isinstance(message, FrameReady)))


class Device:
    """An announcer, its two readers, a clock that is set by hand, and a writer as careful as the ring's."""

    def __init__(self, *, lockstep: bool = False) -> None:
        self.now = 0.0
        self.handled = 0
        self.facts: dict[str, int] = {}
        self.paused: set[Any] = set()
        self.perception, self.codes = HeldLink("perception"), HeldLink("codes")
        readers: Any = [self.perception, self.codes]
        me: Any = self
        self.announcer = Announcer(me, readers, lockstep=lockstep, clock=lambda: self.now)
        self.next = 0
        self.slots: dict[int, int] = {}  # slot -> the frame in it

    def pause(self, link: Any) -> None:
        self.paused.add(link)

    def resume(self, link: Any) -> None:
        self.paused.discard(link)

    def write(self, frames: int = 1, seconds: float = 0.0) -> None:
        """Write and publish frames, each in a slot that is not spared; it is an error when there is none."""
        for _ in range(frames):
            slot = min(set(range(SLOTS)) - self.announcer.spared(), key=lambda slot: self.slots.get(slot, -1))
            self.slots[slot] = self.next
            self.now += seconds
            self.announcer.publish(FrameReady(self.next, slot, 2 * self.next + 2, self.next * 40))
            self.announcer.step()
            self.next += 1

    def answer(self, link: HeldLink, frame: int | None = None) -> None:
        """The reader is done with a frame, else with the last that it was told of."""
        told: Any = link
        self.announcer.answered(told, FrameDone(link.frames[-1] if frame is None else frame))
        self.announcer.step()

    def holds(self, frame: int) -> bool:
        """Whether a frame is still in the ring."""
        return frame in self.slots.values()


@pytest.fixture
def device() -> Device:
    return Device()


# --- realtime -----------------------------------------------------------------------------------------------------


def test_a_reader_gets_the_newest_frame_after_each_answer_and_no_other(device: Device) -> None:
    device.write(5)
    assert device.perception.frames == [0]
    device.answer(device.perception)
    assert device.perception.frames == [0, 4]
    device.answer(device.perception)
    assert device.perception.frames == [0, 4]
    device.write()
    assert device.perception.frames == [0, 4, 5]


def test_a_frame_stays_in_the_ring_until_its_reader_has_answered(device: Device) -> None:
    device.write()
    device.answer(device.codes)
    device.write(50)
    assert device.holds(0) and device.codes.frames == [0, 1]
    device.answer(device.perception)
    device.write(4)
    assert not device.holds(0)


def test_the_writer_goes_on_while_both_readers_hold_different_slots(device: Device) -> None:
    device.write()
    device.write(20)
    device.answer(device.codes)
    device.write(200)
    assert device.holds(0) and device.holds(20) and device.holds(220)


@pytest.mark.parametrize("every", [2, 3, 4, 7])
def test_a_slow_reader_skips_evenly(device: Device, every: int) -> None:
    for number in range(60):
        device.write()
        if number % every == every - 1:
            device.answer(device.perception)
    gaps = [after - before for before, after in itertools.pairwise(device.perception.frames)]
    assert set(gaps[1:]) == {every}


def test_one_reader_does_not_slow_the_other(device: Device) -> None:
    for _ in range(30):
        device.write()
        device.answer(device.codes)
    assert device.perception.frames == [0] and device.codes.frames == list(range(30))


def test_an_announcement_that_a_full_queue_does_not_take_is_made_again_with_the_newest(device: Device) -> None:
    device.perception.full = True
    device.write(3)
    assert device.perception.frames == []
    device.perception.full = False
    device.write()
    assert device.perception.frames == [3]


def test_a_lease_that_is_held_for_too_long_is_taken_away_and_counted(device: Device) -> None:
    device.write()
    device.write(10, seconds=LEASE_SECONDS / 8)
    assert device.perception.frames[0] == 0 and len(device.perception.frames) == 2
    device.write(4)
    assert not device.holds(0)
    lost = {name: count for name, count in device.facts.items() if name.endswith("_lost")}
    assert lost == {"perception_leases_lost": 1, "codes_leases_lost": 1}


def test_a_reader_that_keeps_losing_its_lease_is_given_more_time_up_to_a_bound(device: Device) -> None:
    lost = []
    for _ in range(2000):
        before = len(device.perception.frames)
        device.write(seconds=0.1)
        if len(device.perception.frames) > before:
            lost.append(device.now)
    spans = [after - before for before, after in itertools.pairwise(lost)]
    assert spans[:4] == pytest.approx([LEASE_SECONDS, 2 * LEASE_SECONDS, 4 * LEASE_SECONDS, MAX_LEASE_SECONDS], abs=0.3)
    assert spans[4:] == pytest.approx([MAX_LEASE_SECONDS] * len(spans[4:]), abs=0.3)
    device.answer(device.perception)
    count = device.facts["perception_leases_lost"]
    device.write(int(LEASE_SECONDS / 0.1) + 2, seconds=0.1)
    assert device.facts["perception_leases_lost"] == count + 1


def test_a_reader_that_was_restarted_while_it_held_a_frame_is_told_of_it_again_and_then_gets_the_newest(
    device: Device,
) -> None:
    device.write()
    device.perception.told.clear()  # the reader dies; its successor never heard of frame 0
    device.write(20, seconds=0.04)
    assert device.perception.frames == [0] and device.holds(0)
    device.answer(device.perception)
    assert device.perception.frames == [0, 20]


# --- hostile readers ----------------------------------------------------------------------------------------------


def test_a_silent_reader_costs_the_other_nothing(device: Device) -> None:
    for _ in range(400):
        device.write(seconds=0.04)
        device.answer(device.codes)
    assert device.codes.frames == list(range(400))


def test_a_reader_that_answers_at_once_loses_its_own_frames_only(device: Device) -> None:
    device.write()
    held = device.codes.frames[-1]
    for _ in range(50):
        device.answer(device.perception)
        device.write()
    assert device.holds(held) and device.perception.frames == list(range(51))


@pytest.mark.parametrize("frame", [1, 7, 2**40])
def test_an_answer_for_a_frame_that_was_not_given_frees_nothing(device: Device, frame: int) -> None:
    device.write()
    device.answer(device.perception, frame)
    device.write(20)
    assert device.holds(0) and device.perception.frames == [0]


def test_an_answer_for_the_others_frame_does_not_free_it(device: Device) -> None:
    device.write()
    device.answer(device.codes)
    device.write()
    device.answer(device.perception)
    device.write()
    assert device.codes.frames[-1] == 1 and device.perception.frames[-1] == 1
    device.answer(device.perception, 1)
    device.write(20)
    assert device.holds(1)


def test_a_flood_of_answers_is_not_read_for_a_moment(device: Device) -> None:
    device.write()
    device.answer(device.perception, 99)
    assert device.paused == {device.perception}
    device.write(seconds=1.0)
    assert device.paused == set()


# --- the end ------------------------------------------------------------------------------------------------------


def test_the_end_comes_when_each_reader_has_answered_the_newest_frame(device: Device) -> None:
    device.write(3)
    assert not device.announcer.all_answered()
    for _ in range(2):
        device.answer(device.perception)
        device.answer(device.codes)
    assert device.perception.frames == [0, 2] and device.announcer.all_answered()
    device.perception.full = True
    device.announcer.tell_end(StreamEnd(3))
    assert device.codes.told[-1] == StreamEnd(3)


# --- lockstep -----------------------------------------------------------------------------------------------------


def test_readers_go_on_apart_but_no_slot_is_written_again_before_all_are_done() -> None:
    device = Device(lockstep=True)
    while device.announcer.wait_for_room(0.0):
        device.write()
    for frame in range(AHEAD):
        device.answer(device.perception, frame)
    assert device.perception.frames == list(range(AHEAD)) and device.codes.frames == [0]
    assert not device.announcer.wait_for_room(0.0)
    for frame in range(AHEAD):
        device.answer(device.codes, frame)
        assert device.announcer.wait_for_room(0.0)
        device.write()
        if frame + AHEAD in device.perception.frames:
            device.answer(device.perception, frame + AHEAD)
    assert device.codes.frames == list(range(AHEAD + 1))


def test_in_lockstep_no_lease_is_taken_away_and_the_frame_is_announced_again() -> None:
    device = Device(lockstep=True)
    device.write()
    for _ in range(30):
        device.now += LEASE_SECONDS
        device.announcer.step()
    assert device.perception.frames == [0] and len(device.perception.told) == 31
    assert device.facts == {
        "perception_given": 1, "perception_answered": 0, "codes_given": 1, "codes_answered": 0,
    }  # fmt: skip
