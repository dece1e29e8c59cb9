"""Who has work and does not go on with it: by what was announced and answered, whatever beats."""

from __future__ import annotations

from typing import Any

import pytest

from device.warden.progress import MAX_PAUSE_SECONDS, FrameProgress, Stall
from tests.support.warden_bench import FakeChild

LIMIT = 30.0
NAMES: Any = ("capture", "perception", "codes", "verdict")


class Road:
    """Four compartments that count frames, and one second at a time."""

    def __init__(self, *, lockstep: bool = True) -> None:
        self.children = {name: FakeChild(name) for name in NAMES}
        self.progress = FrameProgress(LIMIT, lockstep=lockstep)
        self.now = 0.0

    def say(self, announced: int, **changes: int) -> None:
        """Everything is well, but for `changes`: a fact, or a compartment for what it has handled."""
        said = {
            f"{reader}_{fact}": announced for reader in ("perception", "codes") for fact in ("given", "answered")
        } | {key: value for key, value in changes.items() if "_" in key and not key.endswith("_frames")}
        self.children["capture"].say(changes.get("capture", announced), **said)
        for reader in ("perception", "codes"):
            blocked = changes.get(f"{reader}_blocked", 0)
            self.children[reader].say(changes.get(reader, announced), blocked=blocked)
        heard = {f"{reader}_frames": changes.get(f"{reader}_frames", announced) for reader in ("perception", "codes")}
        self.children["verdict"].say(announced, **heard)

    def second(self, announced: int, **changes: int) -> Stall | None:
        self.now += 1.0
        self.say(announced, **changes)
        children: Any = self.children
        return self.progress.stalled(children, self.now)

    def first_stall(self, seconds: int, announced: Any, **changes: Any) -> tuple[float, Stall] | None:
        """When, and who. Numbers may be functions of the second."""
        value = lambda what, n: what(n) if callable(what) else what  # noqa: E731
        for n in range(1, seconds + 1):
            stall = self.second(value(announced, n), **{key: value(what, n) for key, what in changes.items()})
            if stall is not None:
                return self.now, stall
        return None


def at(number: int) -> Any:
    """A count that goes on until there, and no further."""
    return lambda n: min(n, number)


def test_a_run_that_goes_on_is_nobodys_fault() -> None:
    assert Road().first_stall(300, lambda n: n) is None


@pytest.mark.parametrize("reader", ["perception", "codes"])
def test_a_reader_that_answers_nothing_is_found_although_it_beats(reader: str) -> None:
    quiet = {f"{reader}_answered": at(20), reader: at(20), f"{reader}_frames": at(20)}
    found = Road().first_stall(100, at(23), **quiet)
    assert found is not None and found[1] == (reader, "capture")
    assert LIMIT < found[0] - 20 <= LIMIT + 3


@pytest.mark.parametrize("reader", ["perception", "codes"])
def test_a_reader_whose_word_verdict_does_not_take_is_at_fault_with_verdict(reader: str) -> None:
    held = {f"{reader}_answered": at(20), reader: at(21), f"{reader}_frames": at(20), f"{reader}_blocked": 1}
    found = Road().first_stall(100, at(23), **held)
    assert found is not None and found[1] == (reader, "verdict")


def test_a_reader_that_answers_and_judges_nothing_is_found() -> None:
    found = Road().first_stall(100, lambda n: n, perception=at(20), perception_frames=at(20))
    assert found is not None and found[1] == ("perception", "capture")


def test_a_reader_that_judges_and_tells_verdict_nothing_is_found() -> None:
    found = Road().first_stall(100, lambda n: n, codes_frames=at(20))
    assert found is not None and found[1] == ("codes", "verdict")


@pytest.mark.parametrize("lockstep", [True, False])
def test_a_source_that_gives_nothing_and_waits_for_nobody_is_at_fault_alone(lockstep: bool) -> None:
    found = Road(lockstep=lockstep).first_stall(100, at(20))
    assert found is not None and found[1] == ("capture",) and LIMIT < found[0] - 20 <= LIMIT + 2


def test_in_realtime_a_source_waits_for_no_reader() -> None:
    """Both are found, the source too where only a reader holds a frame."""
    road = Road(lockstep=False)
    found = road.first_stall(100, at(20), perception_given=21, perception_answered=at(20))
    assert found is not None and set(found[1]) <= {"capture", "perception"}


def test_a_source_that_says_that_a_reader_owes_an_answer_is_in_the_pair_that_it_brings_up() -> None:
    found = Road().first_stall(100, at(20), codes_given=2**40)
    assert found is not None and found[1] == ("codes", "capture")


def test_a_reader_that_lies_about_itself_brings_up_no_pair_without_itself() -> None:
    for word in (0, 1, 2**40):
        found = Road().first_stall(100, at(20), perception_given=21, perception=lambda n: n, perception_blocked=word)
        assert found is not None and "perception" in found[1]


def test_a_source_at_its_end_has_no_work() -> None:
    road = Road()
    road.children["capture"].done = {"frames": 20}
    assert road.first_stall(300, at(20)) is None


def test_a_pause_of_the_recording_is_waited_out_but_not_for_ever() -> None:
    assert Road(lockstep=False).first_stall(80, at(20), pause_ms=60_000) is None
    found = Road(lockstep=False).first_stall(1000, at(20), pause_ms=2**50)
    assert found is not None and found[0] <= 20 + LIMIT + MAX_PAUSE_SECONDS + 2


def test_a_source_on_its_way_to_where_it_fell_goes_on() -> None:
    road = Road()
    for n in range(1, 200):
        road.say(0)
        road.children["capture"].say(0, reached=n)
        children: Any = road.children
        assert road.progress.stalled(children, float(n)) is None


def test_who_was_excused_has_the_whole_time_again() -> None:
    road = Road()
    for _ in range(5):
        assert road.first_stall(25, 20) is None
        road.progress.excuse(road.now)


def test_nobody_is_blamed_while_one_of_them_is_being_restarted() -> None:
    road = Road()
    del road.children["codes"]
    for n in range(1, 100):
        children: Any = road.children
        assert road.progress.stalled(children, float(n)) is None
