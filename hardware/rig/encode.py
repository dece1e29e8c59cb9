"""The drive as an MP4 file: H.264 through PyAV, with the time of its first frame in the container."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import av
import av.video

from hardware.signs.shapes import Image

# As a dashcam's encoder: no frames out of order, little motion search. The number of threads is fixed, as
# the bits depend on it.
_OPTIONS = {"preset": "veryfast", "crf": "20", "g": "30", "threads": "2", "x264-params": "bframes=0:me=dia:subme=1"}


_BT_601, _LIMITED = 6, 1  # ITU-T H.273: matrix coefficients; FFmpeg: AVCOL_RANGE_MPEG


class VideoWriter:
    """Writes I420 frames to a file; a context manager: the file is complete after the block.

    Args:
        path: the file, replaced if it is there.
        width, height: of the frames.
        fps: frames a second.
        start_utc_ms: time of the first frame, unix milliseconds; MP4 keeps whole seconds.
    """

    def __init__(self, path: Path, width: int, height: int, fps: int, start_utc_ms: int) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "faststart"})
        created = datetime.fromtimestamp(start_utc_ms // 1000, UTC)
        self._container.metadata["creation_time"] = created.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        stream = self._container.add_stream("libx264", rate=fps, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # OpenCV's I420 is BT.601 with limited range. Untagged, players would take frames of this size for BT.709.
        stream.codec_context.colorspace, stream.codec_context.color_range = _BT_601, _LIMITED
        self._stream = stream
        self._count = 0

    def write(self, planes: Image) -> None:
        """Appends one frame: I420 planes, height * 3 / 2 x width."""
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = self._count
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
