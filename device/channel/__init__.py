"""What compartments exchange: frames through a sealed ring, typed messages over links."""
