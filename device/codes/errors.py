"""What `codes` cannot work without."""

from device.channel.errors import CompartmentError


class DecoderMissingError(CompartmentError, ImportError):
    """The shared library of the second decoder is not installed."""
