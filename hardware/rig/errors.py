"""Errors of the `hardware.rig` package. The message is the sentence that the user reads."""

from wire.errors import RunError


class RigError(RunError):
    """A drive cannot be rendered; the message says why and what to do."""


class UnknownSceneError(RigError, ValueError):
    """A scene was asked for that the rig does not know."""


class ClassifierNeededError(RigError, ValueError):
    """The stickered scene is made against the shipped classifier, and none was given."""


class StickerFailedError(RigError):
    """No sticker was found within the budget that the classifier stably takes for another sign."""


class DamageFailedError(RigError):
    """No damage was found that leaves the code readable and wrong in the share of modules asked for."""
