"""Small parts of the judge's state, each with one sound value that a test changes.

Places are metres north and east of the point where the equator meets the zero meridian: there a distance can be met to
the last bit, which the tests of limits need.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from device.channel.messages import Box, Reading
from device.verdict.state import FaceTrack, Moment, Motion, PanelTrack, Payload, Rate, Sight, State, Trend
from tests.support.verdict_drive import METRES_PER_DEGREE, UTC_S
from wire.geodesy import Pose, TimedPose, ahead_and_aside_m, distance_m
from wire.register import Register, RegisterEntry
from wire.signcode import SignClaims

UTC_MS = UTC_S * 1000
ID, OTHER_ID = b"\x01" * 8, b"\x02" * 8


def degrees(metres: float) -> float:
    return metres / METRES_PER_DEGREE


def _exactly(metres: float, measure: Callable[[float], float]) -> float:
    """The degrees, next to `degrees(metres)`, for which `measure` gives `metres` to the last bit."""
    low = high = degrees(metres)
    for _ in range(500):
        for found in (low, high):
            if measure(found) == metres:
                return found
        low, high = math.nextafter(low, -math.inf), math.nextafter(high, math.inf)
    raise ValueError(f"no place is exactly {metres} m away")


def exactly_ahead(metres: float) -> float:
    """Latitude that is exactly this far ahead of a vehicle at zero that drives north."""
    return _exactly(metres, lambda lat: ahead_and_aside_m(Pose(0.0, 0.0, 0.0, 3.0), 0.0, lat, 0.0)[0])


def exactly_away(metres: float) -> float:
    """Latitude whose distance from zero is exactly this."""
    return _exactly(metres, lambda lat: distance_m(0.0, 0.0, lat, 0.0))


def pose(north: float = 0.0, east: float = 0.0, heading: float | None = 0.0, accuracy_m: float = 3.0) -> Pose:
    return Pose(degrees(north), degrees(east), heading, accuracy_m)


def timed(utc_ms: int, north: float = 0.0, heading: float | None = 0.0, accuracy_m: float = 3.0) -> TimedPose:
    return TimedPose(utc_ms, pose(north, heading=heading, accuracy_m=accuracy_m))


def claimed(north: float = 0.0, east: float = 0.0, sign_id: bytes = ID, **changes: object) -> SignClaims:
    fields: dict[str, object] = {"class_id": 14, "heading": 0.0, "valid_from": UTC_S - 3600, "valid_until": UTC_S + 60}
    fields |= {"lat": degrees(north), "lon": degrees(east)}
    return SignClaims(sign_id=sign_id, **(fields | changes))  # type: ignore[arg-type]


def listed(north: float = 0.0, east: float = 0.0, sign_id: bytes = ID, **changes: object) -> RegisterEntry:
    fields: dict[str, object] = {"class_id": 14, "heading": 0.0, "valid_from": UTC_S - 3600, "valid_until": UTC_S + 60}
    fields |= {"lat": degrees(north), "lon": degrees(east)}
    return RegisterEntry(sign_id=sign_id, **(fields | changes))  # type: ignore[arg-type]


def unrounded(*entries: RegisterEntry) -> Register:
    """A register whose places are not rounded as in a signed file."""
    cells: dict[tuple[int, int], list[RegisterEntry]] = {}
    for entry in entries:
        cells.setdefault((math.floor(entry.lat / 0.01), math.floor(entry.lon / 0.01)), []).append(entry)
    return Register(0, bytes(8), {entry.sign_id: entry for entry in entries}, cells)


def motion(x: float = 500.0, y: float = 300.0, w: float = 40.0, h: float = 40.0, t_ms: int = 0) -> Motion:
    return Motion(x, y, w, h, t_ms)


def sight(first: int = 0, last: int = 10, *, seen: int | None = None, **changes: object) -> Sight:
    """Seen in the frames `first` to `last`, 40 ms apart."""
    made = Sight(first, last, first * 40, last * 40, last - first + 1 if seen is None else seen)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def face(number: int = 1, first: int = 0, last: int = 10, **changes: object) -> FaceTrack:
    """A face that is confirmed, grows to twice its size, and is always the same class."""
    looks = float(last - first + 1)
    made = FaceTrack(
        number, motion(), sight(first, last), 64.0, 10.0, looks, looks, looks, watched_ms=700, since_ms=-700
    )
    made.class_weight, made.class_certainty, made.last_class = {14: 10.0}, {14: 9.0}, 14
    made.trend = trend(2.0, (last - first) * 0.04)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def trend(growth: float, seconds: float) -> Trend:
    """The sums of two sizes, the second `growth` times the first and `seconds` later."""
    log = math.log(growth)
    return Trend(2, seconds, log, seconds**2, seconds * log)


def panel(number: int = 7, *data: bytes, first: int = 0, last: int = 10, **changes: object) -> PanelTrack:
    """A panel on which each of `data` was read five times."""
    made = PanelTrack(number, motion(y=340.0), sight(first, last))
    made.payloads = [Payload(one, 5, True) for one in data]
    made.decoded = 5 * len(data)
    made.rates = [Rate(4.0, 0.004)] if data else []
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def box(x: float = 500.0, y: float = 300.0, size: float = 40.0, class_id: int = 14, **changes: float) -> Box:
    """A square box by its centre."""
    fields: dict[str, float] = {"w": size, "h": size, "score": 0.9, "class_score": 0.9}
    fields |= changes
    return Box(x - fields["w"] / 2, y - fields["h"] / 2, class_id=class_id, **fields)


def reading(
    data: bytes = b"SR1:A", x: float = 500.0, y: float = 340.0, size: float = 40.0, **changes: object
) -> Reading:
    """A square symbol by its centre, which both decoders read unless it is empty."""
    fields: dict[str, object] = {"decoders": ["zbar", "zxing"] if data else [], "w": size, "h": size}
    fields |= {"module_px": 4.0, "error_rate": 0.004 if data else None}
    fields |= changes
    return Reading(data, x=x - size / 2, y=y - size / 2, **fields)  # type: ignore[arg-type]


def moment(
    frame: int, t_ms: int | None = None, boxes: Sequence[Box] | None = (), readings: Sequence[Reading] | None = ()
) -> Moment:
    return Moment(
        frame,
        frame * 40 if t_ms is None else t_ms,
        UTC_MS + (frame * 40 if t_ms is None else t_ms),
        None if boxes is None else list(boxes),
        None if readings is None else list(readings),
    )


def state(**changes: object) -> State:
    return State("test", **changes)  # type: ignore[arg-type]
