"""From the bytes of an NMEA 0183 log to its points: what receivers write, with whatever else stands between.

A sentence is found by its shape and its length, and read by `pynmeagps` only if its checksum is right. Only RMC and ZDA
tell the date; GGA and GNS tell the quality and the dilution; RMC and VTG the direction of travel. The sentences of one
time of day make one point.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from pynmeagps import NMEAReader
from pynmeagps.exceptions import NMEAMessageError, NMEAParseError, NMEATypeError

from device.position.errors import PositionError
from device.position.track import RawTrack

MAX_SENTENCES: Final = 200_000
"""A day with two sentences each second; one takes some 60 us to read, on a Pi a few times that."""
COURSE_FROM_KNOTS: Final = 4.0
"""A receiver's own direction counts from this speed on (2 m/s): below, it is noise."""

_SENTENCE: Final = re.compile(rb"\$[A-Z]{2}(?:RMC|GGA|GNS|VTG|ZDA),[0-9A-Za-z.,;:+-]{0,120}\*[0-9A-Fa-f]{2}")
_HEAD: Final = re.compile(rb"\$[A-Z]{2}(?:RMC|GGA|GNS|VTG|ZDA),")
_NOT_A_FIX: Final = frozenset({0, 6, 7, 8})  # GGA: none, dead reckoning, by hand, simulated
_NO_FIX_MODES: Final = frozenset("NEMS")  # the same four of RMC, VTG and GNS
_HALF_A_DAY: Final = timedelta(hours=12)


def is_nmea(data: bytes) -> bool:
    """Whether the bytes hold a sentence that tells a time and a place or a date."""
    return _HEAD.search(data) is not None


def read_nmea(data: bytes) -> RawTrack:
    """The points of an NMEA log, in its order; a receiver's pauses are gaps in time, not breaks.

    Raises:
        PositionError: more than `MAX_SENTENCES` sentences, or none that tells a place.
    """
    log = _Log()
    sentences = 0
    for found in _SENTENCE.finditer(data):
        sentences += 1
        if sentences > MAX_SENTENCES:
            raise PositionError("track_too_many_points", MAX_SENTENCES)
        message = _parsed(found[0])
        if message is None:
            log.track.left_out["damaged"] += 1
        else:
            log.take(message)
    log.close()
    log.track.left_out["damaged"] += max(0, sum(1 for _ in _HEAD.finditer(data)) - sentences)
    if not log.track.points:
        raise PositionError("track_empty")
    return log.track


def _parsed(sentence: bytes) -> Any | None:
    try:
        return NMEAReader.parse(sentence + b"\r\n")
    except (NMEAMessageError, NMEAParseError, NMEATypeError, ValueError, TypeError, IndexError, OverflowError):
        return None


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
        """The epoch is over: its point is added, or left out with a reason."""
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return
        moment = self._moment(epoch)
        if not epoch.has_place:
            return
        if not epoch.good:
            self.track.left_out["no_fix"] += 1
            return
        utc_ms = round(moment.timestamp() * 1000) if moment is not None else None
        self.track.add(utc_ms, epoch.place, epoch.hdop)
        if utc_ms is not None and epoch.course is not None:
            self.track.courses[utc_ms] = epoch.course

    def _moment(self, epoch: _Epoch) -> datetime | None:
        """Date and time; where no sentence of the epoch tells a date, the last one, or the day after past midnight."""
        day = epoch.day
        if day is None:
            if self._last is None:
                return None
            day = self._last.date()
            if self._last - datetime.combine(day, epoch.at, UTC) > _HALF_A_DAY:
                day += timedelta(days=1)
        self._last = datetime.combine(day, epoch.at, UTC)
        return self._last

    def _course(self, message: Any, course: str, speed: str) -> None:
        degrees, knots = getattr(message, course, None), getattr(message, speed, None)
        if self._epoch is None or not (isinstance(degrees, float | int) and isinstance(knots, float | int)):
            return
        if knots >= COURSE_FROM_KNOTS and 0.0 <= degrees <= 360.0:
            self._epoch.course = float(degrees) % 360.0


def _day(message: Any) -> date | None:
    """The date of an RMC or ZDA; None where it tells none."""
    if message.msgID == "ZDA":
        try:
            return date(int(message.year), int(message.month), int(message.day))
        except (AttributeError, TypeError, ValueError):
            return None
    day = getattr(message, "date", None)
    return day if isinstance(day, date) else None


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
