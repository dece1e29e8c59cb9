"""`sealcam replay --annotate`: a copy of the video with what was seen and held drawn in, by a confined process."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from identity.home import Home
from tests.support.running import refused, sealcam
from tests.support.videos import VideoMaker


def test_the_copy_has_every_frame_of_the_video_and_more_to_see(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    video, copy = make_video(frames=12, size=(322, 194)), tmp_path / "seen.mp4"
    done = sealcam(home, "replay", video, "--annotate", copy)
    assert done.returncode == 0, done.stderr
    assert f"written: {copy}, 12 frames" in done.stdout and "\n\n" not in done.stdout + done.stderr
    with av.open(str(video)) as original, av.open(str(copy)) as drawn:
        pairs = list(zip(original.decode(video=0), drawn.decode(video=0), strict=True))
    assert len(pairs) == 12
    for before, after in pairs:
        assert (after.width, after.height) == (before.width // 2 * 2, before.height // 2 * 2)
        assert after.time == before.time
        foot = slice(-24, None)
        difference = np.abs(
            before.to_ndarray(format="bgr24")[: after.height, : after.width].astype(int)
            - after.to_ndarray(format="bgr24").astype(int)
        )
        assert difference[foot].max() > 100  # the frame's number
        assert np.median(difference) < 10


def test_the_replayed_video_itself_is_never_written_to(home: Home, make_video: VideoMaker) -> None:
    video = make_video(frames=3, size=(320, 192))
    content = video.read_bytes()
    refused(
        home,
        "replay",
        video,
        "--annotate",
        video,
        said="would be replaced by what is made of it",
    )
    assert video.read_bytes() == content
