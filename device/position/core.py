"""From a track file's bytes to fixes. The file is untrusted: its size, its shape and each number are bounded.

What it is, is told by its content: XML is read as GPX, sentences as an NMEA 0183 log. What is good of it is used; what
is not is left out and counted, by reason.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NoReturn

from device.channel.tracks import LeftOut
from device.position.errors import PositionError
from device.position.gpx import read_gpx
from device.position.nmea import is_nmea, read_nmea
from device.position.plausible import checked
from device.position.track import CheckedTrack

MAX_TRACK_BYTES: Final = 16 * 1024 * 1024

_BEFORE_XML: Final = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # byte order marks, and white space in any encoding


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
    raw = read_gpx(data) if _is_xml(data) or not is_nmea(data) else read_nmea(data)
    track = checked(raw)
    if not track.fixes:
        _refuse(raw.points, track.left_out)
    return track


def _refuse(points: int, left_out: Counter[LeftOut]) -> NoReturn:
    """What is said of a track without a single fix, by the reason of most of its points."""
    match max(left_out, key=lambda reason: left_out[reason], default=None):
        case "no_time":
            raise PositionError("track_without_time", points)
        case "no_place":
            raise PositionError("track_nowhere", points)
        case "before_fix" | "no_fix":
            raise PositionError("track_before_fix", points)
        case _:
            raise PositionError("track_unusable", points)


def _is_xml(data: bytes) -> bool:
    return data.lstrip(_BEFORE_XML).startswith(b"<")
