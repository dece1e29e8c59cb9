"""A rate by the coding and a rate by the container: a contradiction is told, and what is usual is none."""

from __future__ import annotations

from fractions import Fraction

import pytest

from device.capture.rates import contradiction


@pytest.mark.parametrize(
    ("codec", "coded", "mean", "even", "told"),
    [
        ("h264", 30, 15, 15, (30_000, 15_000)),
        ("hevc", 15, 30, 30, (15_000, 30_000)),
        ("h264", 30, 30, 30, None),
        ("h264", 30, 25, 25, None),
        ("h264", 30, 12, 30, None),  # a camera that drops frames in the dark
        ("h264", 1000, 15, 15, None),  # a resolution of time and no rate
        ("h264", 0, 15, 15, None),
        ("h264", None, 15, 15, None),
        ("h264", 30, None, 15, None),
        ("h264", 30, 15, None, None),
        ("mpeg4", 30, 15, 15, None),
    ],
)
def test_only_what_cannot_both_be_is_told(
    codec: str, coded: int | None, mean: int | None, even: int | None, told: tuple[int, int] | None
) -> None:
    rates = (Fraction(rate) if rate is not None else None for rate in (coded, mean, even))
    assert contradiction(codec, *rates) == told
