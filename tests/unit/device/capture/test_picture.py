"""Frames are shown with the colours, the proportions and the side up that players give them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from hypothesis import given
from hypothesis import strategies as st

from device.capture import picture, turn
from device.capture.picture import SQUARE, Painter
from device.capture.turn import UPRIGHT, Turn
from device.channel.ring import MAX_HEIGHT, MAX_WIDTH
from tests.support.videos import street

SIDEWAYS = Turn(transposed=True)


def painted(frame: av.VideoFrame, aspect: Fraction = SQUARE, mount: Turn = UPRIGHT) -> Any:
    return Painter(mount).paint(frame, aspect, lambda width, height: np.zeros((height, width, 3), np.uint8))


@pytest.mark.parametrize("matrix", range(20))
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le", "gray", "gbrp"])
def test_no_matrix_that_a_file_may_claim_stops_the_show(matrix: int, pix_fmt: str) -> None:
    frame = av.VideoFrame(64, 32, pix_fmt)
    frame.colorspace = matrix
    assert painted(frame).shape == (32, 64, 3)


@pytest.mark.parametrize("transfer", [1, 2, 3, 16, 18, 200])
def test_no_dynamic_range_stops_the_show(transfer: int) -> None:
    frame = av.VideoFrame(64, 32, "yuv420p10le")
    frame.color_trc = frame.color_primaries = transfer
    assert painted(frame).shape == (32, 64, 3)


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [
        (720, 576, Colorspace.ITU601),
        (1024, 576, Colorspace.ITU601),
        (1280, 576, Colorspace.ITU709),
        (768, 577, Colorspace.ITU709),
        (1920, 1080, Colorspace.ITU709),
    ],
)
def test_a_matrix_that_is_not_told_goes_by_the_size(width: int, height: int, matrix: Colorspace) -> None:
    assert picture.matrix_of(av.VideoFrame(width, height, "yuv420p")) == matrix


class Unscaled:
    def reformat(self, *_: object, **__: object) -> Any:
        raise OSError(95, "Operation not supported")


def test_pixels_of_a_kind_that_cannot_be_read_take_no_slot() -> None:
    taken: list[tuple[int, int]] = []
    painter = Painter(UPRIGHT)
    painter._scaler = Unscaled()  # type: ignore[assignment]
    shown = painter.paint(av.VideoFrame(64, 32, "yuv420p"), SQUARE, lambda *size: taken.append(size))  # type: ignore[arg-type]
    assert shown is None and not taken


@given(
    st.integers(1, MAX_WIDTH),
    st.integers(1, MAX_HEIGHT),
    st.fractions(min_value=0, max_value=10**6),
    st.sampled_from([UPRIGHT, SIDEWAYS]),
)
def test_what_is_shown_fits_into_a_slot(width: int, height: int, aspect: Fraction, way: Turn) -> None:
    shown = picture.shown_size(width, height, aspect, way)
    wide, high = way.size(*shown)
    assert 1 <= wide <= MAX_WIDTH and 1 <= high <= MAX_HEIGHT


@pytest.mark.parametrize(
    ("size", "aspect", "way", "shown"),
    [
        ((1440, 1080), Fraction(4, 3), UPRIGHT, (1920, 1080)),
        ((1440, 1080), Fraction(4, 3), SIDEWAYS, (1920, 1080)),
        ((640, 300), Fraction(5, 6), UPRIGHT, (640, 360)),
        ((640, 360), Fraction(0), UPRIGHT, (640, 360)),
        ((640, 360), Fraction(1000), UPRIGHT, (640, 360)),
        ((3840, 2160), SQUARE, UPRIGHT, (3840, 2160)),
        ((3840, 2160), SQUARE, SIDEWAYS, (2304, 1296)),
        ((4096, 2304), Fraction(2), UPRIGHT, (4096, 1152)),
    ],
)
def test_pixels_become_square_by_stretching(
    size: tuple[int, int], aspect: Fraction, way: Turn, shown: tuple[int, int]
) -> None:
    assert picture.shown_size(*size, aspect, way) == shown


def test_a_frame_with_side_data_that_pyav_does_not_know_is_laid_by_its_angle() -> None:
    class Exif:
        rotation = -90

        @property
        def side_data(self) -> Any:
            raise ValueError("31 is not a valid Type")

    assert picture.turn_of(Exif()) == turn.of_camera(90, "none")  # type: ignore[arg-type]


def interlaced(first: int, second: int) -> Any:
    woven = street(first, 320, 192).copy()
    woven[1::2] = street(second, 320, 192)[1::2]
    return woven


def test_rows_of_two_moments_are_told_from_rows_of_one() -> None:
    assert picture.is_combed(interlaced(0, 12))
    assert not any(picture.is_combed(street(n, 320, 192)) for n in range(10))
    assert not picture.is_combed(np.zeros((3, 64, 3), np.uint8))


def test_a_combed_frame_shows_one_of_its_moments() -> None:
    frame = av.VideoFrame.from_ndarray(interlaced(0, 12), format="bgr24")

    class Interlaced:
        """A frame that says so: what encodes such frames is not in every build."""

        interlaced_frame = True

        def __getattr__(self, name: str) -> Any:
            return getattr(frame, name)

    painter = Painter(UPRIGHT)
    real = painter._scaler
    painter._scaler = type("Scaler", (), {"reformat": lambda _, f, *a, **k: real.reformat(frame, *a, **k)})()  # type: ignore[assignment]
    shown = painter.paint(Interlaced(), SQUARE, lambda w, h: np.zeros((h, w, 3), np.uint8))  # type: ignore[arg-type]
    assert np.abs(shown.astype(int) - street(0, 320, 192)).mean() < 3
