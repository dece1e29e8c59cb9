"""Why a compartment does not start: its policy is wrong, or this machine cannot enforce it."""

from wire.errors import UsageError


class PolicyError(UsageError):
    """A policy file does not say what a policy must say (our own bug, or a changed installation)."""


class CannotConfineError(UsageError):
    """A required layer cannot be enforced on this machine; the sentence names the layer and the remedy."""
