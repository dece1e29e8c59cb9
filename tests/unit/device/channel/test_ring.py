"""The frame ring: one writer, readers that cannot write, and a reader that notices when it was overtaken."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct

import numpy as np
import pytest

from device.channel import ring
from device.channel.errors import OvertakenError, RingError


@pytest.fixture
def descriptor() -> int:
    return ring.create()


def write(writer: ring.RingWriter, frame: int, value: int, width: int = 64, height: int = 48) -> tuple[int, int]:
    writer.slot(width, height)[:] = value
    return writer.publish(frame)


def test_a_reader_sees_the_frame_without_a_copy_and_cannot_write_it(descriptor: int) -> None:
    writer = ring.RingWriter(os.dup(descriptor))
    slot, generation = write(writer, 7, 99)
    reader = ring.RingReader(os.dup(descriptor))
    view = reader.view(slot, generation, 7)
    assert view.shape == (48, 64, 3) and int(view.min()) == int(view.max()) == 99
    assert not view.flags.writeable and not view.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0, 0] = 1


def test_the_seals_refuse_a_second_writer_a_write_and_a_resize(descriptor: int) -> None:
    ring.RingWriter(os.dup(descriptor))
    with pytest.raises(PermissionError):
        ring.RingWriter(os.dup(descriptor))
    with pytest.raises(PermissionError):
        mmap.mmap(descriptor, ring.RING_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    with pytest.raises(PermissionError):
        os.pwrite(descriptor, b"x", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(descriptor, 0)
    with pytest.raises(PermissionError):
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)


def test_a_ring_that_its_writer_has_not_sealed_is_refused(descriptor: int) -> None:
    with pytest.raises(RingError, match="seals"):
        ring.RingReader(descriptor)


def test_a_ring_of_another_size_is_refused() -> None:
    other = os.memfd_create("other", os.MFD_ALLOW_SEALING)
    os.ftruncate(other, 4096)
    fcntl.fcntl(other, fcntl.F_ADD_SEALS, ring.ALL_SEALS)
    with pytest.raises(RingError, match="size"):
        ring.RingReader(other)


def test_a_slow_reader_loses_the_frame_and_knows_it(descriptor: int) -> None:
    writer = ring.RingWriter(os.dup(descriptor))
    slot, generation = write(writer, 0, 1)
    reader = ring.RingReader(os.dup(descriptor))
    reader.view(slot, generation, 0)
    for frame in range(1, ring.SLOTS):
        write(writer, frame, frame)
    assert reader.still_valid(slot, generation)
    writer.slot(64, 48)  # the writer is in the slot, the frame not yet complete
    assert not reader.still_valid(slot, generation)
    with pytest.raises(OvertakenError):
        reader.view(slot, generation, 0)


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (ring.MAX_WIDTH + 1, 10), (10, ring.MAX_HEIGHT + 1)])
def test_frames_that_no_slot_holds_are_refused_by_the_writer(descriptor: int, size: tuple[int, int]) -> None:
    with pytest.raises(RingError):
        ring.RingWriter(descriptor).slot(*size)


@pytest.mark.parametrize("size", [(0, 1), (1, 0), (2**32 - 1, 2**32 - 1), (ring.MAX_WIDTH, ring.MAX_HEIGHT + 1)])
def test_a_hostile_writers_sizes_are_refused_by_the_reader(descriptor: int, size: tuple[int, int]) -> None:
    hostile = mmap.mmap(descriptor, ring.RING_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, ring.ALL_SEALS)
    struct.pack_into("<QQII", hostile, 0, 2, 0, *size)
    with pytest.raises(RingError):
        ring.RingReader(os.dup(descriptor)).view(0, 2, 0)


@pytest.mark.parametrize("slot", [-1, ring.SLOTS, 63])
def test_a_slot_that_does_not_exist_is_refused(descriptor: int, slot: int) -> None:
    ring.RingWriter(os.dup(descriptor))
    with pytest.raises(RingError):
        ring.RingReader(os.dup(descriptor)).view(slot, 2, 0)


def test_the_newest_frame_is_told_from_the_headers(descriptor: int) -> None:
    writer = ring.RingWriter(os.dup(descriptor))
    assert ring.newest_frame(descriptor) == -1
    for frame in range(6):
        write(writer, frame, frame)
    writer.slot(64, 48)
    assert ring.newest_frame(descriptor) == 5
    assert np.all(ring.RingReader(os.dup(descriptor)).view(1, 12, 5) == 5)
