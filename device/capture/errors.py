"""What can be wrong with the input that frames are taken from."""

from device.channel.errors import CompartmentError


class InputError(CompartmentError):
    """The video, folder or camera cannot be read, or holds no frame; the sentence says which and what to do."""
