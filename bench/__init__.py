"""Timings and comparisons. Figures are for people and for budgets, never for a test's outcome."""
