"""Warden does not believe what compartments say: of their inputs, of their peers, of the frames in the ring."""

from __future__ import annotations

import mmap
import os
import struct
from collections import Counter
from typing import Any

import pytest

from device.channel import ring
from device.channel.frames import FrameStream
from device.channel.link import Link, pair
from device.channel.messages import FrameReady, Message
from device.config import Config
from device.launcher.errors import StartError
from device.launcher.plan import RunPlan
from device.warden.stream import MAX_FACT, begins_at
from device.warden.suspicion import Suspicion


def plan(**changes: Any) -> RunPlan:
    fields: dict[str, Any] = {
        "kind": "video", "input": "/v", "shown": "v.mp4", "gpx": "/g", "gpx_shown": "g.gpx", "pace": "lockstep",
        "start": "file", "home": "/h", "models": "/m", "run_id": "0" * 32, "config": Config(), **changes,
    }  # fmt: skip
    return RunPlan(**fields)


STREAM = {"utc_ms": 1_000_000, "frames": 100, "milli_fps": 10_000}
TRACK = {"fixes": 5, "first_utc_ms": 999_000, "last_utc_ms": 1_200_000}


def test_the_stream_begins_as_the_file_says_else_as_the_track_else_it_is_not_known() -> None:
    assert begins_at(plan(), STREAM, TRACK) == 1_000_000
    assert begins_at(plan(), {**STREAM, "utc_ms": 0}, TRACK) == 999_000
    assert begins_at(plan(start="gps"), STREAM, TRACK) == 999_000
    assert begins_at(plan(start="1100000"), STREAM, TRACK) == 1_100_000
    assert begins_at(plan(), {**STREAM, "utc_ms": 0}, {"fixes": 0}) == 0


@pytest.mark.parametrize("first", [500_000, 2_000_000])
def test_a_track_before_or_after_the_video_is_refused(first: int) -> None:
    with pytest.raises(StartError, match="do not overlap"):
        begins_at(plan(), STREAM, {"fixes": 2, "first_utc_ms": first, "last_utc_ms": first + 1000})


@pytest.mark.parametrize("facts", [{}, {"utc_ms": 2**53}, {"fixes": 1}, {"fixes": 2**53, "first_utc_ms": 2**53}])
def test_facts_that_are_missing_or_absurd_do_not_end_warden(facts: dict[str, int]) -> None:
    for stream, track in ((facts, TRACK), (STREAM, facts), (facts, facts)):
        try:
            assert 0 <= begins_at(plan(), stream, track) <= MAX_FACT
        except StartError:
            continue


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
