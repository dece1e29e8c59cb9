"""The receiver's keys, and the enrolled devices' keys as they come and go while it runs."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_sink.receiver import SinkKeys
from device.keys import KeysError, load

LOOK_AGAIN_S = 1.0


def sink_keys(folder: Path) -> SinkKeys:
    """The keys in `sink/` of a data home. Raises KeysError with the remedy."""
    return SinkKeys(load.sink_private(folder / "hpke.key"), load.signing_key(folder / "receipt.key"))


def tls_context(folder: Path) -> ssl.SSLContext:
    """The receiver's side of mutual TLS. Raises KeysError with the remedy, also for an expired certificate."""
    return load.client_context(folder / "tls.key", folder / "tls.crt", folder / "ca.crt")


class EnrolledDevices:
    """The keys in `sink/devices/`. A device that is enrolled while the receiver runs is known within a second.

    An unknown id makes the folder be read again, at most once in `LOOK_AGAIN_S`; no hostile text ever becomes a path.
    """

    def __init__(self, folder: Path, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Read the folder. Raises KeysError with the remedy."""
        self._folder = folder
        self._clock_s = clock_s
        self._keys = load.device_keys(folder)
        self._looked = clock_s()

    def signing_key(self, device_id: str) -> Ed25519PublicKey | None:
        """The key of `device_id`, None if it is not enrolled."""
        if device_id not in self._keys and self._clock_s() - self._looked >= LOOK_AGAIN_S:
            self._looked = self._clock_s()
            try:
                self._keys = load.device_keys(self._folder)
            except KeysError:
                return None  # half-written or damaged: what was known stays known
        return self._keys.get(device_id)

    def names(self) -> list[str]:
        """The enrolled devices' ids."""
        return sorted(self._keys)
