"""A compartment's own memory that outlives its restart: a memfd that warden keeps open and hands over again.

Two halves are written in turn, each with a length, a counter and a checksum, so that a process that is killed while it
writes leaves the older half good. The checksum guards against a torn write, not against an attacker: no other
compartment can write here.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import zlib

from device.channel.errors import OwnFaultError, RingError

HALF_BYTES = 4 * 1024 * 1024
_HEADER = struct.Struct("<QII")


def create() -> int:
    """A new memory's descriptor, its size sealed. For warden."""
    descriptor = os.memfd_create("sealcam-memory", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, 2 * HALF_BYTES)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor


class Memory:
    """Load what was saved last; save what must survive. Raises RingError if the descriptor has not the agreed size."""

    def __init__(self, descriptor: int) -> None:
        if (
            os.lseek(descriptor, 0, os.SEEK_END) != 2 * HALF_BYTES
        ):  # fstat(2) is newfstatat(2) to glibc, and not allowed
            raise RingError("the memory that was handed over has not the agreed size")
        self._map = mmap.mmap(descriptor, 2 * HALF_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        os.close(descriptor)
        self._count = max((self._read(half) or (0, b""))[0] for half in (0, 1))

    def load(self) -> bytes:
        """The last whole save; empty when there is none."""
        found = [saved for half in (0, 1) if (saved := self._read(half)) is not None]
        return max(found)[1] if found else b""

    def save(self, content: bytes) -> None:
        """Replace what was saved. Raises OwnFaultError over 4 MiB (our own bug: the state is bounded)."""
        if len(content) > HALF_BYTES - _HEADER.size:
            raise OwnFaultError(f"a state of {len(content)} bytes does not fit")
        self._count += 1
        offset = (self._count % 2) * HALF_BYTES
        _HEADER.pack_into(self._map, offset, 0, 0, 0)
        self._map[offset + _HEADER.size : offset + _HEADER.size + len(content)] = content
        _HEADER.pack_into(self._map, offset, self._count, len(content), zlib.crc32(content))

    def _read(self, half: int) -> tuple[int, bytes] | None:
        offset = half * HALF_BYTES
        count, length, checksum = _HEADER.unpack_from(self._map, offset)
        if count == 0 or length > HALF_BYTES - _HEADER.size:
            return None
        content = self._map[offset + _HEADER.size : offset + _HEADER.size + length]
        return (count, content) if zlib.crc32(content) == checksum else None
