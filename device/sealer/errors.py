"""Why the sealer cannot do its work."""

from device.channel.errors import CompartmentError


class SpoolError(CompartmentError):
    """The spool is damaged, of another device, in use, or cannot be opened. Nothing in it is thrown away."""


class SpoolRefusedError(SpoolError):
    """The spool takes nothing now: its disk fails, may only be read, or takes no larger file.

    What is in it stays, the chain does not move, and what was to be stored may be tried again: nothing is used up.
    """


class SpoolFullError(SpoolRefusedError):
    """The spool has no room for another envelope, by its own limit or on its disk. As `SpoolRefusedError` otherwise."""
