"""verdict: weighs what the others say, and decides what the evidence supports."""
