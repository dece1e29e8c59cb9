"""warden: starts, wires, watches and restarts the compartments."""
