"""What can be wrong with the input that frames are taken from."""

from wire.errors import UsageError


class InputError(UsageError):
    """The video, folder or camera cannot be read, or holds no frame; the sentence says which and what to do."""
