"""Why the sealer cannot do its work."""

from device.channel.errors import CompartmentError


class SpoolError(CompartmentError):
    """The spool is damaged, of another device, in use, or cannot be written. Nothing in it is thrown away."""


class SpoolFullError(CompartmentError):
    """The spool has no room for another envelope. What is in it stays; new verdicts wait in verdict."""
