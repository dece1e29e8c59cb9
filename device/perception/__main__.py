"""perception: joins the frame stream to the networks, their boxes to verdict and the recorder, and regions to codes."""

from __future__ import annotations

import os

import cv2

from device.channel.compartment import Compartment
from device.channel.frames import FrameStream
from device.channel.messages import Regions, Sightings
from device.perception.core import Recogniser
from device.perception.settings import PerceptionSettings

_MAX_MODEL_BYTES = 64 * 1024 * 1024


def main(me: Compartment) -> None:
    cv2.setNumThreads(1)
    settings = me.settings(PerceptionSettings)
    perception = Recogniser(_read(me, "detector"), _read(me, "classifier"), settings, me.sample)
    perception.warm_up()
    stream = FrameStream(me, lockstep=settings.lockstep)
    verdict, recorder, codes = me.link("verdict"), me.link("recorder"), me.link("codes")
    me.ready()

    def step() -> None:
        ready = stream.pending
        if ready is None:
            if (end := stream.end_to_tell()) is not None:
                for link in (verdict, recorder):
                    link.try_send(end)
            return
        frame = stream.view(ready)
        seen = perception.look(frame) if frame is not None else None
        if frame is not None and seen is not None and stream.intact(ready):
            codes.try_send(Regions(ready.frame, seen.regions))
            height, width = frame.shape[:2]
            sightings = Sightings(ready.frame, ready.t_ms, width, height, seen.boxes, ready.timed)
            verdict.send(sightings)
            recorder.send(sightings)
        stream.done(ready)

    me.serve({stream.link: stream.handlers}, tick=step)


def _read(me: Compartment, name: str) -> bytes:
    with os.fdopen(me.descriptor(name), "rb") as file:
        file.seek(0)
        return file.read(_MAX_MODEL_BYTES)
