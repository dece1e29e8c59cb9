"""Identities: the data home, its keys and certificates, made private and read only while they are."""

from device.keys.errors import (
    DamagedKeyError,
    ExpiredCertificateError,
    KeysError,
    MissingKeyError,
    RegisterRollbackError,
    UnsafeKeyFileError,
)
from device.keys.home import Home

__all__ = [
    "DamagedKeyError",
    "ExpiredCertificateError",
    "Home",
    "KeysError",
    "MissingKeyError",
    "RegisterRollbackError",
    "UnsafeKeyFileError",
]
