"""The restart budget of a compartment."""

from __future__ import annotations

from device.launcher.child import RestartBudget


def test_a_budget_gives_growing_pauses_and_then_ends() -> None:
    budget = RestartBudget(allowed=3, window=60.0)
    waits = [budget.spend(t) for t in (0.0, 1.0, 2.0, 3.0)]
    assert waits[:3] == sorted(w for w in waits[:3] if w is not None) and waits[3] is None
    assert budget.total == 3


def test_a_budget_recovers_after_its_window() -> None:
    budget = RestartBudget(allowed=1, window=10.0)
    assert budget.spend(0.0) is not None
    assert budget.spend(9.0) is None
    assert budget.spend(10.5) is not None
