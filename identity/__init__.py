"""Identities: the data home, its keys and certificates, made private and read only while they are."""

from identity.errors import (
    DamagedKeyError,
    ExpiredCertificateError,
    KeysError,
    MissingKeyError,
    RegisterRollbackError,
    UnsafeKeyFileError,
)
from identity.home import Home

__all__ = [
    "DamagedKeyError",
    "ExpiredCertificateError",
    "Home",
    "KeysError",
    "MissingKeyError",
    "RegisterRollbackError",
    "UnsafeKeyFileError",
]
