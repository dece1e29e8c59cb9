"""Who the device is to the broker: the name in its TLS certificate."""

from __future__ import annotations

from pathlib import Path

from cryptography.x509.oid import NameOID

from identity import DamagedKeyError, load
from wire import topics


def device_id_of(path: Path) -> str:
    """The device id, which is the common name of its TLS certificate. Raises KeysError."""
    names = load.certificate_any_time(path).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else ""
    if not topics.is_device_id(name):
        raise DamagedKeyError(f"{path} does not name a device", "run: sealcam keys renew")
    return name
