"""Warden does not believe what compartments say of their peers, and of the frames in the ring."""

from __future__ import annotations

import mmap
import os
import struct
from collections import Counter

from device.channel import ring
from device.channel.frames import FrameStream
from device.channel.link import Link, pair
from device.channel.messages import FrameReady, Message
from device.warden.suspicion import Suspicion


def test_a_peer_that_sends_invalid_messages_is_restarted_and_counted() -> None:
    suspicion = Suspicion(60.0)
    assert suspicion.hear("verdict", 7, {"codes": 3}, 0.0) == ["codes"]
    assert suspicion.hear("verdict", 7, {"codes": 3}, 1.0) == []  # the same three
    assert suspicion.invalid == {"codes": 3}


def test_who_accuses_a_compartment_without_a_link_accuses_itself() -> None:
    suspicion = Suspicion(60.0)
    assert suspicion.hear("indicator", 7, {"sealer": 1}, 0.0) == ["indicator"]
    assert suspicion.invalid == {"indicator": 1}


def test_who_accuses_again_and_again_is_restarted_too() -> None:
    suspicion = Suspicion(60.0)
    assert suspicion.hear("codes", 7, {"verdict": 1}, 0.0) == ["verdict"]
    assert suspicion.hear("codes", 7, {"verdict": 2}, 1.0) == ["verdict"]
    assert suspicion.hear("codes", 7, {"verdict": 3}, 2.0) == ["verdict", "codes"]


class LyingReader:
    """As much of a compartment as a frame stream needs."""

    def __init__(self, descriptor: int) -> None:
        self.dropped: Counter[str] = Counter()
        self.handled = 0
        self._descriptor = descriptor
        self.ours, self.theirs = pair()

    def link(self, peer: str, *accepts: type[Message]) -> Link:
        return Link(peer, self.ours, *accepts)

    def descriptor(self, name: str) -> int:
        return self._descriptor


def test_an_unsealed_ring_and_impossible_sizes_are_held_against_capture() -> None:
    descriptor = ring.create()
    stream = FrameStream(LyingReader(os.dup(descriptor)), age=None)  # type: ignore[arg-type]
    ready = FrameReady(0, 0, 2, *[0] * (len(FrameReady.__struct_fields__) - 3))
    assert stream.view(ready) is None
    assert stream.link.invalid == 1
    writable = mmap.mmap(descriptor, ring.RING_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    ring.RingWriter(os.dup(descriptor))
    struct.pack_into("<QQII", writable, 0, 2, 0, 2**31, 1)
    assert stream.view(ready) is None
    assert stream.link.invalid == 2
