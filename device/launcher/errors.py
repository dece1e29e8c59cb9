"""Why a run does not start, or has to end."""

from wire.errors import RunError, UsageError


class StartError(UsageError):
    """A compartment did not get ready; nothing was run."""


class GivenUpError(RunError):
    """A compartment failed more often than its restart budget allows; the device stops rather than run without it."""
