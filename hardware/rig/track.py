"""The vehicle's track over ground, and its GPX file.

One fix each fifth of a second with the receiver's time, as GPX 1.1. The road is straight; the fixes wander as those of
a good receiver do, by a few decimetres, slowly.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gpxpy.gpx

from program import outputs

_METRES_PER_DEGREE = 111_320.0
_FIXES_PER_SECOND = 5
_MARGIN_S = 2.0
_STARTS = ((48.3671, 10.2208), (49.1522, 9.9847), (50.3386, 8.9431), (51.2075, 9.6212), (53.4102, 10.7719))


@dataclass(frozen=True)
class Track:
    """A straight road: where its start lies (degrees) and where it leads (degrees clockwise from true north)."""

    lat: float
    lon: float
    heading: float

    def place(self, z: float, x: float = 0.0) -> tuple[float, float]:
        """Latitude and longitude of a point `z` metres along the road and `x` metres to its right."""
        angle = math.radians(self.heading)
        north = z * math.cos(angle) - x * math.sin(angle)
        east = z * math.sin(angle) + x * math.cos(angle)
        lat = self.lat + north / _METRES_PER_DEGREE
        return lat, self.lon + east / (_METRES_PER_DEGREE * math.cos(math.radians(self.lat)))


def choose(rng: random.Random) -> Track:
    """A road somewhere in Germany."""
    lat, lon = rng.choice(_STARTS)
    return Track(lat + rng.uniform(-0.02, 0.02), lon + rng.uniform(-0.02, 0.02), rng.uniform(0.0, 359.0))


def write_gpx(path: Path, track: Track, speed: float, seconds: float, start_utc_ms: int, rng: random.Random) -> None:
    """Writes the fixes from two seconds before the first frame to two seconds after the last one.

    Args:
        path: the file to write.
        speed: metres a second, even.
        seconds: how long the drive lasts.
        start_utc_ms: time of the first frame, unix milliseconds.
        rng: of the wander of the fixes.
    """
    segment = gpxpy.gpx.GPXTrackSegment()
    start = datetime.fromtimestamp(start_utc_ms / 1000, UTC)
    along = aside = 0.0
    for index in range(round((seconds + 2 * _MARGIN_S) * _FIXES_PER_SECOND) + 1):
        t = index / _FIXES_PER_SECOND - _MARGIN_S
        along = 0.97 * along + rng.gauss(0, 0.06)
        aside = 0.97 * aside + rng.gauss(0, 0.06)
        lat, lon = track.place(speed * t + along, aside)
        point = gpxpy.gpx.GPXTrackPoint(
            round(lat, 8), round(lon, 8), elevation=412.0, time=start + timedelta(seconds=t), horizontal_dilution=0.8
        )
        segment.points.append(point)
    gpx = gpxpy.gpx.GPX()
    gpx.creator = "sealcam rig"
    gpx.tracks.append(gpxpy.gpx.GPXTrack(name="drive"))
    gpx.tracks[0].segments.append(segment)
    outputs.write(path, gpx.to_xml().encode())
