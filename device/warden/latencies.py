"""How long each stage took, over all restarts, in room that does not grow: of each stage a fair sample."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Final

from device.channel.messages import StageName

MOST_SAMPLES: Final = 4096
"""Kept of each stage. The 99th percentile of so many lies within half a percent of ranks of the true one."""


class Latencies:
    """A reservoir for each stage (Vitter, 1985, algorithm R): each sample so far is as likely to be in it as any other.

    The stages come from a closed vocabulary, and each compartment may name only its own (`channel.messages.STAGES`).
    """

    def __init__(self) -> None:
        self._kept: dict[StageName, list[float]] = {}
        self._came: dict[StageName, int] = {}
        self._choice = random.Random(0)  # noqa: S311  # which samples are kept protects nothing

    def add(self, stage: StageName, samples: Iterable[float]) -> None:
        """Note samples, in milliseconds."""
        kept = self._kept.setdefault(stage, [])
        for sample in samples:
            came = self._came.get(stage, 0)
            self._came[stage] = came + 1
            if came < MOST_SAMPLES:
                kept.append(sample)
            elif (place := self._choice.randrange(came + 1)) < MOST_SAMPLES:
                kept[place] = sample

    def by_stage(self) -> dict[StageName, list[float]]:
        """The samples that are kept, stages in alphabetical order."""
        return {stage: list(self._kept[stage]) for stage in sorted(self._kept) if self._kept[stage]}
