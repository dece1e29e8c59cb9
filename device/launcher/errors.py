"""Why a run does not start, or has to end."""

from wire.errors import RunError, UsageError


class StartError(UsageError):
    """A compartment did not get ready or lacks a layer, or the inputs do not fit together."""


class GivenUpError(RunError):
    """The run cannot go on: a needed compartment failed too often, the input failed, or verdicts cannot be stored."""


class UnstoredError(GivenUpError):
    """The stream is judged, and the spool takes its verdicts no more; the sentence says why."""
