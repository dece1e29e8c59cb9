"""The layers that confine a compartment, derived from its policy."""
