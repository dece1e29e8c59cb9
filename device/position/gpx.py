"""From the bytes of a GPX file to its points, as loggers write them: 1.0 or 1.1, any name prefix, damaged or cut off.

The XML is read by expat, which calls us for each element and builds no tree: memory is what the points take. A document
type is refused as soon as expat meets it, whatever the encoding, so no entity is ever declared. Only places, times and
dilutions are looked at, which are ASCII.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from xml.parsers import expat

from device.channel.tracks import LeftOut
from device.position.errors import PositionError
from device.position.text import as_text, other_xml
from device.position.track import RawTrack

MAX_POINTS: Final = 1_000_000
MAX_DEPTH: Final = 64
MAX_RESUMED: Final = 256
"""How many damaged places of a file are passed over; what follows the last is not read."""
_CUT: Final = frozenset(
    expat.errors.codes[error]
    for error in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)
"""The errors of a text that ends too early."""
_MORE_AFTER_END: Final = expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]
_MAX_TEXT: Final = 64  # characters of a time or a dilution
_RESUMES_AT: Final = re.compile(rb"<((?:[A-Za-z_][\w.-]{0,31}:)?)trkpt[\s>/]")
_POINT: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,31}:)?trkp")  # of a tag that is not whole
_COMMA: Final = re.compile(r"\s*[+-]?\d{1,3},\d+\s*")
_ANGLE: Final = re.compile(r"\s*[NSEW]?\s*[+-]?\d", re.IGNORECASE)
_READ: Final = frozenset({"time", "hdop", "fix"})
_NO_FIX: Final = "none"
"""What a point's `fix` says that a receiver wrote without one (GPX 1.1, fixType); `2d`, `3d`, `dgps` and `pps` are."""
_SEGMENTS: Final = frozenset({"trk", "trkseg"})
_OTHER_POINTS: Final = frozenset({"wpt", "rtept"})


def read_gpx(data: bytes) -> RawTrack:
    """The track points of a GPX file. What is damaged costs the point that it lies in, and reading goes on at the next.

    Raises:
        PositionError: a document type, more than `MAX_POINTS`, too deep, not GPX, or waypoints and routes alone.
    """
    text = memoryview(as_text(data).encode("utf-8", "replace"))
    reader = _Reader()
    damage = reader.read(text, b"")
    for _ in range(MAX_RESUMED):
        found = _RESUMES_AT.search(text, damage) if damage is not None else None
        if found is None:
            break
        as_if = b"<%bgpx><%btrk><%btrkseg>" % ((found[1],) * 3)
        behind = reader.read(text[found.start() :], as_if)
        damage = None if behind is None else found.start() + max(behind, 1)
    if not reader.is_gpx:
        raise other_xml(reader.root)
    if not reader.track.points and reader.others:
        raise PositionError("track_only_marks")
    return reader.track


class _Reader:
    """What expat calls while it reads; the same over all resumed parts of one file."""

    def __init__(self) -> None:
        self.track = RawTrack()
        self.is_gpx = False
        self.root = ""
        self.others = 0
        self._count = 0
        self._path: list[str] = []
        self._place: tuple[float, float] | LeftOut = "no_place"
        self._values: dict[str, str] = {}
        self._reads_file = True
        self._in_point = 0  # depth of the point that is being read, 0: none

    def read(self, text: memoryview, as_if: bytes) -> int | None:
        """Reads on, as if `as_if` stood before. Returns where to look on after damage, None where all is read."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self._characters, self._doctype
        self._path, self._in_point = [], 0
        try:
            self._reads_file = False  # what stands in for the lost beginning begins no segment
            parser.Parse(as_if, False)
            self._reads_file = True
            parser.Parse(text, True)
        except expat.ExpatError as error:
            place = max(parser.ErrorByteIndex - len(as_if), 0)
            if error.code in _CUT and not self._in_point and not _POINT.match(text, place):
                self.track.cut = True  # between two points: no more is lost than what was never written
                return None
            self.track.left_out["damaged"] += 1
            return place + (error.code != _MORE_AFTER_END)
        return None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if len(self._path) >= MAX_DEPTH:
            raise PositionError("track_malformed")
        if not self._path:
            self.is_gpx = self.is_gpx or name == "gpx"
            self.root = self.root or name
        self._path.append(name)
        if not self.is_gpx:
            return
        if name in _SEGMENTS and self._reads_file:
            self._break()
        if name == "trkpt" and len(self._path) > 1 and self._path[-2] == "trkseg":
            self._in_point = len(self._path)
            self._values = {}
            self._place = _place(attributes.get("lat", ""), attributes.get("lon", ""))
        self.others += name in _OTHER_POINTS

    def _characters(self, data: str) -> None:
        if self._in_point and len(self._path) == self._in_point + 1 and self._path[-1] in _READ:
            known = self._values.get(self._path[-1], "")
            self._values[self._path[-1]] = known + data[: _MAX_TEXT - len(known)]

    def _end(self, tag: str) -> None:
        if self._in_point and len(self._path) == self._in_point:
            self._in_point = 0
            self._count += 1
            if self._count > MAX_POINTS:
                raise PositionError("track_too_many_points", MAX_POINTS)
            fix = self._values.get("fix", "").strip().lower()
            place = "no_fix" if fix == _NO_FIX else self._place
            self.track.add(_time(self._values.get("time", "")), place, _number(self._values.get("hdop", "")))
        self._path.pop()

    def _break(self) -> None:
        if self.track.segments[-1]:
            self.track.segments.append([])

    def _doctype(self, *_: object) -> None:
        raise PositionError("track_doctype")


def _place(lat: str, lon: str) -> tuple[float, float] | LeftOut:
    """Degrees, or why these are none: a text from which a person could read a place is told apart from none."""
    north, east = _number(lat), _number(lon)
    if north is not None and east is not None:
        return (north, east) if not (_is_packed(north) or _is_packed(east)) else "not_degrees"
    written = [text for text, number in ((lat, north), (lon, east)) if number is None]
    if any(_COMMA.fullmatch(text) for text in written):
        return "decimal_comma"
    return "not_degrees" if all(_ANGLE.match(text) for text in written) else "no_place"


def _is_packed(angle: float) -> bool:
    """Whether a number that is no angle in degrees is one as NMEA writes it, degrees and minutes: 5216.2."""
    return 180.0 < abs(angle) <= 18_000.0 and abs(angle) % 100 < 60.0


def _number(text: str) -> float | None:
    try:
        return float(text[:_MAX_TEXT]) if "_" not in text else None
    except ValueError:
        return None


def _time(text: str) -> int | None:
    """Unix milliseconds of an ISO 8601 time, taken as UTC where it names no zone; None: it is none.

    A leap second (23:59:60) is none either: unix time has no number of its own for it.
    """
    text = text.strip().upper()
    if len(text) < len("2026-01-01T00:00"):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
