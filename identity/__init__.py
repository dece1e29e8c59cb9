"""Identities: the data home, its keys and certificates, made private and read only while they are."""

from identity.errors import (
    ClockBehindError,
    DamagedKeyError,
    ExpiredCertificateError,
    KeysError,
    LostReceiverKeyError,
    MissingKeyError,
    RegisterRollbackError,
    UnsafeKeyFileError,
)
from identity.home import Home

__all__ = [
    "ClockBehindError",
    "DamagedKeyError",
    "ExpiredCertificateError",
    "Home",
    "KeysError",
    "LostReceiverKeyError",
    "MissingKeyError",
    "RegisterRollbackError",
    "UnsafeKeyFileError",
]
