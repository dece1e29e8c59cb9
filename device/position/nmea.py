"""From the bytes of an NMEA 0183 log to its points: what receivers write, with whatever else stands between.

A sentence is found by its shape and its length, wherever in a line it begins, and read by `pynmeagps` only if its
checksum is right. Only RMC and ZDA tell the date; GGA and GNS tell the quality and the dilution; RMC and VTG the
direction of travel. The sentences of one time of day make one point.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from pynmeagps import NMEAReader, calc_checksum
from pynmeagps.exceptions import NMEAMessageError, NMEAParseError, NMEATypeError

from device.channel.tracks import LeftOut
from device.position.errors import PositionError
from device.position.track import RawTrack

MAX_SENTENCES: Final = 200_000
"""A day with two sentences each second; one takes some 60 us to read, on a Pi a few times that."""
COURSE_FROM_KNOTS: Final = 4.0
"""A receiver's own direction counts from this speed on (2 m/s): below, it is noise."""

_SENTENCE: Final = re.compile(
    rb"\$(?!P)([A-Z]{2}(RMC|GGA|GNS|VTG|ZDA),[0-9A-Z.,;:+-]{0,120})(\*[0-9A-F]{2})?", re.IGNORECASE
)
"""What begins as a sentence that tells a time, a place or a date. A talker P is a maker's own: its RMC is none."""
_ANY: Final = re.compile(rb"[$!][A-Z]{5},", re.IGNORECASE)
_SEPARATORS: Final = {b"RMC": 11, b"GGA": 14, b"GNS": 12, b"VTG": 8, b"ZDA": 6}
"""How many commas a whole sentence has at least, as NMEA 0183 lays it out: one with fewer was cut off."""
_COMMAS: Final = re.compile(
    r"RMC,\d{6},\d{1,4},[AV],|RMC,[\d.]*,[AV],\d{3,4},\d+,[NS],"
    r"|(?:GGA|GNS),\d{6},\d{1,4},\d{3,4}[.,]\d+,[NS],|(?:GGA|GNS),[\d.]*,\d{3,4},\d+,[NS],",
    re.IGNORECASE,
)
"""Numbers written with decimal commas, which part a sentence's fields as well."""
_NOT_A_FIX: Final = frozenset({0, 6, 7, 8})  # GGA: none, dead reckoning, by hand, simulated
_NO_FIX_MODES: Final = frozenset("NEMS")  # the same four of RMC, VTG and GNS
_LINE_ENDS: Final = (b"", b"\r", b"\n", b"\x00")
_YEARS: Final = range(1900, 3000)
"""What a date may be of at all, so that the day after it is one as well."""
_HALF_A_DAY: Final = timedelta(hours=12)


def is_nmea(data: bytes) -> bool:
    """Whether the bytes hold a sentence of NMEA 0183, whatever it tells."""
    return _ANY.search(data) is not None


def read_nmea(data: bytes) -> RawTrack:
    """The points of an NMEA log, in its order; a receiver's pauses are gaps in time, not breaks.

    Raises:
        PositionError: more than `MAX_SENTENCES` sentences, or none that tells a place.
    """
    log = _Log()
    for number, found in enumerate(_SENTENCE.finditer(data)):
        if number >= MAX_SENTENCES:
            raise PositionError("track_too_many_points", MAX_SENTENCES)
        message, reason = _parsed(found, data[found.end() : found.end() + 1])
        if reason is not None:
            log.track.left_out[reason] += 1
        else:
            log.take(message)
    log.end()
    return log.track


def _parsed(found: re.Match[bytes], behind: bytes) -> tuple[Any, LeftOut | None]:
    """A sentence, or why it is not read. `behind`: the byte after it."""
    content = found[1].decode("ascii")
    if _COMMAS.search(content):
        return None, "decimal_comma"
    if found[3] is None:
        whole = content.count(",") >= _SEPARATORS[found[2].upper()] and behind in _LINE_ENDS
        return None, "no_checksum" if whole else "damaged"
    upper = content.upper()
    if found[3][1:].decode().upper() not in (calc_checksum(content), calc_checksum(upper)):
        return None, "damaged"
    try:
        return NMEAReader.parse(f"${upper}*{calc_checksum(upper)}\r\n".encode()), None
    except (NMEAMessageError, NMEAParseError, NMEATypeError, ValueError, TypeError, IndexError, OverflowError):
        return None, "damaged"


@dataclass
class _Epoch:
    """What the sentences of one time of day say together."""

    at: time
    day: date | None = None
    place: tuple[float, float] | None = None
    has_place: bool = False  # a sentence that tells places was there
    good: bool = True
    hdop: float | None = None
    course: float | None = None


class _Log:
    """The epoch that is being read, and the last date."""

    def __init__(self) -> None:
        self.track = RawTrack()
        self._epoch: _Epoch | None = None
        self._counted = ""
        self._last: datetime | None = None  # with the date that a sentence told or that follows from it
        self._undated: list[_Epoch] = []  # of before the first date

    def take(self, message: Any) -> None:
        """One sentence."""
        kind = str(message.msgID)
        if kind == "VTG":
            self._course(message, "cogt", "sogn")
            return
        at = getattr(message, "time", None)
        if kind != "ZDA":
            self._counted = self._counted or kind
        if not isinstance(at, time):
            if kind == self._counted:  # once for the sentences of one moment
                self.track.left_out["no_time" if _is_fix(message) else "no_fix"] += 1
            return
        if self._epoch is None or self._epoch.at != at:
            self.close()
            self._epoch = _Epoch(at)
        epoch = self._epoch
        epoch.day = epoch.day or _day(message)
        if kind == "ZDA":
            return
        epoch.has_place = True
        epoch.place = epoch.place or _place(message)
        epoch.good = epoch.good and _is_fix(message)
        dilution = getattr(message, "HDOP", None)
        epoch.hdop = dilution if isinstance(dilution, float | int) else epoch.hdop
        if kind == "RMC":
            self._course(message, "cog", "spd")

    def close(self) -> None:
        """The epoch is over: it is put down, or waits for the first date of the log."""
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return
        day = epoch.day or (_day_after(epoch.at, self._last) if self._last is not None else None)
        if day is None:
            self._undated.append(epoch)
            return
        self._last = _on(day, epoch.at)
        for waiting, moment in _dated(self._undated, self._last):
            self._put(waiting, moment)
        self._undated.clear()
        self._put(epoch, self._last)

    def end(self) -> None:
        """No sentence follows: what waits for a date gets none."""
        self.close()
        for epoch in self._undated:
            if epoch.has_place:
                self.track.left_out["no_date" if epoch.good else "no_fix"] += 1

    def _put(self, epoch: _Epoch, moment: datetime) -> None:
        """Adds the epoch's point, or leaves it out with a reason."""
        if not epoch.has_place:
            return
        if not epoch.good:
            self.track.left_out["no_fix"] += 1
            return
        utc_ms = round(moment.timestamp() * 1000)
        self.track.add(utc_ms, epoch.place or "no_place", epoch.hdop)
        if epoch.course is not None:
            self.track.courses[utc_ms] = epoch.course

    def _course(self, message: Any, course: str, speed: str) -> None:
        degrees, knots = getattr(message, course, None), getattr(message, speed, None)
        if self._epoch is None or not (isinstance(degrees, float | int) and isinstance(knots, float | int)):
            return
        if knots >= COURSE_FROM_KNOTS and 0.0 <= degrees <= 360.0:
            self._epoch.course = float(degrees) % 360.0


def _day_after(at: time, before: datetime) -> date:
    """The date of a time of day that follows `before`: the same, or past midnight the next."""
    day = before.date()
    return day + timedelta(days=1) if before - _on(day, at) > _HALF_A_DAY else day


def _dated(epochs: Sequence[_Epoch], first: datetime) -> list[tuple[_Epoch, datetime]]:
    """Epochs of before the first date, with the dates that follow from it: before midnight, the day before."""
    found: list[tuple[_Epoch, datetime]] = []
    after = first
    for epoch in reversed(epochs):
        day = after.date()
        if _on(day, epoch.at) - after > _HALF_A_DAY and day > date.min:
            day -= timedelta(days=1)
        after = _on(day, epoch.at)
        found.append((epoch, after))
    return found[::-1]


def _on(day: date, at: time) -> datetime:
    return datetime.combine(day, at, UTC)


def _day(message: Any) -> date | None:
    """The date of an RMC or ZDA; None where it tells none."""
    if message.msgID == "ZDA":
        try:
            day = date(int(message.year), int(message.month), int(message.day))
            return day if day.year in _YEARS else None
        except (AttributeError, TypeError, ValueError):
            return None
    told = getattr(message, "date", None)
    return told if isinstance(told, date) else None


def _place(message: Any) -> tuple[float, float] | None:
    lat, lon = getattr(message, "lat", None), getattr(message, "lon", None)
    if getattr(message, "NS", "") not in ("N", "S") or getattr(message, "EW", "") not in ("E", "W"):
        return None
    return (float(lat), float(lon)) if isinstance(lat, float | int) and isinstance(lon, float | int) else None


def _is_fix(message: Any) -> bool:
    """Whether the receiver itself stands by the place."""
    if getattr(message, "status", "A") != "A" or getattr(message, "quality", 1) in _NOT_A_FIX:
        return False
    modes = str(getattr(message, "posMode", "") or "")
    return not modes or not set(modes) <= _NO_FIX_MODES
