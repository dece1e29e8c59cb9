"""Frames from one writer to many readers, through one sealed memfd and without a copy.

Layout: `SLOTS` slots of `stride` bytes each, one after the other. A slot is one page of header and then the pixels:

    generation  u64   odd while the writer is in the slot, even when the frame is complete; never repeats
    frame       u64
    width       u32   pixels
    height      u32   pixels
    pixels      height * width * 3 bytes, BGR, row by row

No slot that a reader holds is written: the announcer says which to spare (`device.capture.announce`). Four slots are
enough for two readers: each holds one, one has the newest frame, and one is being written.

The memfd is made with its size sealed. The writer maps it writable and then seals it against every further writable
mapping (`F_SEAL_FUTURE_WRITE`, Linux 5.1) and against unsealing, so that readers cannot write although they hold the
same descriptor. Readers check seals, size and every number, once, into locals: the writer may be hostile.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from device.channel.errors import OvertakenError, RingError

SLOTS = 4
MAX_WIDTH = 4096
MAX_HEIGHT = 2304
_HEADER = struct.Struct("<QQII")
_GENERATION = struct.Struct("<Q")
_PAGE = 4096
STRIDE = _PAGE + (MAX_WIDTH * MAX_HEIGHT * 3 + _PAGE - 1) // _PAGE * _PAGE
RING_BYTES = SLOTS * STRIDE

# linux/fcntl.h; Python 3.11 knows F_ADD_SEALS but not F_SEAL_FUTURE_WRITE (3.13 does).
_F_SEAL_FUTURE_WRITE = 0x0010
SIZE_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
ALL_SEALS = SIZE_SEALS | _F_SEAL_FUTURE_WRITE | fcntl.F_SEAL_SEAL

Frame = npt.NDArray[np.uint8]


def create() -> int:
    """A new ring's descriptor, its size sealed, its pages not yet taken. For warden, which maps nothing of it."""
    descriptor = os.memfd_create("sealcam-ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, RING_BYTES)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SIZE_SEALS)
    return descriptor


def newest_frame(descriptor: int) -> int:
    """The highest frame number that is complete in the ring, -1 for none. Reads headers only. For warden."""
    headers = (_HEADER.unpack(os.pread(descriptor, _HEADER.size, slot * STRIDE)) for slot in range(SLOTS))
    return max((frame for generation, frame, *_ in headers if generation and generation % 2 == 0), default=-1)


class RingWriter:
    """The one writer. Raises OSError when the ring is already sealed, that is, when it has had its writer."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, RING_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, ALL_SEALS)
        os.close(descriptor)
        self._writes = 0
        self._written = [0] * SLOTS  # the write that each slot had last
        self._slot = 0

    def slot(self, width: int, height: int, spared: Collection[int] = ()) -> Frame:
        """The next slot's pixels, uint8 [height, width, 3], to be filled; readers see the slot as taken from now on.

        Args:
            spared: slots that must not be written now.

        Raises RingError for frames that no slot holds, and when every slot is spared.
        """
        if not (0 < width <= MAX_WIDTH and 0 < height <= MAX_HEIGHT):
            raise RingError(f"frames of {width}x{height} are not between 1x1 and {MAX_WIDTH}x{MAX_HEIGHT}")
        free = [slot for slot in range(SLOTS) if slot not in spared]
        if not free:
            raise RingError("every slot of the ring is held")
        self._size = (width, height)
        self._slot = min(free, key=self._written.__getitem__)
        offset = self._offset()
        _GENERATION.pack_into(self._map, offset, 2 * self._writes + 1)
        return np.frombuffer(self._map, np.uint8, height * width * 3, offset + _PAGE).reshape(height, width, 3)

    def publish(self, frame: int) -> tuple[int, int]:
        """Complete the slot; gives (slot index, generation) to announce."""
        offset = self._offset()
        generation = 2 * self._writes + 2
        _HEADER.pack_into(self._map, offset, generation - 1, frame, *self._size)
        _GENERATION.pack_into(self._map, offset, generation)
        self._writes += 1
        self._written[self._slot] = self._writes
        return self._slot, generation

    def _offset(self) -> int:
        return self._slot * STRIDE


class RingReader:
    """A reader. Maps read-only and refuses a ring whose seals would let anyone but the writer change it.

    Raises RingError when the descriptor's size or seals are not what they must be.
    """

    def __init__(self, descriptor: int) -> None:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
        if seals & ALL_SEALS != ALL_SEALS:
            raise RingError(f"the frame ring's seals are {seals:#x}, {ALL_SEALS:#x} are needed")
        if os.lseek(descriptor, 0, os.SEEK_END) != RING_BYTES:  # fstat(2) is newfstatat(2) to glibc, and not allowed
            raise RingError("the frame ring has not the agreed size")
        self._map = mmap.mmap(descriptor, RING_BYTES, mmap.MAP_SHARED, mmap.PROT_READ)
        os.close(descriptor)

    def view(self, slot: int, generation: int, frame: int) -> Frame:
        """The announced frame, uint8 [height, width, 3], read-only, not copied.

        Raises OvertakenError when the slot holds another generation, RingError when its sizes are impossible.
        """
        if not 0 <= slot < SLOTS:
            raise RingError(f"slot {slot} is not one of {SLOTS}")
        found, number, width, height = _HEADER.unpack_from(self._map, slot * STRIDE)
        if found != generation or number != frame:
            raise OvertakenError(f"frame {frame} was overtaken")
        if not (0 < width <= MAX_WIDTH and 0 < height <= MAX_HEIGHT):
            raise RingError(f"the slot says {width}x{height} pixels")
        pixels = np.frombuffer(self._map, np.uint8, height * width * 3, slot * STRIDE + _PAGE)
        return pixels.reshape(height, width, 3)

    def still_valid(self, slot: int, generation: int) -> bool:
        """Whether what `view` gave was the announced frame all along. Ask after the last use of its pixels."""
        return bool(_GENERATION.unpack_from(self._map, slot * STRIDE)[0] == generation)
