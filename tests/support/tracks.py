"""Tracks as files, for the tests of position: GPX and NMEA 0183 logs of a drive north at 15 m/s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tests.support.verdict_drive import METRES_PER_DEGREE

START_MS = 1_777_888_800_000  # 2026-05-04T10:00:00Z
LAT, LON = 48.0, 11.0


@dataclass(frozen=True)
class At:
    """One point: seconds since the start, metres north and east of it. `text`: written in place of the time."""

    second: float
    north: float
    east: float = 0.0
    text: str | None = None
    extra: str = ""

    @property
    def utc_ms(self) -> int:
        return START_MS + round(1000 * self.second)

    @property
    def place(self) -> tuple[float, float]:
        return LAT + self.north / METRES_PER_DEGREE, LON + self.east / (METRES_PER_DEGREE * 0.6691)

    @property
    def time(self) -> str:
        moment = datetime.fromtimestamp(self.utc_ms / 1000, UTC)
        return moment.isoformat().replace("+00:00", "Z") if self.text is None else self.text


def drive(seconds: int = 30, every: float = 1.0, speed: float = 15.0, start: float = 0.0) -> list[At]:
    """An even drive north."""
    return [At(start + k * every, speed * k * every) for k in range(int(seconds / every) + 1)]


def but(points: Sequence[At], **others: object) -> list[At]:
    """The points with some of them changed: `n7={"north": 3.0}` changes the one of index 7."""
    changed = list(points)
    for name, fields in others.items():
        index = int(name[1:])
        changed[index] = replace(changed[index], **fields)  # type: ignore[arg-type]
    return changed


def trkpt(at: At, prefix: str = "") -> str:
    lat, lon = at.place
    time = f"<{prefix}time>{at.time}</{prefix}time>" if at.time else ""
    return f'<{prefix}trkpt lat="{lat:.9f}" lon="{lon:.9f}">{time}{at.extra}</{prefix}trkpt>\n'


def gpx(*segments: Sequence[At], prefix: str = "", head: str = "", version: str = "1.1") -> bytes:
    """A GPX file with these segments, each in a track of its own."""
    ns = f"xmlns{':' + prefix if prefix else ''}"
    p = prefix + ":" if prefix else ""
    body = "".join(
        f"<{p}trk><{p}trkseg>{''.join(trkpt(at, p) for at in segment)}</{p}trkseg></{p}trk>" for segment in segments
    )
    address = f"http://www.topografix.com/GPX/{version.replace('.', '/')}"
    return f'<?xml version="1.0"?>{head}<{p}gpx version="{version}" {ns}="{address}">{body}</{p}gpx>'.encode()


def sentence(content: str) -> str:
    """A sentence with its checksum."""
    checksum = 0
    for character in content:
        checksum ^= ord(character)
    return f"${content}*{checksum:02X}\r\n"


def _angle(degrees: float, width: int, signs: str) -> str:
    whole, minutes = divmod(abs(degrees) * 60, 60)
    return f"{int(whole):0{width}d}{minutes:010.7f},{signs[degrees < 0]}"


def rmc(at: At, talker: str = "GP", status: str = "A", knots: float = 0.1, course: str = "", mode: str = "A") -> str:
    moment = datetime.fromtimestamp(at.utc_ms / 1000, UTC)
    place = f"{_angle(at.place[0], 2, 'NS')},{_angle(at.place[1], 3, 'EW')}"
    clock = f"{moment:%H%M%S}.{moment.microsecond // 10_000:02d}"
    return sentence(f"{talker}RMC,{clock},{status},{place},{knots},{course},{moment:%d%m%y},,,{mode}")


def gga(at: At, talker: str = "GP", quality: int = 1, hdop: float = 0.8) -> str:
    moment = datetime.fromtimestamp(at.utc_ms / 1000, UTC)
    place = f"{_angle(at.place[0], 2, 'NS')},{_angle(at.place[1], 3, 'EW')}"
    clock = f"{moment:%H%M%S}.{moment.microsecond // 10_000:02d}"
    return sentence(f"{talker}GGA,{clock},{place},{quality},08,{hdop},520.0,M,47.0,M,,")


def comma(made: str) -> str:
    """A sentence with decimal commas, and the checksum that belongs to it."""
    return sentence(made[1:].split("*")[0].replace(".", ","))


def log(points: Sequence[At], *makes: Callable[[At], str]) -> bytes:
    """An NMEA log with these sentences for each point."""
    return "".join(make(at) for at in points for make in makes).encode()
