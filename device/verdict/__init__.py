"""verdict: weighs what the others say, and holds for true what the evidence bears."""
