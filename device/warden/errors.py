"""What warden reports when it cannot start the device or has to end it."""

from device.errors import RunError, UsageError


class ArtifactError(UsageError):
    """A model is missing or is not the one that its manifest vouches for; it is not handed to perception."""


class ProvenanceError(ArtifactError):
    """The models are not signed by the key that this device trusts, or are not what was signed."""


class StartError(UsageError):
    """A compartment did not get ready; nothing was run."""


class GivenUpError(RunError):
    """A compartment failed more often than its restart budget allows; the device stops rather than run without it."""
