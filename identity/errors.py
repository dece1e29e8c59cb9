"""What can be wrong with keys and certificates, and with the place where they live."""

from wire.errors import UsageError


class KeysError(UsageError):
    """Root of the errors about keys, certificates and the data home."""


class MissingKeyError(KeysError, FileNotFoundError):
    """A key or certificate is missing or cannot be read; `sealcam keys init` makes those of a development home."""


class UnsafeKeyFileError(KeysError, PermissionError):
    """A key file or its folder is open to other users, or is not a plain file or folder: it is not used."""


class DamagedKeyError(KeysError):
    """A file does not hold the key or certificate that it must hold."""


class LostReceiverKeyError(MissingKeyError):
    """A private key of the receiver is missing beside its public half: a new one would not open what is sealed."""


class ClockBehindError(KeysError):
    """This machine's clock is before a date that is over for certain: what it signs would be over already."""


class UnrememberedRegisterError(KeysError):
    """The register is good, and that it was used cannot be remembered: the disk takes nothing.

    Attributes:
        issued_at: when it was issued, unix seconds.
    """

    issued_at: int = 0


class RegisterRollbackError(KeysError):
    """The register is older than the newest that was used, or gone: revocations or signs could be lost by that."""


class ExpiredCertificateError(KeysError):
    """A certificate is not valid now: `sealcam keys renew` makes new certificates, unless the clock is wrong."""


class MissingBrokerError(UsageError, FileNotFoundError):
    """mosquitto is not installed; the remedy names the package."""


class BusyPortError(UsageError, OSError):
    """Something else listens on the broker's port; the remedy is another port."""
