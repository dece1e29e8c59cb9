"""Small videos, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream

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


def street(number: int, width: int = 160, height: int = 96, seed: int = 1) -> npt.NDArray[np.uint8]:
    """Frame `number` of a drive past cloudy walls: BGR, no symmetry, every frame a little further."""
    clouds = np.random.default_rng(seed).integers(0, 256, (height // 16, width // 16 + 40, 3), dtype=np.uint8)
    wall = np.asarray(cv2.resize(clouds, None, fx=16, fy=16, interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.ascontiguousarray(wall[:, number * 2 : number * 2 + width])


def film(
    path: Path,
    pictures: Iterable[npt.NDArray[np.uint8]],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    stamps: Iterable[int] | None = None,
    prepare: Callable[[VideoStream], None] = lambda stream: None,
    container: str | None = None,
    rate: int = 10,
) -> Path:
    """A film of BGR pictures.

    Args:
        rate: pictures a second.
        options: of the encoder.
        stamps: the frames' time stamps in milliseconds, by default evenly.
        prepare: changes the stream before it is written: its colours, its aspect, its display matrix.
    """
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=Fraction(rate), options=dict(options or {}))
        stream.pix_fmt = pix_fmt
        base = Fraction(1, rate) if stamps is None else Fraction(1, 1000)
        stream.codec_context.time_base = base
        times = iter(stamps) if stamps is not None else None
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
                prepare(stream)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            colours = stream.codec_context.colorspace
            frame = frame.reformat(format=pix_fmt, dst_colorspace=1 if colours == 1 else 5)
            frame.pts = next(times) if times is not None else number
            frame.time_base = base
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path
