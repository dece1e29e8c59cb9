"""annotator: draws what a replay saw and held to be true into a copy of its video."""
