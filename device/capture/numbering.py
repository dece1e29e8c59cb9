"""In which order the images of a folder were taken, and how much time is between them, by their names.

A name is a claim. Where numbers are missing, time went on. Where a camera's counter ran over (9999, 0001) the highest
numbers are the earliest; a folder of the two ends of one numbering looks the same, and the images' own times tell them
apart. Where nothing does, and where two cameras wrote into one folder, the images behind that have no time.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import PurePath
from typing import Final, Literal

_CLOCK_FROM: Final = 100_000
"""A number of six digits may be a time of day, whose seconds end at 59."""
_LEAST_DIGITS: Final = 3
"""A counter of fewer digits does not run over within a drive: it would have no room for it."""
_TOPS: Final = (2**15 - 1, 2**16 - 1, 235_959)
"""The last numbers of counters that count in binary, and of a time of day."""
_FEW: Final = 10
"""So many steps may be lost where a counter runs over; the gap between its ends is as many times wider."""
_SURE: Final = 2
_SET_SHARE: Final = 0.2
"""A set of names is told from odd ones by being so large a part of the folder."""
_LEAST_OF_A_SET: Final = 2
_MOMENT: Final = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_.T ]{0,3}(\d\d)[-_.h]?(\d\d)[-_.m]?(\d\d)(?:[-_.]?(\d{3}))?(?!\d)"
)
_EPOCH: Final = re.compile(r"(?<!\d)(1[4-9]\d{8})(\d{3})?(?!\d)")
_LEAST_TOLD_S: Final = 2.0
_OTHER_RATE: Final = 1.5
"""Rates that differ by this factor and more are not the same, told to the second."""

Turn = Literal["none", "over", "unknown"]
Times = Callable[[Sequence[int]], Sequence[float] | None]
"""When images were taken, seconds from any zero, by where their names stand; None where that is not known of all."""


@dataclass(frozen=True)
class Numbering:
    """How a folder's images follow each other.

    Attributes:
        order: where in the natural order of the names each stands, in the order in which they were taken.
        steps: how many steps of the rate each is after the first, in that order.
        turn: whether the counter ran over among them.
        sets: how many sets of names tell the same numbers, as of several cameras; 0 where none do.
        timed: from the first on so many have a time.
    """

    order: list[int]
    steps: list[int]
    turn: Turn
    sets: int
    timed: int


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """The key of the natural order of names: numbers by their value."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d{1,18})", name))


def follow(names: Sequence[str], taken: Times | None = None, written: Times | None = None) -> Numbering:
    """How the images of these names follow each other.

    Args:
        names: in their natural order.
        taken: when they were taken, by their camera.
        written: when their files were written, which a copy changes.
    """
    order, steps, sets = list(range(len(names))), numbered(names), _sets(names)
    numbers = _numbers(names)
    at = _seam(numbers) if numbers is not None else None
    if at is None or numbers is None:
        return Numbering(order, steps, "none", len(set(sets)) if any(sets) else 0, _of_one_set(sets))
    turn = _turn(numbers, at, taken, written)
    if turn != "over":
        return Numbering(order, steps, turn, 0, at if turn == "unknown" else len(names))
    again = numbers[-1] - numbers[0] + _over(numbers, _top(numbers))
    unrolled = [*numbers[at:], *(again + number for number in numbers[:at])]
    return Numbering([*order[at:], *order[:at]], _steps(unrolled), turn, 0, len(names))


def numbered(names: Sequence[str]) -> list[int]:
    """How many steps of the rate each image is after the first, by the numbers in the names; one each, where these tell
    no numbering.

    A numbering is one number that alone differs, and grows by the same most of the time and by a multiple elsewhere.
    """
    numbers = _numbers(names)
    return list(range(len(names))) if numbers is None else _steps(numbers)


def named_fps(names: Sequence[str], steps: int) -> float:
    """How many images a second the times in the names tell, 0 where they tell none. `steps`: from the first to last."""
    moments = [_moment(name) for name in names]
    known = [moment for moment in moments if moment is not None]
    if len(known) != len(names) or any(after < before for before, after in pairwise(known)):
        return 0.0
    span = known[-1] - known[0]
    return steps / span if span >= _LEAST_TOLD_S else 0.0


def differ(fps: float, other_fps: float) -> bool:
    """Whether two rates are not the same; 0 is none."""
    return min(fps, other_fps) > 0 and max(fps, other_fps) > _OTHER_RATE * min(fps, other_fps)


# --- one numbering ------------------------------------------------------------------------------------------------


def _numbers(names: Sequence[str]) -> list[int] | None:
    """The number that alone differs among the names."""
    parts = [re.split(r"(\d{1,18})", name) for name in names]
    if len({len(one) for one in parts}) != 1:
        return None
    differing = [at for at in range(len(parts[0])) if len({one[at] for one in parts}) > 1]
    if len(differing) != 1 or differing[0] % 2 == 0:
        return None
    return [int(one[differing[0]]) for one in parts]


def _steps(numbers: Sequence[int]) -> list[int]:
    """The steps of one numbering, one each where it is none."""
    even = list(range(len(numbers)))
    gaps = [after - before for before, after in pairwise(numbers)]
    step = _step(numbers)
    if step <= 0 or 2 * gaps.count(step) <= len(gaps) or any(gap <= 0 or gap % step for gap in gaps):
        return even
    if any(gap > step and _is_clock(before, before + gap) for before, gap in zip(numbers, gaps, strict=False)):
        return even
    return [(number - numbers[0]) // step for number in numbers]


def _step(numbers: Sequence[int]) -> int:
    gaps = Counter(after - before for before, after in pairwise(numbers))
    return gaps.most_common(1)[0][0]


def _is_clock(before: int, after: int) -> bool:
    """Whether a leap is that of a time of day that is written as a number, at a full minute."""
    return before >= _CLOCK_FROM and before % 100 < 60 and after % 100 < 60 and after // 100 != before // 100


# --- a counter that ran over --------------------------------------------------------------------------------------


def _top(numbers: Sequence[int]) -> int:
    """The last number of a counter that reaches this far: in as many digits, or a nearer one."""
    tops = (10 ** len(str(numbers[-1])) - 1, *_TOPS)
    return min(top for top in tops if top >= numbers[-1])


def _over(numbers: Sequence[int], top: int) -> int:
    """From the highest number over the counter's end to the lowest. One without a 0 begins at 1, as cameras' do."""
    return top - numbers[-1] + 1 + numbers[0] - min(numbers[0], 1)


def _seam(numbers: Sequence[int]) -> int | None:
    """Where, in ascending order, a gap lies between the two ends of a counter: its numbers may have run over."""
    gaps = [after - before for before, after in pairwise(numbers)]
    step = _step(numbers)
    if step <= 0 or len(str(numbers[-1])) < _LEAST_DIGITS:
        return None
    over = _over(numbers, _top(numbers))
    widest = max(gaps)
    return gaps.index(widest) + 1 if over <= _FEW * step and widest >= _FEW * max(over, step) else None


def _turn(numbers: Sequence[int], at: int, taken: Times | None, written: Times | None) -> Turn:
    """Whether the images from `at` on were taken before the others, or a gap is between them."""
    ends = [0, at - 1, at, len(numbers) - 1]
    for times, is_copied in ((taken, False), (written, True)):
        moments = times(ends) if times is not None else None
        if moments is not None and (turn := _by_times(numbers, at, moments, is_copied=is_copied)) != "unknown":
            return turn
    top = _top(numbers)
    only_ends = 2 * (numbers[at] - numbers[at - 1]) > top
    return "over" if only_ends and _over(numbers, top) <= _SURE * _step(numbers) else "unknown"


def _by_times(numbers: Sequence[int], at: int, moments: Sequence[float], *, is_copied: bool) -> Turn:
    """By when the first and the last image of the lower and of the higher numbers were taken.

    Who copies a folder in the order of its names gives its files times in that order: there the gap has to be as well.
    """
    low, low_end, high, high_end = moments
    if high_end <= low and high < low_end:
        return "over"
    if not is_copied:
        return "none" if low_end < high else "unknown"
    driven = (low_end - low) + (high_end - high)
    counted = (numbers[at - 1] - numbers[0]) + (numbers[-1] - numbers[at])
    gap = numbers[at] - numbers[at - 1]
    if driven > 0 and counted > 0 and 2 * (high - low_end) >= gap * driven / counted:
        return "none"
    return "unknown"


# --- several cameras ----------------------------------------------------------------------------------------------


def _sets(names: Sequence[str]) -> list[int]:
    """Which set each name is of, from 1, where several sets tell the same numbers; 0: of none."""
    parts = [re.split(r"(\d{1,18})", PurePath(name).stem) for name in names]
    told: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for one in parts:
        told[tuple(one[::2])].add(tuple(one[1::2]))
    least = max(_LEAST_OF_A_SET, _SET_SHARE * len(names))
    large = [words for words, numbers in told.items() if len(numbers) >= least]
    beside = [words for words in large if any(told[words] & told[other] for other in large if other != words)]
    places = {words: place for place, words in enumerate(beside, 1)}
    return [places.get(tuple(one[::2]), 0) for one in parts]


def _of_one_set(sets: Sequence[int]) -> int:
    """How many images, from the first on, are of one set."""
    seen: set[int] = set()
    for place, one in enumerate(sets):
        seen |= {one} - {0}
        if len(seen) > 1:
            return place
    return len(sets)


# --- times in names -----------------------------------------------------------------------------------------------


def _moment(name: str) -> float | None:
    """The time in a name, unix seconds; its zone does not matter here."""
    found = _MOMENT.search(name)
    if found is None:
        epoch = _EPOCH.search(name)
        return int(epoch[1]) + int(epoch[2] or 0) / 1000 if epoch else None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if not hour and not minute:  # a date and a number
        return None
    try:
        moment = datetime(year, month, day, hour, minute, 59 if second == 60 else second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() + int(found[7] or 0) / 1000
