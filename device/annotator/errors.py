"""What can go wrong with the annotated video."""

from device.channel.errors import CompartmentError


class OutputError(CompartmentError):
    """The annotated video cannot be written; the sentence says why, and what to do."""
