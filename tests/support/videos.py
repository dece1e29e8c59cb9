"""Small videos, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

VideoMaker = Callable[..., Path]


def maker(folder: Path) -> VideoMaker:
    """Makes small H.264 videos in `folder`: a grey field with a bright square that moves one step a frame."""

    def make(
        name: str = "video.mp4", frames: int = 12, size: tuple[int, int] = (160, 96), started: str = "", fps: int = 10
    ) -> Path:
        path = folder / name
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            if started:
                container.metadata["creation_time"] = started
            stream = container.add_stream("libx264", rate=Fraction(fps))
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            for number in range(frames):
                picture = np.full((size[1], size[0], 3), 90, np.uint8)
                picture[20:40, 4 * number : 4 * number + 20] = 255
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            container.mux(stream.encode())
        return path

    return make
