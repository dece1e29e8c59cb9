"""What can be wrong with a GPX file."""

from device.channel.errors import CompartmentError


class PositionError(CompartmentError):
    """The GPX file cannot be used; the sentence says why, and what to do."""
