"""How much may come at once, and how much in the long run: a token bucket."""

from __future__ import annotations


class Bucket:
    """At most `burst` at once, and `per_second` in the long run. Times are monotonic seconds."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second, self._burst = per_second, float(burst)
        self._tokens, self._at = float(burst), float("-inf")

    def has_room(self, now: float) -> bool:
        """Whether one more may come now."""
        if now > self._at:
            filled = self._tokens + (now - self._at) * self._per_second
            self._tokens, self._at = min(self._burst, filled), now
        return self._tokens >= 1.0

    def take(self, now: float) -> bool:
        """Take one; False, and nothing is taken, where there is no room."""
        if not self.has_room(now):
            return False
        self._tokens -= 1.0
        return True
