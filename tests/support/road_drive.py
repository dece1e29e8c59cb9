"""A drive along any way past honest or copied signs, as its own recorded track tells it: file, position, judge.

A way gives metres north and east at a second; a receiver's error, what it adds to them. The camera is that of
`verdict_drive`, at ten frames a second.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from device.channel.messages import Readings, Sightings, Verdict
from device.position.core import read_track
from device.verdict.judge import Judge
from tests.support.verdict_drive import ANCHORS, AUTHORITY, METRES_PER_DEGREE, UTC_S, Sign, claims, entry, registered
from wire import signcode

Plane = Callable[[float], tuple[float, float]]
FPS = 10


@dataclass
class Stand:
    """A sign at metres north and east of the start, for traffic of this heading; its code says it hangs `moved` on, and
    speaks to traffic turned by `turned` degrees."""

    north: float
    east: float = 3.0
    heading: float = 0.0
    moved: tuple[float, float] = (0.0, 0.0)
    turned: float = 0.0


def straight(speed: float = 15.0) -> Plane:
    return lambda second: (speed * second, 0.0)


def exact(second: float) -> tuple[float, float]:
    return 0.0, 0.0


def independent(sigma: float, seed: int) -> Plane:
    """Each fix is off by its own error, metres on either axis."""
    source = random.Random(seed)
    return lambda second: (source.gauss(0, sigma), source.gauss(0, sigma))


def wandering(sigma: float, seed: int, lasts_s: float = 20.0) -> Plane:
    """Errors that last (a first-order Gauss-Markov process), for fixes a second apart."""
    source, held = random.Random(seed), [0.0, 0.0]
    keep = math.exp(-1 / lasts_s)

    def error(second: float) -> tuple[float, float]:
        for axis in (0, 1):
            held[axis] = keep * held[axis] + source.gauss(0, sigma) * math.sqrt(1 - keep * keep)
        return held[0], held[1]

    return error


@dataclass
class RoadDrive:
    """One drive. `fixes_at`: the seconds of the track's points; `lat`, `lon`: where it begins."""

    way: Plane
    seconds: float
    stands: list[Stand]
    fixes_at: Iterable[float]
    error: Plane = exact
    lat: float = 48.0
    lon: float = 11.0
    hdop: float | None = None
    codes: list[bytes] = field(default_factory=list)

    def place(self, north: float, east: float) -> tuple[float, float]:
        lat = self.lat + north / METRES_PER_DEGREE
        lon = self.lon + east / (METRES_PER_DEGREE * math.cos(math.radians(self.lat)))
        return lat, (lon + 180.0) % 360.0 - 180.0

    def gpx(self) -> bytes:
        points = []
        for second in self.fixes_at:
            here, off = self.way(second), self.error(second)
            lat, lon = self.place(here[0] + off[0], here[1] + off[1])
            time = datetime.fromtimestamp(UTC_S + second, UTC).isoformat()
            hdop = f"<hdop>{self.hdop}</hdop>" if self.hdop else ""
            points.append(f'<trkpt lat="{lat:.8f}" lon="{lon:.8f}"><time>{time}</time>{hdop}</trkpt>')
        return f"<gpx><trk><trkseg>{''.join(points)}</trkseg></trk></gpx>".encode()

    def run(self, *, is_registered: bool = True) -> list[Verdict]:
        known = []
        for number, stand in enumerate(self.stands, 1):
            lat, lon = self.place(stand.north + stand.moved[0], stand.east + stand.moved[1])
            says = (stand.heading + stand.turned) % 360.0
            said = claims(0, number=number, lat=lat, lon=lon, heading=says)
            self.codes.append(signcode.issue(said, AUTHORITY).encode())
            known.append(entry(0, number=number, lat=lat, lon=lon, heading=says))
        judge = Judge(ANCHORS, registered(*known) if is_registered else None, stream="road", lockstep=True)
        judge.start(UTC_S * 1000, earliest_ms=-1000, latest_ms=1000)
        fixes, verdicts = read_track(self.gpx()).fixes[::-1], []
        for frame in range(int(self.seconds * FPS)):
            while fixes and judge.wants_fixes:
                verdicts += judge.on_fix(fixes.pop())
            verdicts += judge.on_fixes_end() if not fixes else []
            for message in self._seen(frame):
                verdicts += (
                    judge.on_sightings(message) if isinstance(message, Sightings) else judge.on_readings(message)
                )
        return verdicts + judge.finish()

    def _seen(self, frame: int) -> tuple[Sightings, Readings]:
        second = frame / FPS
        here, before, after = self.way(second), self.way(second - 0.05), self.way(second + 0.05)
        drives = math.atan2(after[1] - before[1], after[0] - before[0])
        boxes, readings = [], []
        for stand, data in zip(self.stands, self.codes, strict=True):
            north, east = stand.north - here[0], stand.east - here[1]
            ahead = north * math.cos(drives) + east * math.sin(drives)
            aside = east * math.cos(drives) - north * math.sin(drives)
            turned = abs((stand.heading - math.degrees(drives) + 180.0) % 360.0 - 180.0)
            if turned <= 45.0 and abs(aside) <= 15.0:
                sign = Sign(0.0, data=data)
                box = sign.box(ahead)
                boxes += [box] if box is not None else []
                readings += sign.readings(frame, ahead)
        at_ms = frame * 1000 // FPS
        return Sightings(frame, at_ms, 1536, 864, boxes), Readings(frame, at_ms, 1536, 864, readings)
