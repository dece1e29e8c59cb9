"""perception: finds and classifies signs in frames."""
