"""Whether a file's two words on its rate agree: that of its coding and that of its container.

A video's own headers may tell the rate that it was coded at (ITU-T H.264 and H.265, annex E: the VUI's timing), and
the container gives each frame a time. Where a time scale is damaged, or a film was made slower or faster afterwards,
the two differ by a factor, and so may the time of each frame from the world's.
"""

from __future__ import annotations

from typing import Final, Protocol

_TELLING: Final = ("h264", "hevc")
"""Codecs whose headers tell a rate that is no mere resolution of time."""
_SANE_FPS: Final = (1, 250)
_APART: Final = 1.5
"""By less, frames were dropped, or a rate was changed by repeating some."""
_STEADY: Final = 0.01
"""Stamps are even where the rate that all of them fit and the mean rate differ by no more than this share: where they
are not, a camera made fewer frames at times, and its coding tells the most."""


class Ratio(Protocol):
    """What PyAV gives for rates: fractions up to version 18, rationals of its own from 19 on."""

    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


def contradiction(codec: str, coded: Ratio | None, mean: Ratio | None, even: Ratio | None) -> tuple[int, int] | None:
    """Thousandths of frames a second by the coding and by the container; None where they agree or do not tell.

    Args:
        codec: FFmpeg's name of it.
        coded: the rate of the video's own headers.
        mean: the mean rate by the container's times; even: the lowest rate that fits each of them.
    """
    by_coding, by_mean, by_even = _milli_fps(coded), _milli_fps(mean), _milli_fps(even)
    if codec not in _TELLING or not (by_coding and by_mean and by_even):
        return None
    if not _SANE_FPS[0] * 1000 <= by_coding <= _SANE_FPS[1] * 1000 or abs(by_even - by_mean) > _STEADY * by_mean:
        return None
    apart = max(by_coding, by_mean) / min(by_coding, by_mean)
    return (by_coding, by_mean) if apart >= _APART else None


def _milli_fps(rate: Ratio | None) -> int:
    return round(1000 * rate.numerator / rate.denominator) if rate is not None and rate.denominator else 0
