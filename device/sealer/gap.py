"""What the device made and could not store: how many of each kind, and when. Pure.

Numbers are bounded where they are added up, since `verdict` and the spool's own file give some of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST: Final = 2**40
"""What `wire.events.Count` holds."""
_LATEST: Final = 2**48


@dataclass(frozen=True)
class Gap:
    """Verdicts and reports about the device itself (health) that are not stored; unix milliseconds, first and last."""

    verdicts: int = 0
    health: int = 0
    from_ms: int = 0
    to_ms: int = 0

    @property
    def count(self) -> int:
        """How many of all kinds."""
        return self.verdicts + self.health

    def with_verdicts(self, count: int, at_ms: int) -> Gap:
        """So many verdicts more, at this time."""
        return self.plus(Gap(count, 0, at_ms, at_ms))

    def with_health(self, count: int, at_ms: int) -> Gap:
        """So many reports more, at this time."""
        return self.plus(Gap(0, count, at_ms, at_ms))

    def plus(self, other: Gap) -> Gap:
        """Both together."""
        if not self.count or not other.count:
            return other.bounded() if other.count else self
        return Gap(
            self.verdicts + other.verdicts,
            self.health + other.health,
            min(self.from_ms, other.from_ms),
            max(self.to_ms, other.to_ms),
        ).bounded()

    def bounded(self) -> Gap:
        """Within what an event can hold, and its end not before its beginning."""
        from_ms = max(0, min(self.from_ms, _LATEST))
        to_ms = max(from_ms, min(self.to_ms, _LATEST))
        return Gap(max(0, min(self.verdicts, MOST)), max(0, min(self.health, MOST)), from_ms, to_ms)


NO_GAP: Final = Gap()
