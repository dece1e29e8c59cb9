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


class RegisterRollbackError(KeysError):
    """The register is older than the newest that was used, or gone: revocations or signs could be lost by that."""


class ExpiredCertificateError(KeysError):
    """A certificate is not valid now: `sealcam keys renew` makes new certificates, unless the clock is wrong."""


class MissingBrokerError(UsageError, FileNotFoundError):
    """mosquitto is not installed; the remedy names the package."""


class BusyPortError(UsageError, OSError):
    """Something else listens on the broker's port; the remedy is another port."""
