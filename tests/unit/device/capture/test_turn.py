"""A picture is laid as its display matrix, its EXIF or the camera's mount say: all eight ways, and any angle."""

from __future__ import annotations

import itertools
import struct
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture import turn
from device.capture.settings import Degrees, Flip
from device.capture.turn import UPRIGHT, Pixels, Turn

PICTURE = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
WAYS = [Turn(*signs) for signs in itertools.product((False, True), repeat=3)]


def matrix(a: float, b: float, c: float, d: float) -> bytes:
    return struct.pack("=9i", *(round(65536 * x) for x in (a, b, 0, c, d, 0, 0, 0, 16384)))


def written(way: Turn, picture: Pixels = PICTURE) -> Pixels:
    width, height = way.size(picture.shape[1], picture.shape[0])
    slot = np.zeros((height, width, 3), np.uint8)
    way.write(picture, slot)
    return slot


def by_hand(way: Turn) -> Pixels:
    picture = PICTURE.transpose(1, 0, 2) if way.transposed else PICTURE
    return picture[:: -1 if way.upside_down else 1, :: -1 if way.mirrored else 1]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_each_way_writes_the_picture_so(way: Turn) -> None:
    assert np.array_equal(written(way), by_hand(way))


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_rows_with_a_gap_between_them_are_written_too(way: Turn) -> None:
    wide = np.zeros((3, 8, 3), np.uint8)
    wide[:, :5] = PICTURE
    assert np.array_equal(written(way, wide[:, :5]), by_hand(way))


@pytest.mark.parametrize(("first", "second"), list(itertools.product(WAYS, WAYS)), ids=str)
def test_two_turns_are_one(first: Turn, second: Turn) -> None:
    assert np.array_equal(written(first.then(second)), written(second, written(first)))


@pytest.mark.parametrize("degrees", get_args(Degrees))
def test_a_camera_is_turned_clockwise(degrees: Degrees) -> None:
    assert np.array_equal(written(turn.of_camera(degrees, "none")), np.rot90(PICTURE, -degrees // 90))


@pytest.mark.parametrize("flip", get_args(Flip))
def test_a_camera_is_mirrored_after_it_was_turned(flip: Flip) -> None:
    turned = np.rot90(PICTURE, -1)
    expected = {"none": turned, "horizontal": turned[:, ::-1], "vertical": turned[::-1]}[flip]
    assert np.array_equal(written(turn.of_camera(90, flip)), expected)


@pytest.mark.parametrize("signs", [(a, b) for a in (1, -1) for b in (1, -1)])
@pytest.mark.parametrize("crossed", [False, True])
def test_a_matrix_shows_each_point_where_it_says(signs: tuple[int, int], crossed: bool) -> None:
    first, second = signs
    a, b, c, d = (0, first, second, 0) if crossed else (first, 0, 0, second)
    shown = written(turn.of_matrix(matrix(a, b, c, d)))
    moved = {(a * x + c * y, b * x + d * y): PICTURE[y, x] for y in range(3) for x in range(5)}
    left, top = min(x for x, _ in moved), min(y for _, y in moved)
    assert all(np.array_equal(shown[y - top, x - left], pixel) for (x, y), pixel in moved.items())


def test_a_matrix_that_is_scaled_or_almost_straight_is_taken_as_straight() -> None:
    assert turn.of_matrix(matrix(-0.5, 0.004, -0.004, -0.5)) == Turn(mirrored=True, upside_down=True)


def test_a_tilt_is_turned_back_and_the_corners_are_black() -> None:
    picture = np.full((101, 101, 3), 200, np.uint8)
    picture[50, 51:] = 0  # a line from the middle to the right
    root = 0.5**0.5
    shown = written(turn.of_matrix(matrix(root, root, -root, root)), picture)
    assert shown[0, 0].max() == 0 and shown[80, 80].max() < 120 < shown[20, 80].min()


@given(st.binary(max_size=40))
def test_no_matrix_breaks_anything(raw: bytes) -> None:
    way = turn.of_matrix(raw)
    assert written(way).shape in ((3, 5, 3), (5, 3, 3))


@pytest.mark.parametrize("raw", [b"", bytes(36), matrix(1, 1, 1, 1), b"\xff" * 36])
def test_a_matrix_without_sense_leaves_the_picture_alone(raw: bytes) -> None:
    assert turn.of_matrix(raw) == UPRIGHT


@pytest.mark.parametrize(("angle", "clockwise"), [(0, 0), (-90, 90), (90, 270), (180, 180), (-180, 180), (89, 270)])
def test_an_angle_is_counterclockwise_as_ffmpeg_has_it(angle: int, clockwise: Degrees) -> None:
    assert turn.of_angle(angle) == turn.of_camera(clockwise, "none")
    assert turn.of_angle(30).tilt == -30.0
