"""Errors that end a command of `models`."""

from wire.errors import UsageError


class ModelsError(UsageError):
    """Training, export or evaluation cannot go on with what was given."""


class DataError(ModelsError):
    """A data set, a split or a video cannot be used; the sentence names the file, and the row where there is one."""


class CheckpointError(ModelsError):
    """A checkpoint cannot be used: it is missing, damaged, or of another network, version or plan."""


class ExportError(ModelsError, RuntimeError):
    """A converter returned a model that does not keep the artifact contract."""


class SigningError(ModelsError):
    """Models cannot be signed, or a key or signature cannot be made or read."""


class NotAsSignedError(SigningError):
    """The models are not what was signed, or the signature is not good."""

    exit_status = 1
