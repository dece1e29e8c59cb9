"""The receiver's keys, and the enrolled devices' keys as they come and go while it runs."""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_sink.receiver import SinkKeys
from identity import KeysError, load

LOOK_AGAIN_S = 1.0

_log = logging.getLogger("sealcam-sink")


def sink_keys(folder: Path) -> SinkKeys:
    """The keys in `sink/` of a data home. Raises KeysError with the remedy."""
    return SinkKeys(load.sink_private(folder / "hpke.key"), load.signing_key(folder / "receipt.key"))


def tls_context(folder: Path) -> ssl.SSLContext:
    """The receiver's side of mutual TLS. Raises KeysError with the remedy, also for an expired certificate."""
    return load.client_context(folder / "tls.key", folder / "tls.crt", folder / "ca.crt")


class EnrolledDevices:
    """The keys in `sink/devices/`. A key added, exchanged or removed while the receiver runs counts in a second.

    The folder is looked at when a key is asked for, at most once in `LOOK_AGAIN_S`, and read when it has changed. No
    hostile text ever becomes a path. While one of its files cannot be read, that file's device and any new device are
    refused: they keep their envelopes and send them again.
    """

    def __init__(self, folder: Path, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Read the folder. Raises KeysError with the remedy."""
        self._folder = folder
        self._clock_s = clock_s
        self._looked, self._seen = clock_s(), _fingerprint(folder)
        self._keys = load.device_keys(folder)

    def signing_key(self, device_id: str) -> Ed25519PublicKey | None:
        """The key of `device_id`, None if it is not enrolled (any more)."""
        self._look()
        return self._keys.get(device_id)

    def names(self) -> list[str]:
        """The enrolled devices' ids."""
        self._look()
        return sorted(self._keys)

    def _look(self) -> None:
        """May run in two threads at once: each of them replaces the keys as a whole."""
        now = self._clock_s()
        if now - self._looked < LOOK_AGAIN_S:
            return
        self._looked = now
        seen = _fingerprint(self._folder)
        if seen == self._seen:
            return
        self._seen, self._keys = seen, self._read_again()

    def _read_again(self) -> dict[str, Ed25519PublicKey]:
        try:
            return load.device_keys(self._folder)
        except KeysError as error:
            _log.warning("%s; until then the device that it concerns is refused", error)
        keys = {}
        for device_id in self._keys:  # those whose file is still in order
            with contextlib.suppress(KeysError):
                keys[device_id] = load.public_key(self._folder / f"{device_id}.pub")
        return keys


def _fingerprint(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """What changes when a key is added, exchanged or removed: names, inodes, sizes and times of change (of `ctime`)."""
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_ino, stat.st_size, stat.st_ctime_ns) for name, stat in found))
