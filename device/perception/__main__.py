"""perception: joins the frame stream to the networks, their boxes to verdict and the recorder, and regions to codes."""

from __future__ import annotations

import os

import cv2

from device.channel.compartment import Compartment
from device.channel.frames import FrameStream
from device.perception.core import Recogniser
from device.perception.service import PerceptionService
from device.perception.settings import PerceptionSettings

_MAX_MODEL_BYTES = 64 * 1024 * 1024


def main(me: Compartment) -> None:
    cv2.setNumThreads(1)
    settings = me.settings(PerceptionSettings)
    perception = Recogniser(_read(me, "detector"), _read(me, "classifier"), settings, me.sample)
    perception.warm_up()
    stream = FrameStream(me, age=None if settings.lockstep else "perception_age")
    service = PerceptionService(me, perception, stream, lockstep=settings.lockstep)
    me.ready()
    me.serve({stream.link: stream.handlers}, tick=service.step)


def _read(me: Compartment, name: str) -> bytes:
    with os.fdopen(me.descriptor(name), "rb") as file:
        file.seek(0)
        return file.read(_MAX_MODEL_BYTES)
