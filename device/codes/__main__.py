"""codes: joins the frame stream and perception's regions to the two decoders, and their readings to verdict."""

from __future__ import annotations

import time

import cv2
import msgspec

from device.channel.compartment import Compartment, run
from device.channel.frames import FrameStream
from device.channel.messages import FrameReady, Message, Readings, Region, Regions
from device.codes.core import CodeReader

_WAIT_FOR_REGIONS_SECONDS = 1.0
_KEPT_REGIONS = 8  # more than perception can be ahead


class CodesSettings(msgspec.Struct, forbid_unknown_fields=True):
    """In lockstep the regions of a frame are waited for (bounded); in realtime those that are there are used."""

    lockstep: bool


def main(me: Compartment) -> None:
    cv2.setNumThreads(1)
    settings = me.settings(CodesSettings)
    reader = CodeReader()
    reader.warm_up()
    stream = FrameStream(me, lockstep=settings.lockstep)
    perception, verdict = me.link("perception", Regions), me.link("verdict")
    regions: dict[int, list[Region]] = {}  # by frame; perception may be a few frames ahead
    latest: list[Region] = []
    waiting_since: tuple[int, float] = (-1, 0.0)
    me.ready()

    def take_regions(message: Message) -> None:
        nonlocal latest
        if isinstance(message, Regions):
            latest = regions[message.frame] = message.regions
            while len(regions) > _KEPT_REGIONS:
                del regions[min(regions)]

    def wanted(ready: FrameReady) -> list[Region] | None:
        """This frame's regions, the last known ones in realtime, None while they are worth waiting for."""
        nonlocal waiting_since
        if not settings.lockstep:
            return latest
        if ready.frame in regions:
            return regions[ready.frame]
        if waiting_since[0] != ready.frame:
            waiting_since = (ready.frame, time.monotonic())
        return None if time.monotonic() - waiting_since[1] < _WAIT_FOR_REGIONS_SECONDS else []

    def step() -> None:
        ready = stream.pending
        if ready is None:
            if (end := stream.end_to_tell()) is not None:
                verdict.try_send(end)
            return
        places = wanted(ready)
        if places is None:
            return
        began = time.perf_counter()
        frame = stream.view(ready)
        found = reader.read(frame, places, ready.frame) if frame is not None else []
        me.sample("codes", time.perf_counter() - began)
        if frame is not None and stream.intact(ready):
            verdict.send(Readings(ready.frame, ready.t_ms, found))
        stream.done(ready)

    me.serve({stream.link: stream.received, perception: take_regions}, tick=step)


if __name__ == "__main__":
    run("codes", main)
