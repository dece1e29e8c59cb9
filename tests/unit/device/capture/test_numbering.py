"""In which order images were taken, and how much time is between them, by their names and their times."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from device.capture.numbering import Times, Turn, differ, follow, named_fps, natural, numbered


def named(pattern: str, *numbers: int) -> list[str]:
    return [pattern % number for number in numbers]


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        (named("f_%04d.jpg", 1, 2, 3, 40, 41), [0, 1, 2, 39, 40]),
        (named("f_%d.jpg", 0, 200, 400, 1000, 1200), [0, 1, 2, 5, 6]),
        (named("cam2_f%06d.png", 100_000, 100_001, 100_002, 100_090, 100_091), [0, 1, 2, 90, 91]),
        (named("101559%02d.jpg", 1), [0]),
        (named("%06d.jpg", 101_557, 101_558, 101_559, 101_600, 101_601), [0, 1, 2, 3, 4]),  # a time of day
        (named("f_%d.jpg", 1, 2, 3, 7, 9, 15), [0, 1, 2, 3, 4, 5]),  # no even numbering
        (["a_1.jpg", "a_2.jpg", "b_1.jpg", "b_9.jpg"], [0, 1, 2, 3]),  # two of them
        (["x.jpg", "y.jpg"], [0, 1]),
        (["f_1.jpg", "f_1.png", "f_2.jpg"], [0, 1, 2]),
        (["f_01_3.jpg", "f_02_5.jpg"], [0, 1]),
        (["f_3a.jpg", "f_3b.jpg"], [0, 1]),
    ],
)
def test_images_that_are_missing_from_the_numbering_take_their_time(names: list[str], steps: list[int]) -> None:
    assert numbered(names) == steps


def told(moments: Sequence[float] | None) -> Times:
    return lambda places: None if moments is None else [moments[place] for place in places]


LOW, HIGH = range(1, 48), range(9980, 10_000)
ENDS = named("DSC_%04d.jpg", *LOW, *HIGH)
AS_COPIED = [0.001 * place for place in range(67)]  # in the order of the names
AS_RUN_OVER = [20 + 0.2 * place for place in range(47)] + [0.2 * place for place in range(20)]
AS_A_GAP = [0.2 * place for place in range(47)] + [1990 + 0.2 * place for place in range(20)]
SAME = [1.0] * 67


@pytest.mark.parametrize(
    ("taken", "written", "turn"),
    [
        (None, None, "over"),
        (None, AS_RUN_OVER, "over"),
        (None, AS_COPIED, "over"),
        (None, SAME, "over"),
        (None, AS_A_GAP, "none"),
        (SAME, AS_A_GAP, "none"),
        (AS_RUN_OVER, AS_A_GAP, "over"),
        (AS_COPIED, AS_RUN_OVER, "none"),  # no copy changes when an image was taken
    ],
)
def test_a_counter_that_ran_over_is_told_from_a_gap(
    taken: Sequence[float] | None, written: Sequence[float] | None, turn: Turn
) -> None:
    found = follow(ENDS, told(taken), told(written))
    assert (found.turn, found.timed, found.sets) == (turn, 67, 0)
    if turn == "over":
        assert found.order == [*range(47, 67), *range(47)] and found.steps == list(range(67))
    else:
        assert found.order == list(range(67)) and found.steps[-1] == 9998


@pytest.mark.parametrize(
    ("names", "low"),
    [
        (named("IMG_%05d.png", 0, 1, 2, 99_998, 99_999), 3),
        (named("f_%d.png", 0, 1, 2, 65_534, 65_535), 3),
        (named("GOPR%04d.JPG", 3, 6, 9, 9990, 9993, 9996, 9999), 3),
        (named("%06d.jpg", 0, 1, 2, 3, 235_957, 235_958, 235_959), 4),  # midnight
        (named("MOV%03d.jpg", 1, 2, 998, 999), 2),
    ],
)
def test_counters_of_every_size_run_over(names: list[str], low: int) -> None:
    found = follow(names)
    assert found.turn == "over" and found.steps == list(range(len(names)))
    assert found.order == [*range(low, len(names)), *range(low)]


@pytest.mark.parametrize(
    ("numbers", "turn"),
    [
        ((4, 5, 6, 9993, 9994, 9995), "unknown"),  # some are lost where it would have run over
        ((*range(1, 5000), *range(5100, 10_000)), "unknown"),  # or a hundred in the middle
        ((1, 2, 3, 500, 501), "none"),
        ((1, 2, 98, 99), "none"),
        ((5000, 5001, 9998, 9999), "none"),
    ],
)
def test_where_nothing_tells_the_images_behind_have_no_time(numbers: Sequence[int], turn: Turn) -> None:
    found = follow(named("f_%d.jpg", *numbers))
    gap = max(range(1, len(numbers)), key=lambda place: numbers[place] - numbers[place - 1])
    assert found.turn == turn and found.order == list(range(len(numbers)))
    assert found.timed == (gap if turn == "unknown" else len(numbers))


@pytest.mark.parametrize(
    ("names", "sets", "timed"),
    [
        (named("left_%04d.jpg", 0, 1, 2) + named("right_%04d.jpg", 0, 1, 2), 2, 3),
        (["1_left.jpg", "1_right.jpg", "2_left.jpg", "2_right.jpg"], 2, 1),
        (named("cam1_f%d.jpg", 1, 2) + named("cam2_f%d.jpg", 1, 2), 0, 4),  # two numbers, one pattern
        (named("a%d.jpg", 1, 2) + named("b%d.jpg", 3, 4), 0, 4),
        ([*named("f%d.jpg", *range(20)), "thumb1.jpg"], 0, 21),
        (sorted(f"{7 * number:08x}.jpg" for number in range(67)), 0, 67),
        (["x.jpg", "y.jpg"], 0, 2),
    ],
)
def test_sets_of_names_with_the_same_numbers_are_of_several_cameras(names: list[str], sets: int, timed: int) -> None:
    found = follow(sorted(names, key=natural))
    assert (found.sets, found.timed) == (sets, timed)


@pytest.mark.parametrize(
    ("names", "fps"),
    [
        (named("2026-11-27_09-15-%02d.jpg", 10, 11, 12, 13), 1.0),
        (named("IMG_20261127_0915%02d_000.jpg", 10, 11, 12, 13), 1.0),
        (named("%d.jpg", 1_795_770_946_000, 1_795_770_946_500, 1_795_770_948_000), 1.0),
        (named("2026-11-27_09-15-%02d.jpg", 10, 10, 10, 11), 0.0),  # too short to tell
        (named("2026-11-27_09-15-%02d.jpg", 10, 20, 11), 0.0),
        (named("f_%04d.jpg", 1, 2, 3), 0.0),
        (named("20261127_%06d.jpg", *range(1, 40)), 0.0),  # a date and a number
        (named("%d.jpg", 1_000_000_001, 1_000_000_003, 1_000_000_005), 0.0),
        (named("20261127_1015%02d.jpg", 10, 40, 70), 0.0),
        (["2026-11-27_09-15-10.jpg", "f.jpg"], 0.0),
        (named("2026-13-27_09-15-%02d.jpg", 10, 11, 12, 13), 0.0),
    ],
)
def test_names_may_tell_the_rate(names: list[str], fps: float) -> None:
    assert named_fps(names, len(names) - 1) == pytest.approx(fps)


def test_rates_differ_by_half_and_more() -> None:
    assert differ(1.0, 5.0) and differ(30.0, 15.0) and not differ(29.97, 30.0) and not differ(0.0, 5.0)
