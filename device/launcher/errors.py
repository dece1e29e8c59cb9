"""Why a run does not start, or has to end."""

from typing import Final

from wire.errors import RunError, UsageError

AT_FAULT: Final = (
    "replay it again, and reinstall Sealcam if that happens again: a compartment is at fault or taken over"
)
"""The remedy for what no honest compartment does."""


class StartError(UsageError):
    """A compartment did not get ready or lacks a layer, or the inputs do not fit together."""


class GivenUpError(RunError):
    """The run cannot go on: a needed compartment failed too often, the input failed, or verdicts cannot be stored."""


class UnstoredError(GivenUpError):
    """The stream is judged, and the spool takes its verdicts no more; the sentence says why."""
