"""Shared by several tests: paths, makers of inputs, and the real programs, started for a test and ended with it."""
