"""The budgets of time and memory. Times vary from machine to machine, so most are ratios in a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """`what` may take at most `limit`: times the median of `of` at equal threads, or, without `of`, milliseconds at
    one thread, which is all that the device gives it."""

    what: str
    limit: float
    of: str | None = None

    def words(self) -> str:
        """The limit as a phrase."""
        return f"at most {self.limit:g} of {self.of}" if self.of else f"at most {self.limit:g} ms"


BUDGETS = (
    Budget("ours: fast", 1.0, of="SSD MobileNet v2 300 int8"),
    Budget("ours: far", 0.5, of="YOLO11n 640 int8"),
    Budget("ours: classifier, one crop", 0.5),
)
FRAME_COPIES = 1.0
"""In Python, `Recogniser.look` allocates less than this many frames at its peak: it copies no frame."""

THREADS_PAY = 1.3
"""A second thread pays when it makes a network at least this much faster."""

SLOPE: dict[str, float] = {"throughput": 0.9, "age": 2.0}
"""Realtime under overload (`bench.slope`): judged frames a second beside what lockstep reaches under the same load, at
least; the age of a frame when it is judged, in times of what perception takes for a frame, under."""
SOAK: dict[str, float] = {"rss_mib": 4.0, "descriptors": 0.0}
"""By how much a compartment may grow from the second quarter of a soak to its last (`bench.soak`)."""


@dataclass(frozen=True)
class Judged:
    """A budget beside what was measured; `share` is the ratio, or the milliseconds where there is no reference."""

    budget: Budget
    threads: int
    share: float

    @property
    def good(self) -> bool:
        """Whether the budget is kept."""
        return self.share <= self.budget.limit


def judge(medians: Mapping[tuple[str, int], float]) -> list[Judged]:
    """Every budget that can be judged.

    Args:
        medians: milliseconds by network and number of threads.
    """
    found = []
    for budget in BUDGETS:
        for (what, threads), median in sorted(medians.items()):
            if what != budget.what:
                continue
            if budget.of is None and threads == 1:
                found.append(Judged(budget, threads, median))
            elif budget.of is not None and (budget.of, threads) in medians:
                found.append(Judged(budget, threads, median / medians[budget.of, threads]))
    return found


def with_crops(medians: Mapping[tuple[str, int], float], crop: str, crops: Mapping[str, float]) -> list[Judged]:
    """What the detector's budgets would be with the classifier's work on top: printed, but not judged.

    Args:
        medians: as for `judge`.
        crop: the name under which one crop of the classifier was timed.
        crops: how many crops each network of ours hands to the classifier in a frame, on average.
    """
    found = []
    for budget in BUDGETS:
        if budget.of is None or budget.what not in crops:
            continue
        for (what, threads), median in sorted(medians.items()):
            if what == budget.what and (budget.of, threads) in medians and (crop, threads) in medians:
                whole = median + crops[what] * medians[crop, threads]
                found.append(Judged(budget, threads, whole / medians[budget.of, threads]))
    return found


def unjudged(judged: Sequence[Judged]) -> list[Budget]:
    """Budgets that nothing was measured for: the graph that they compare with is not there."""
    return [budget for budget in BUDGETS if all(entry.budget is not budget for entry in judged)]
