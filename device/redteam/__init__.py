"""Hostile code, run in each compartment but warden under its own policy, and a list of attempts for it to make."""
