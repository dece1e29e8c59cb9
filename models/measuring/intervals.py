"""How sure a figure is: 95 % intervals of what was counted."""

from __future__ import annotations


def wilson(successes: int, of: int) -> list[float] | None:
    """Wilson's 95 % interval of a fraction (Wilson, JASA 1927); None where `of` is 0."""
    from scipy.stats import binomtest

    if of == 0:
        return None
    limits = binomtest(successes, of).proportion_ci(0.95, "wilson")
    return [float(limits.low), float(limits.high)]
