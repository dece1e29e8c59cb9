"""Sources of frames: every frame comes in order, a cut-off video is marked, and no other file passes for a video."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from device.capture.errors import InputError
from device.capture.sources import FolderSource, FrameSource, VideoSource
from device.channel.ring import MAX_WIDTH
from tests.support.videos import VideoMaker


class Slots:
    """In place of the ring: gives a buffer and keeps what was written into it."""

    def __init__(self) -> None:
        self.taken: list[npt.NDArray[np.uint8]] = []

    def __call__(self, width: int, height: int) -> npt.NDArray[np.uint8]:
        self.taken.append(np.zeros((height, width, 3), np.uint8))
        return self.taken[-1]


def read(source: FrameSource, start: int = 0) -> tuple[list[tuple[int, int]], Slots]:
    slots = Slots()
    return list(source.frames(slots, start)), slots


def test_every_frame_of_a_video_comes_in_order_with_its_time(make_video: VideoMaker) -> None:
    source = VideoSource(make_video(started="2026-01-02T03:04:05Z"))
    frames, slots = read(source)
    assert frames == [(n, 100 * n) for n in range(12)]
    assert (source.facts.frames, source.facts.width, source.facts.height, source.facts.milli_fps) == (
        12,
        160,
        96,
        10000,
    )
    assert source.facts.utc_ms == 1767323045000
    assert not source.damaged
    left_edges = [int((s[30, :, 1] > 170).argmax()) for s in slots.taken]
    assert all(abs(x - 4 * n) <= 2 for n, x in enumerate(left_edges))


def test_a_restart_goes_on_at_the_frame_that_it_is_told(make_video: VideoMaker) -> None:
    path = make_video()
    _, whole = read(VideoSource(path))
    frames, part = read(VideoSource(path), start=7)
    assert [n for n, _ in frames] == [7, 8, 9, 10, 11]
    assert np.array_equal(part.taken[0], whole.taken[7])


def test_a_cut_off_video_gives_its_frames_and_is_known_as_damaged(make_video: VideoMaker) -> None:
    path = make_video(frames=60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    source = VideoSource(path)
    frames, _ = read(source)
    assert 0 < len(frames) < 58
    assert source.damaged


@pytest.mark.parametrize(
    "content", [b"", b"not a video", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100, b"#EXTM3U\nx.ts\n"]
)
def test_what_is_no_video_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a video") as caught:
        read(VideoSource(path))
    assert caught.value.exit_status == 2


def test_a_file_with_sound_alone_has_no_video(tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(InputError, match="no video"):
        VideoSource(path)


def test_a_folder_is_read_in_the_natural_order_of_its_names(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        cv2.imwrite(str(tmp_path / f"frame{number}.png"), np.full((20, 30, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("no frame")
    frames, slots = read(FolderSource(tmp_path, 10.0))
    assert frames == [(0, 0), (1, 100), (2, 200)]
    assert [int(s[0, 0, 0]) for s in slots.taken] == [1, 9, 10]


def test_an_empty_folder_and_a_broken_picture_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frames"):
        FolderSource(tmp_path, 10.0)
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="image 1 of"):
        FolderSource(tmp_path, 10.0)


def test_a_pipe_among_the_pictures_is_named_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.png")
    with pytest.raises(InputError, match="image 1 of"):
        FolderSource(tmp_path, 10.0)


def test_a_later_picture_that_is_too_large_is_named_by_its_size(tmp_path: Path) -> None:
    for number, width in ((1, 30), (2, MAX_WIDTH + 1)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((20, width, 3), np.uint8))
    with pytest.raises(InputError, match=f"{MAX_WIDTH + 1}x20 pixels"):
        read(FolderSource(tmp_path, 10.0))
