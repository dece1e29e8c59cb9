"""Who has work and does not go on with it: by what was announced and answered, whatever beats."""

from __future__ import annotations

from typing import Any

import pytest

from device.warden.progress import MAX_PASSING_SECONDS, MAX_PAUSE_SECONDS, PASSED_A_SECOND, FrameProgress, Stall
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


def passing(road: Road, seconds: int, **facts: Any) -> Stall | None:
    """Capture gives nothing, and says of that what the functions of the second say."""
    for n in range(1, seconds + 1):
        road.now += 1.0
        road.say(20)
        given = {f"{reader}_{what}": 20 for reader in ("perception", "codes") for what in ("given", "answered")}
        said = {**given, **{key.replace("__", "."): value(n) for key, value in facts.items()}}
        road.children["capture"].say(20, **said)
        children: Any = road.children
        if (stall := road.progress.stalled(children, road.now)) is not None:
            return stall
    return None


def test_frames_that_are_passed_over_without_a_word_are_no_progress() -> None:
    """Capture's own count of them goes on for ever; damage alone, which the user is told of, takes time."""
    road = Road()
    road.second(20)
    assert passing(road, 40, reached=lambda n: 1000 * n) == ("capture",) and road.now <= LIMIT + 3


@pytest.mark.parametrize("rate", [5, 30, 300])
def test_a_long_damaged_stretch_that_is_told_is_no_stall(rate: int) -> None:
    road = Road()
    road.second(20)
    assert passing(road, 400, damage__frames_corrupt=lambda n: rate * n) is None


@pytest.mark.parametrize("rate", [1, 2**30])
def test_damage_that_is_told_too_slowly_or_too_long_is_a_stall(rate: int) -> None:
    road = Road()
    road.second(20)
    assert passing(road, 700, damage__frames_corrupt=lambda n: rate * n) == ("capture",)
    assert road.now <= LIMIT + MAX_PASSING_SECONDS + 3


def on_its_way(seconds: int, came: int, reached: Any) -> tuple[float, Stall] | None:
    """A drive of `came` frames, one a second; capture falls, and starts again from the first frame."""
    road = Road()
    assert road.first_stall(came, lambda n: n) is None
    road.children["capture"] = FakeChild("capture")
    began = road.now
    for n in range(1, seconds + 1):
        road.now += 1.0
        road.children["capture"].say(0, reached=reached(n))
        children: Any = road.children
        if (stall := road.progress.stalled(children, road.now)) is not None:
            return road.now - began, stall
    return None


def test_a_source_on_its_way_to_where_it_fell_goes_on() -> None:
    assert on_its_way(150, 1000, lambda n: 6 * n) is None


@pytest.mark.parametrize("reached", [lambda n: 2**40, lambda n: 1000 * n, lambda n: n])
def test_a_source_that_never_comes_to_where_it_fell_is_found(reached: Any) -> None:
    """The way there is as long as it was, whatever is said of it."""
    found = on_its_way(2000, 100, reached)
    assert found is not None and found[1] == ("capture",) and found[0] <= LIMIT + 100 / PASSED_A_SECOND + 2


def test_a_source_that_names_frames_and_gives_none_is_found() -> None:
    """Its own count goes on, and neither what it gave nor what was answered."""
    found = Road().first_stall(
        100,
        at(20),
        capture=lambda n: n,
    )
    assert found is not None and found[1] == ("capture",)


def test_a_pause_is_for_frames_that_are_not_due_and_in_lockstep_none_is() -> None:
    found = Road().first_stall(80, at(20), pause_ms=60_000)
    assert found is not None and found[1] == ("capture",) and found[0] <= 20 + LIMIT + 2


def test_counts_that_crawl_while_nothing_goes_all_the_way_end_the_run() -> None:
    """Capture names a frame more now and then, and answers to them: too few to be a lag, and never still."""
    road = Road()
    crawls = lambda n: 20 + n // 20 if n > 20 else n  # noqa: E731
    for n in range(1, 300):
        stall = road.second(crawls(n), perception=min(n, 20), perception_frames=min(n, 20))
        if stall is None and (stuck := road.progress.stuck(road.now, 60.0)) is not None:
            assert "perception" in stuck and 20 + 3 * LIMIT < road.now <= 20 + 3 * LIMIT + 62
            return
        assert stall is None
    pytest.fail("it would go on for ever")


@pytest.mark.parametrize("name", ["capture", "perception", "codes", "verdict"])
def test_a_new_process_has_no_more_time_than_its_predecessor_left(name: str) -> None:
    """It is there and does nothing, and another takes its place each ten seconds."""
    road = Road()
    assert road.first_stall(20, lambda n: n) is None
    for n in range(1, 100):
        if n % 10 == 0:
            road.children[name] = FakeChild(name)  # type: ignore[arg-type]
        if (stall := road.second(20, perception_given=21)) is not None:
            assert "perception" in stall and n <= LIMIT + 3
            return
    pytest.fail("it would go on for ever")


def test_while_one_is_away_no_other_loses_time() -> None:
    road = Road()
    assert road.first_stall(20, lambda n: n) is None
    codes = road.children.pop("codes")
    for _ in range(100):
        road.now += 1.0
        children: Any = road.children
        assert road.progress.stalled(children, road.now) is None
    road.children["codes"] = codes
    assert road.first_stall(25, 20) is None


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


def test_who_accuses_is_a_suspect_and_what_has_no_part_in_the_frames_is_none() -> None:
    """Else a liar that sends the frames round and round is not among those who are named."""
    road = Road()
    road.second(9)
    for name in ("uplink", "indicator", "perception", "capture"):
        road.progress.fell(name)  # type: ignore[arg-type]
    for _ in range(1000):
        road.second(9)
    assert road.progress.stuck(road.now, 60.0) == ("perception", "capture")


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ({}, ("capture", "perception", "codes", "verdict")),
        ({"codes_answered": 8}, ("codes", "capture")),
        ({"perception_answered": 8}, ("perception", "capture")),
    ],
)
def test_where_the_end_is_not_heard_of_those_who_pass_it_on_are_named(said: dict[str, int], who: Stall) -> None:
    road = Road()
    road.second(9, **said)
    assert road.progress.at_fault() == who
    road.progress.fell("capture")
    assert road.progress.at_fault() == ("capture",)
