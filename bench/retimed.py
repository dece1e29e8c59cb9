"""Copies of a recording at another frame rate, at the same speed of the vehicle; and long ones, for endurance."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

_FASTSTART = {"movflags": "faststart"}


def resampled(video: Path, path: Path, fps: int) -> int:
    """The same drive as a camera of `fps` would have taken it: frames repeated or left out. Returns how many."""
    with av.open(str(video)) as source, av.open(str(path), "w", options=_FASTSTART) as target:
        target.metadata.update(source.metadata)
        taken = source.streams.video[0]
        rate = taken.average_rate or Fraction(15)
        made = target.add_stream("libx264", rate=Fraction(fps), options={"crf": "18", "preset": "ultrafast"})
        made.width, made.height, made.pix_fmt = taken.width, taken.height, "yuv420p"
        count = 0
        for number, picture in enumerate(source.decode(video=0)):
            planes = picture.to_ndarray(format="yuv420p")
            while Fraction(count, fps) < Fraction(number + 1) / rate:
                copy = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                copy.colorspace, copy.color_range = picture.colorspace, picture.color_range
                copy.pts, copy.time_base = count, Fraction(1, fps)
                target.mux(made.encode(copy))
                count += 1
        target.mux(made.encode())
    return count


def looped(video: Path, path: Path, times: int) -> None:
    """The recording `times` over, as one stream; nothing is encoded again."""
    with av.open(str(path), "w", options=_FASTSTART) as target:
        made = None
        base = 0
        for _ in range(times):
            with av.open(str(video)) as source:
                taken = source.streams.video[0]
                made = made or target.add_stream_from_template(taken)
                end = 0
                for packet in source.demux(taken):
                    if packet.dts is None or packet.pts is None:
                        continue
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + base, packet.dts + base, made
                    target.mux(packet)
                base += end
