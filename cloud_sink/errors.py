"""What can go wrong in the receiver.

Hostile input is not here: it is a `Refused` decision, counted and shown. Nor are keys and certificates that are
missing, damaged, expired or open to others: those errors are `identity`'s own.
"""

from __future__ import annotations

from wire.errors import RunError, UsageError


class SetupError(UsageError):
    """The receiver, or one of its commands, cannot start as it is set up or called."""


class PortTakenError(SetupError, OSError):
    """Another program listens on the page's port."""


class AlreadyServingError(SetupError):
    """Another `sealcam-sink serve`, or another `sealcam-sink broker`, works in the same data home."""


class BrokerIdentityError(SetupError):
    """The program that answers at the broker's address cannot prove that it is our broker."""


class BrokerEndedError(RunError):
    """mosquitto was ended by a signal that nobody sent through `sealcam-sink broker`."""


class StoreError(RunError, OSError):
    """The database cannot be read or written: disk full, read-only, damaged, or another program holds it."""


class SchemaError(StoreError):
    """The database was written by another version of Sealcam, or is not a Sealcam database."""
