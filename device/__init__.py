"""The device: confined compartments, what starts and wires them, and its command line."""
