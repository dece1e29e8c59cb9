"""What can be wrong with a track file."""

from device.channel.errors import CompartmentError


class PositionError(CompartmentError):
    """The track cannot be used; the sentence says why, and what to do."""
