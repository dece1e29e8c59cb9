"""From a GPX file's bytes to fixes. The file is untrusted: its size, its entities and each number are bounded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import Final
from xml.etree import ElementTree

import gpxpy
import gpxpy.gpx

from device.channel.messages import Fix
from device.position.errors import PositionError
from wire.geodesy import headings

MAX_GPX_BYTES: Final = 16 * 1024 * 1024
MAX_POINTS: Final = 1_000_000
STANDING_M: Final = 0.3
"""Neighbouring points nearer than this say nothing about the direction of travel, metres."""
DEFAULT_ACCURACY_M: Final = 5.0
"""What a GPX point is taken to be off by where it gives no dilution of precision, metres (a good consumer receiver)."""
METRES_PER_HDOP: Final = 3.0
"""User equivalent range error of a consumer receiver: accuracy is about this times the horizontal dilution."""

_EARLIEST_MS: Final = 0
_LATEST_MS: Final = 2**47  # far beyond any receiver's clock, well inside the message's bound
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def parse_gpx(data: bytes) -> list[Fix]:
    """The track points of a GPX file, in order, each time once, with the heading computed from the track.

    Args:
        data: the file, at most `MAX_GPX_BYTES`, in UTF-8; UTF-16 is refused, since it could hide a DTD.

    Raises:
        PositionError: the file is too large, not UTF-8, not GPX, has a document type declaration, no point or more than
            `MAX_POINTS`, a point without a time or before 1970, points that go back in time, or a place not on Earth.
    """
    if len(data) > MAX_GPX_BYTES:
        raise PositionError("gpx_too_large", MAX_GPX_BYTES)
    points = list(islice(_points(_parsed(_text(data))), MAX_POINTS + 1))
    if len(points) > MAX_POINTS:
        raise PositionError("gpx_too_many_points", MAX_POINTS)
    if not points:
        raise PositionError("gpx_empty")
    checked = [_checked(number, point) for number, point in enumerate(points, 1)]
    for number, (before, after) in enumerate(pairwise(checked), 2):
        if after[0] < before[0]:
            raise PositionError("gpx_not_sorted", number)
    checked = checked[:1] + [
        after for before, after in pairwise(checked) if after[0] > before[0]
    ]  # loggers repeat points
    directions = headings([(lat, lon) for _, lat, lon, _ in checked], STANDING_M)
    return [
        Fix(utc_ms=utc_ms, lat=lat, lon=lon, heading=heading, accuracy_m=accuracy)
        for (utc_ms, lat, lon, accuracy), heading in zip(checked, directions, strict=True)
    ]


def _text(data: bytes) -> str:
    if _DECLARATION.search(data):
        raise PositionError("gpx_doctype")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PositionError("gpx_not_utf8") from None


def _parsed(text: str) -> gpxpy.gpx.GPX:
    try:
        return gpxpy.parse(text)
    except (
        gpxpy.gpx.GPXException,
        ElementTree.ParseError,
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
    ):
        raise PositionError("gpx_malformed") from None


def _points(track: gpxpy.gpx.GPX) -> Iterator[gpxpy.gpx.GPXTrackPoint]:
    return (point for part in track.tracks for segment in part.segments for point in segment.points)


def _checked(number: int, point: gpxpy.gpx.GPXTrackPoint) -> tuple[int, float, float, float]:
    """(unix milliseconds, latitude, longitude, accuracy in metres) of one point."""
    lat, lon = float(point.latitude), float(point.longitude)
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):  # false for NaN too
        raise PositionError("gpx_not_on_earth", number)
    if not isinstance(point.time, datetime):
        raise PositionError("gpx_without_time", number)
    moment = point.time if point.time.tzinfo else point.time.replace(tzinfo=UTC)
    utc_ms = round(moment.timestamp() * 1000)
    if not _EARLIEST_MS <= utc_ms <= _LATEST_MS:
        raise PositionError("gpx_before_1970", number)
    dilution = point.horizontal_dilution
    known = dilution is not None and math.isfinite(dilution) and dilution > 0
    return utc_ms, lat, lon, min(dilution * METRES_PER_HDOP, 10_000.0) if known else DEFAULT_ACCURACY_M
