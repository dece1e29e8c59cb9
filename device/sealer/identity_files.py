"""The device's identity, read from its data home while sealer starts."""

from __future__ import annotations

from device.sealer.core import Identity
from identity import Home, load
from wire import cose


def identity_of(home: Home) -> Identity:
    """Read the device's key and the sink's public ones. Raises KeysError."""
    key = load.signing_key(home.device / "signing.key")
    return Identity(
        device_id=home.device_id(),
        signing_key=key,
        key_id=cose.key_id(key.public_key()),
        sink_key=load.sink_public(home.trust / "sink_hpke.pub"),
        receipt_key=load.public_key(home.trust / "receipt.pub"),
    )
