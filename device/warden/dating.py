"""Which times a recording can have: what files and names say of the date, held against what is known of the present.

Whatever the wrong date, it is treated alike: of a clock that was never set (1970), of one at its factory's date (2012),
of a receiver whose weeks have rolled over (2007, 2046), of one that somebody set wrongly (2031).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from device.launcher.plan import RunPlan
from wire.times import RELEASED

DAY_MS: Final = 86_400_000
RELEASED_MS: Final = 1000 * RELEASED
"""The first release: nothing that Sealcam can judge was recorded before sign codes existed."""
SLACK_MS: Final = 10 * 60_000
"""How far the clocks of who made register and certificates may be ahead."""
STOOD_STILL: Final = (-DAY_MS, 10 * 366 * DAY_MS)
"""A clock that nothing keeps right may have stood still for years; it hardly goes ahead."""
AHEAD_MS: Final = DAY_MS
"""A label may be ahead of the present by no more: the local time of the farthest zone, and some hours."""
WEEKS_1024_MS: Final = 1024 * 7 * DAY_MS
"""What a receiver's date is off by, once or twice, when its ten bits of week number have rolled over (IS-GPS-200)."""

_NAMED = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_. T]{0,2}"
    r"(\d\d)[-_.:hH]?(\d\d)(?:[-_.:mM]?(\d\d)(?:\d{3})?)?(?!\d)"
)


class Worth(IntEnum):
    """What a date is worth. The less, the higher."""

    POSSIBLE = 0
    AHEAD = 1  # later than this machine's clock, which nothing keeps right
    WRONG = 2


@dataclass(frozen=True)
class Present:
    """What is known of the present.

    Attributes:
        utc_ms: it is no earlier, but for a clock that goes ahead.
        sure: something keeps this machine's clock right.
        wall: this machine's clock may be used.
    """

    utc_ms: int
    sure: bool
    wall: bool

    @classmethod
    def of(cls, plan: RunPlan, now_ms: int) -> Present:
        """By this machine's clock; where that is wrong, by the newest of register and certificates."""
        wall = not is_before(now_ms, plan)
        known_ms = now_ms if wall else 1000 * plan.newest_s
        return cls(known_ms, wall and plan.clock_error_ms is not None, wall)

    def worth(self, utc_ms: int) -> Worth:
        """What a recording's date is worth."""
        latest_ms = self.utc_ms + (AHEAD_MS if self.sure else STOOD_STILL[1])
        if not RELEASED_MS <= utc_ms <= latest_ms:
            return Worth.WRONG
        return Worth.AHEAD if utc_ms > self.utc_ms + AHEAD_MS else Worth.POSSIBLE

    def rolled_over(self, track: tuple[int, int]) -> bool:
        """Whether a track's dates would be possible if its receiver had counted 1024 or 2048 weeks more, or less."""
        return any(
            RELEASED_MS <= track[1] + shift <= self.utc_ms + AHEAD_MS
            for weeks in (WEEKS_1024_MS, 2 * WEEKS_1024_MS)
            for shift in (weeks, -weeks)
        )


def is_before(utc_ms: int, plan: RunPlan) -> bool:
    """Whether a time is before register and certificates were made, by whose clocks too."""
    return utc_ms < 1000 * plan.newest_s - SLACK_MS


def named_ms(name: str) -> int:
    """The time in a file's name, as dashcams write it (20261127_101530, 2026_1127_101530, 2026-11-27-10-15), else 0."""
    return next(_moments(name), 0)


def _moments(name: str) -> Iterator[int]:
    for found in _NAMED.finditer(name):
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        try:
            moment = datetime(year, month, day, hour, minute, 59 if second == 60 else second, tzinfo=UTC)
        except ValueError:
            continue
        yield max(1, round(moment.timestamp() * 1000))
