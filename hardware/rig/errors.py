"""Why a drive cannot be rendered."""

from wire.errors import RunError, UsageError


class UnknownSceneError(UsageError):
    """A scene was asked for that the rig does not know, or twice."""


class ClassifierNeededError(UsageError):
    """The stickered scene is made against the shipped classifier, and there is none that can be used."""


class StickerFailedError(RunError):
    """No sticker was found within the budget that the classifier stably takes for another sign."""


class DamageFailedError(RunError):
    """No damage was found that leaves the code readable with the wanted share of wrong modules."""
