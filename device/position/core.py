"""From a track file's bytes to fixes. The file is untrusted: its size, its shape and each number are bounded.

What it is, is told by its content: XML is read as GPX, sentences as an NMEA 0183 log. What is good of it is used; what
is not is left out and counted, by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, NoReturn

from device.channel.tracks import LeftOut
from device.position.errors import PositionError
from device.position.gpx import read_gpx
from device.position.nmea import is_nmea, read_nmea
from device.position.plausible import checked
from device.position.text import as_text, is_table, is_xml, other_kind, wide_encoding
from device.position.track import CheckedTrack, RawTrack

MAX_TRACK_BYTES: Final = 16 * 1024 * 1024

_REFUSED: Final[dict[LeftOut, Callable[[int, int], PositionError]]] = {
    "no_time": lambda points, these: PositionError("track_without_time", points),
    "no_place": lambda points, these: PositionError("track_nowhere", points),
    "before_fix": lambda points, these: PositionError("track_before_fix", points),
    "no_fix": lambda points, these: PositionError("track_no_fix", points),
    "contradicted": lambda points, these: PositionError("track_contradicts_itself", these),
    "damaged": lambda points, these: PositionError("track_damaged", these),
    "decimal_comma": lambda points, these: PositionError("track_with_commas", these),
    "no_checksum": lambda points, these: PositionError("track_without_checksum", these),
    "no_date": lambda points, these: PositionError("track_without_date", these),
    "repeated": lambda points, these: PositionError("track_times_too_coarse", these),
    "impossible": lambda points, these: PositionError("track_jumps", these),
    "not_degrees": lambda points, these: PositionError("track_not_degrees", these),
}
"""What is said of a track without a single fix, by the reason of most of its points: of how many points there are, and
how many of these."""


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
    other = other_kind(data)
    if other is not None:
        raise other
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
    if most in _REFUSED:
        raise _REFUSED[most](points, left_out[most])
    raise PositionError("track_unusable", points)
