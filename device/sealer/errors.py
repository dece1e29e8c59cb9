"""Why the sealer cannot do its work. Each message is one sentence with the remedy."""

from wire.errors import RunError


class SealerError(RunError):
    """Root of the sealer's errors."""


class SpoolError(SealerError):
    """The spool is damaged, belongs to another device, or cannot be written. Nothing in it is thrown away."""


class SpoolFullError(SealerError):
    """The spool has no room for another envelope. What is in it stays; new verdicts wait with their maker."""
