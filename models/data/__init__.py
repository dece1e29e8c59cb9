"""Readers of the data sets, the split, and digests of what a training is made from."""
