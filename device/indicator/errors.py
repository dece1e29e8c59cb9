"""Why the indicator cannot work."""

from device.channel.errors import CompartmentError


class PinsError(CompartmentError):
    """The pin library cannot be loaded here, or refuses the board's pins."""
