"""codes: joins the frame stream and perception's regions to the two decoders, and their readings to verdict."""

from __future__ import annotations

import cv2

from device.channel.compartment import Compartment
from device.channel.frames import FrameStream
from device.channel.messages import Regions
from device.codes.core import CodeReader
from device.codes.service import CodesService
from device.codes.settings import CodesSettings


def main(me: Compartment) -> None:
    cv2.setNumThreads(1)
    settings = me.settings(CodesSettings)
    reader = CodeReader()
    reader.warm_up()
    stream = FrameStream(me, age=None if settings.lockstep else "codes_age")
    perception = me.link("perception")
    service = CodesService(me, reader, stream, lockstep=settings.lockstep)
    me.ready()
    me.serve(
        {stream.link: stream.handlers, perception: {Regions: service.take_regions}},
        tick=service.step,
        tick_seconds=service.seconds_to_next,
    )
