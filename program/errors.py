"""What can be wrong with the files and streams that a program writes its results to."""

from wire.errors import RunError, UsageError


class UnwrittenResultError(RunError):
    """The program did its work, and what it found cannot be written to where it was sent."""


class OutputRefusedError(UsageError):
    """A file that was named for a result cannot be made: it is a link, no plain file, or its place refuses it."""
