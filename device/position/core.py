"""From a track file's bytes to fixes. The file is untrusted: its size, its shape and each number are bounded.

What it is, is told by its content: XML is read as GPX, sentences as an NMEA 0183 log. What is good of it is used; what
is not is left out and counted, by reason.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NoReturn

from device.channel.failures import FailureName
from device.channel.tracks import LeftOut
from device.position.errors import PositionError
from device.position.gpx import read_gpx
from device.position.nmea import is_nmea, read_nmea
from device.position.plausible import checked
from device.position.text import as_text, is_table, is_xml, other_kind, wide_encoding
from device.position.track import CheckedTrack, RawTrack

MAX_TRACK_BYTES: Final = 16 * 1024 * 1024

_ALL_POINTS: Final[dict[LeftOut, FailureName]] = {
    "no_time": "track_without_time",
    "no_place": "track_nowhere",
    "before_fix": "track_before_fix",
    "no_fix": "track_before_fix",
}
"""What is said of a track without a single fix, by the reason of most of its points, with how many it has..."""
_THESE: Final[dict[LeftOut, FailureName]] = {
    "contradicted": "track_contradicts_itself",
    "damaged": "track_damaged",
    "decimal_comma": "track_with_commas",
    "no_checksum": "track_without_checksum",
    "no_date": "track_without_date",
    "not_degrees": "track_not_degrees",
}
"""...or with how many are left out for that reason."""


def read_track(data: bytes) -> CheckedTrack:
    """The fixes of a GPX file or an NMEA log, in order of time, with the heading computed from the track.

    Args:
        data: the file, at most `MAX_TRACK_BYTES`.

    Raises:
        PositionError: too large, neither GPX nor NMEA, a document type declaration, too many points, or no point that
            can be used.
    """
    if len(data) > MAX_TRACK_BYTES:
        raise PositionError("track_too_large", MAX_TRACK_BYTES)
    raw = _read(data)
    track = checked(raw)
    if not track.fixes:
        _refuse(raw.points, track.left_out)
    return track


def _read(data: bytes) -> RawTrack:
    kind = other_kind(data)
    if kind is not None:
        raise PositionError(kind)
    if is_xml(data):
        return read_gpx(data)
    narrow = as_text(data).encode("ascii", "replace") if wide_encoding(data) else data
    if is_nmea(narrow):
        return read_nmea(narrow)
    if is_table(data):
        raise PositionError("track_is_table")
    return read_gpx(data)


def _refuse(points: int, left_out: Counter[LeftOut]) -> NoReturn:
    """What is said of a track without a single fix."""
    most = max(left_out, key=lambda reason: left_out[reason], default=None)
    if most is None:
        raise PositionError("track_empty")
    if most in _THESE:
        raise PositionError(_THESE[most], left_out[most])
    raise PositionError(_ALL_POINTS.get(most, "track_unusable"), points)
