"""How well the networks see: figures, their intervals, and the confusions that matter."""
