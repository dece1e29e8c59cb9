"""From the evidence for one physical sign to its verdict."""
