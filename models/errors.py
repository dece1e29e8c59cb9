"""Errors of the `models` package. Each message is the one sentence that the user reads."""

from wire.errors import UsageError


class ModelsError(UsageError):
    """Training, export or evaluation cannot go on; the command line prints the message and exits with status 2."""


class DataError(ModelsError):
    """A data set is not what its publisher's layout promises: the message names the file and the row."""


class CheckpointError(ModelsError):
    """A checkpoint cannot be resumed: it is missing, damaged or of another network."""


class ExportError(ModelsError, RuntimeError):
    """A converter returned a model that does not keep the artifact contract."""


class SigningError(ModelsError):
    """Models cannot be signed, or are not what was signed; a key cannot be made or read."""
