"""Links and memories: hostile messages are counted, descriptors are not smuggled, state outlives a torn write."""

from __future__ import annotations

import gc
import os
import socket

import pytest

from device.channel import memory
from device.channel.errors import HostileMessageError, PeerClosedError, RingError
from device.channel.link import Link, pair
from device.channel.messages import Dial, FrameDone, Go, SealedEnvelope, Stop


def links() -> tuple[Link, socket.socket]:
    ours, theirs = pair()
    return Link("peer", ours, FrameDone), theirs


def test_a_hostile_message_is_dropped_and_counted_and_the_next_one_is_read() -> None:
    link, peer = links()
    peer.send(b"\xff\xff")
    peer.send(b"")
    Link("us", peer).send(FrameDone(4))
    for count in (1, 2):
        with pytest.raises(HostileMessageError):
            link.receive()
        assert link.invalid == count
    assert link.receive() == FrameDone(4)
    assert link.receive() is None


def test_a_message_of_a_type_that_the_peer_may_not_send_is_hostile() -> None:
    link, peer = links()
    Link("us", peer).send(Stop())
    with pytest.raises(HostileMessageError):
        link.receive()


def test_a_link_without_accepted_types_takes_nothing() -> None:
    ours, theirs = pair()
    link = Link("peer", ours)
    Link("us", theirs).send(Go(0))
    with pytest.raises(HostileMessageError):
        link.receive()


def test_descriptors_that_a_peer_passes_along_do_not_arrive() -> None:
    link, peer = links()
    gc.collect()  # what other tests left open
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    reading, writing = os.pipe()
    socket.send_fds(peer, [b"\xff"], [reading])
    os.close(reading)
    with pytest.raises(HostileMessageError):
        link.receive()
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"x")  # no reading end is left anywhere
    os.close(writing)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_slow_peer_loses_messages_and_does_not_block_us() -> None:
    ours, theirs = pair()
    link = Link("peer", ours)
    sent = 0
    while link.try_send(SealedEnvelope(sent, b"x" * 4096)):
        sent += 1
    assert 10 < sent < 10_000
    theirs.recv(65536)
    assert link.try_send(SealedEnvelope(sent, b"x" * 4096))


def test_a_closed_peer_is_told_from_an_empty_message() -> None:
    link, peer = links()
    peer.close()
    with pytest.raises(PeerClosedError):
        link.receive()
    with pytest.raises(PeerClosedError):
        link.send(Dial())


def test_a_memory_outlives_its_process_and_a_torn_write() -> None:
    descriptor = memory.create()
    first = memory.Memory(os.dup(descriptor))
    assert first.load() == b""
    first.save(b"one")
    first.save(b"two")
    assert memory.Memory(os.dup(descriptor)).load() == b"two"
    newest = 0  # "two" was the second save: the even half
    os.pwrite(descriptor, b"X", newest + 16)  # its content changes, its checksum does not
    again = memory.Memory(os.dup(descriptor))
    assert again.load() == b"one"
    again.save(b"three")
    assert memory.Memory(descriptor).load() == b"three"


def test_a_memory_of_another_size_is_refused() -> None:
    other = os.memfd_create("other")
    with pytest.raises(RingError):
        memory.Memory(other)


def test_a_state_that_does_not_fit_is_our_own_bug() -> None:
    with pytest.raises(ValueError, match="fit"):
        memory.Memory(memory.create()).save(b"x" * memory.HALF_BYTES)
