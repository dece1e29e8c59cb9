"""From a track file's bytes to fixes. The file is untrusted: its size, its shape and each number are bounded.

What it is, is told by its content: XML is read as GPX, sentences as an NMEA 0183 log. What is good of it is used; what
is not is left out and counted, by reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from device.channel.failures import FailureName
from device.channel.tracks import LeftOut
from device.position.errors import PositionError
from device.position.gpx import read_gpx
from device.position.nmea import is_nmea, read_nmea
from device.position.plausible import checked
from device.position.track import Track

MAX_TRACK_BYTES: Final = 16 * 1024 * 1024

_BEFORE_XML: Final = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # byte order marks, and white space in any encoding
_NOTHING_LEFT: Final[Mapping[LeftOut | None, FailureName]] = {
    "no_time": "track_without_time",
    "no_place": "track_nowhere",
    "before_fix": "track_before_fix",
    "no_fix": "track_before_fix",
}
"""What is said of a track without a single fix, by the reason of most of its points."""


def read_track(data: bytes) -> Track:
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
        reason = max(track.left_out, key=lambda reason: track.left_out[reason], default=None)
        raise PositionError(_NOTHING_LEFT.get(reason, "track_unusable"), raw.points)
    return track


def _is_xml(data: bytes) -> bool:
    return data.lstrip(_BEFORE_XML).startswith(b"<")
