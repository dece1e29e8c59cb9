"""Writes frames as H.264 in MP4 through PyAV, into a file that is handed over open."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import BinaryIO, Final

import av
import numpy as np
from numpy.typing import NDArray

from device.annotator.errors import OutputError
from device.channel.failures import MAX_NUMBER

_MILLISECONDS = Fraction(1, 1000)
_QUALITY: Final = {"preset": "veryfast", "crf": "22"}


class AnnotatedVideo:
    """A video whose size is that of its first frame; frames of another size are fitted into it.

    Raises OutputError where the file cannot be written.
    """

    def __init__(self, file: BinaryIO, frames_per_second: float) -> None:
        self._container = av.open(file, "w", format="mp4")
        self._rate = Fraction(frames_per_second).limit_denominator(1000) or Fraction(25)
        self._stream: av.VideoStream | None = None
        self._picture: av.VideoFrame | None = None
        self._last_ms = -1
        self.pixels: NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)  # of the slot that was given last

    def slot(self, width: int, height: int) -> NDArray[np.uint8]:
        """The next frame's pixels, uint8 [height, width, 3], BGR: a view into the picture that is to be encoded."""
        self._picture = av.VideoFrame(width, height, "bgr24")
        plane = self._picture.planes[0]
        self.pixels = np.ndarray((height, width, 3), np.uint8, memoryview(plane), strides=(plane.line_size, 3, 1))
        return self.pixels

    def write(self, t_ms: int) -> None:
        """Encodes what stands in the slot, shown from `t_ms` on (later than the frame before, else just after it)."""
        picture = self._picture
        if picture is None:
            return
        self._picture = None
        stream = self._stream or self._begin(picture)
        frame = picture.reformat(stream.width, stream.height, "yuv420p")
        self._last_ms = max(self._last_ms + 1, t_ms)
        frame.pts, frame.time_base = self._last_ms, _MILLISECONDS
        self._mux(stream.encode(frame))

    def close(self) -> None:
        """Writes what is left, and the index."""
        if self._stream is not None:
            self._mux(self._stream.encode())
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            raise _unwritten(error) from None

    def _begin(self, picture: av.VideoFrame) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=self._rate, options=_QUALITY)
        stream.width, stream.height = picture.width & ~1 or 2, picture.height & ~1 or 2  # 4:2:0 takes even sizes
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _MILLISECONDS
        self._stream = stream
        return stream

    def _mux(self, packets: list[av.Packet[av.VideoStream]]) -> None:
        try:
            self._container.mux(packets)
        except (av.FFmpegError, OSError) as error:
            raise _unwritten(error) from None


def _unwritten(error: Exception) -> OutputError:
    number: object = getattr(error, "errno", None)
    return OutputError("output_unwritable", number if isinstance(number, int) and 0 <= number <= MAX_NUMBER else 0)


def warm_up() -> None:
    """Have the encoder and the muxer load what they load lazily."""
    video = AnnotatedVideo(io.BytesIO(), 25.0)
    for t_ms in (0, 40):
        video.slot(64, 64)[:] = 90
        video.write(t_ms)
    video.close()
