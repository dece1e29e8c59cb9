"""Hostile code, run in each compartment under its own policy, trying everything that it must not have."""
