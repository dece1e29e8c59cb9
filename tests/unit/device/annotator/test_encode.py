"""The annotated video: sizes, times, and a file that cannot take it."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from device.annotator.encode import AnnotatedVideo
from device.annotator.errors import OutputError


def written(frames: list[tuple[int, int, int]]) -> list[av.VideoFrame]:
    """(width, height, t_ms) of each frame -> the frames as a player decodes them."""
    file = io.BytesIO()
    writer = AnnotatedVideo(file, 25.0)
    for number, (width, height, t_ms) in enumerate(frames):
        writer.slot(width, height)[:] = (10, 20, 10 + 40 * number)
        writer.write(t_ms)
    writer.close()
    file.seek(0)
    with av.open(file) as container:
        return list(container.decode(video=0))


def milliseconds(pictures: list[av.VideoFrame]) -> list[int]:
    return [round(float(picture.pts * picture.time_base) * 1000) for picture in pictures]


def test_the_frames_keep_their_times_and_their_pixels() -> None:
    pictures = written([(64, 48, 0), (64, 48, 40), (64, 48, 500)])
    assert milliseconds(pictures) == [0, 40, 500]
    red = [float(np.median(picture.to_ndarray(format="bgr24")[:, :, 2])) for picture in pictures]
    assert red == pytest.approx([10, 50, 90], abs=6)


def test_times_that_stand_or_go_back_still_give_a_video() -> None:
    assert milliseconds(written([(64, 48, 100), (64, 48, 100), (64, 48, 20)])) == [100, 101, 102]


@pytest.mark.parametrize("size", [(63, 47), (1, 1), (2, 3)])
def test_odd_sizes_lose_at_most_a_line(size: tuple[int, int]) -> None:
    (picture,) = written([(*size, 0)])
    assert (picture.width, picture.height) == (size[0] // 2 * 2 or 2, size[1] // 2 * 2 or 2)


def test_a_frame_of_another_size_is_fitted_into_the_video() -> None:
    assert [(picture.width, picture.height) for picture in written([(64, 48, 0), (128, 96, 40)])] == [(64, 48)] * 2


def test_a_video_without_a_frame_is_no_fault_of_the_encoder() -> None:
    writer = AnnotatedVideo(io.BytesIO(), 25.0)
    writer.write(0)
    writer.close()


def test_a_full_disk_is_told_with_its_cause() -> None:
    with open("/dev/full", "wb", buffering=0) as file:  # noqa: PTH123  (a device, unbuffered)
        writer = AnnotatedVideo(file, 25.0)
        with pytest.raises(OutputError) as caught:
            for t_ms in range(200):
                writer.slot(640, 480)[:] = np.random.default_rng(t_ms).integers(0, 255, (480, 640, 3), np.uint8)
                writer.write(t_ms)
            writer.close()
    assert caught.value.failure == "output_unwritable"
