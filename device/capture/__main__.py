"""capture: joins a source of frames to the ring, and announces frames to perception and codes."""

from __future__ import annotations

import functools

import cv2

from device.capture import sources
from device.capture.announce import Announcer
from device.capture.errors import InputError
from device.capture.feed import FrameFeed
from device.capture.settings import CaptureSettings
from device.channel.compartment import Compartment
from device.channel.messages import FrameDone
from device.channel.ring import MAX_HEIGHT, MAX_WIDTH, RingWriter


def main(me: Compartment) -> None:
    cv2.setNumThreads(1)
    settings = me.settings(CaptureSettings)
    ring = RingWriter(me.descriptor("ring"))
    readers = [me.link("perception"), me.link("codes")]
    announcer = Announcer(me, readers, lockstep=settings.pace == "lockstep")
    feed = FrameFeed(me, ring, announcer, settings)
    sources.warm_up()
    me.tighten()  # the demuxer's first look at the file is under the run filter already
    source = sources.open_source(settings)
    facts, me.facts = source.facts, source.tally.facts
    if facts.width > MAX_WIDTH or facts.height > MAX_HEIGHT:
        raise InputError("frames_too_large", facts.width, facts.height)
    go = me.ready(
        {
            "frames": max(0, facts.frames),
            "width": facts.width,
            "height": facts.height,
            "milli_fps": facts.milli_fps,
            "utc_ms": facts.utc_ms,
            "zoned": int(facts.zoned),
            "length_ms": facts.length_ms,
            "promised": facts.promised,
            "unset": int(facts.unset),
            "unrated": int(facts.unrated),
            "nominal": int(facts.nominal),
        }
    )
    feed.start(source, go.elapsed_ms if settings.kind == "camera" else 0)
    me.serve(
        {link: {FrameDone: functools.partial(announcer.answered, link)} for link in readers},
        tick=feed.step,
        tick_seconds=feed.seconds_to_next,
        watches=feed.watches,
    )
    feed.stop()
