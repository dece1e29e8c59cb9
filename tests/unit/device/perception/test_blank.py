"""Which pictures show nothing new: black and grey ones, and the same again; never those of a vehicle that drives."""

from __future__ import annotations

import numpy as np
import pytest

from device.perception.blank import BlankCheck

SHAPE = (480, 640, 3)
NOISE = np.random.default_rng(1)


def scene(brightness: int = 90, spread: int = 40) -> np.ndarray:
    return NOISE.integers(brightness - spread, brightness + spread, SHAPE).astype(np.uint8)


@pytest.mark.parametrize("grey", [0, 16, 128, 255])
def test_a_covered_lens_shows_nothing_even_with_noise(grey: int) -> None:
    is_blank = BlankCheck()
    for _ in range(3):
        noisy = np.clip(grey + NOISE.normal(0, 1.5, SHAPE), 0, 255).astype(np.uint8)
        assert is_blank(noisy)


def test_the_same_picture_again_shows_nothing_new_though_its_clock_runs_on() -> None:
    is_blank, picture = BlankCheck(), scene()
    assert not is_blank(picture)
    assert is_blank(np.clip(picture.astype(int) + NOISE.integers(-1, 2, SHAPE), 0, 255).astype(np.uint8))
    clock = picture.copy()
    clock[440:470, 10:40] = 255
    assert is_blank(clock)
    assert not is_blank(scene())


def test_a_dim_picture_that_changes_is_a_picture() -> None:
    is_blank = BlankCheck()
    assert not any(is_blank(scene(20, 12)) for _ in range(3))


def test_a_picture_of_another_size_is_a_new_one() -> None:
    is_blank = BlankCheck()
    is_blank(scene())
    assert not is_blank(scene()[:240])
    assert not is_blank(scene()[:1, :1])  # too small to tell anything
