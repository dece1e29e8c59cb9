"""What can be wrong with keys and certificates, and with the place where they live."""

from wire.errors import UsageError


class KeysError(UsageError):
    """Root of the errors about keys, certificates and the data home."""


class MissingKeyError(KeysError, FileNotFoundError):
    """A key or certificate is not there; `sealcam keys init` makes the development ones."""


class UnsafeKeyFileError(KeysError, PermissionError):
    """A secret can be read or changed by others, or is not a plain file: it is not used. The remedy is a chmod."""


class DamagedKeyError(KeysError):
    """A file does not hold the key or certificate that it must hold."""


class RegisterRollbackError(KeysError):
    """The register is older than one that was used before, or gone: signs could be un-revoked, or forgotten, by it."""


class ExpiredCertificateError(KeysError):
    """A certificate is not valid now; `sealcam keys renew` makes new ones (or the clock is wrong)."""
