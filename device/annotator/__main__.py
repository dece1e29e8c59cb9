"""annotator: reads the replayed frames once more, draws the overlay into them, and writes the video."""

from __future__ import annotations

import os

import cv2

from device.annotator import encode
from device.annotator.core import Annotator
from device.annotator.encode import AnnotatedVideo
from device.annotator.settings import AnnotatorSettings
from device.capture import sources
from device.channel import overlay as overlays
from device.channel.compartment import Compartment


def main(me: Compartment) -> None:
    cv2.setNumThreads(1)
    settings = me.settings(AnnotatorSettings)
    overlay = overlays.read(me.descriptor("overlay"))
    output = os.fdopen(me.descriptor("video_out"), "wb")
    sources.warm_up()
    encode.warm_up()
    me.tighten()  # the demuxer's first look at the file is under the run filter already
    source = sources.open_source(settings.input)
    writer = AnnotatedVideo(output, source.facts.milli_fps / 1000)
    annotator = Annotator(overlay)
    me.ready({"frames": max(0, source.facts.frames)})
    frames = source.frames(writer.slot, 0)
    ended, written = False, 0

    def step() -> None:
        nonlocal ended, written
        taken = None if ended else next(frames, None)
        if taken is not None and taken[0] <= overlay.last_frame:
            number, t_ms = taken
            me.handled = number + 1
            if t_ms is not None:  # else it is damaged, and nobody was shown it
                annotator.draw(writer.pixels, number, t_ms)
                writer.write(t_ms)
                written += 1
        elif not ended:
            ended = True
            writer.close()
            output.close()
            me.done({"frames": written})

    me.serve({}, tick=step, tick_seconds=lambda: 0.1 if ended else 0.0)
