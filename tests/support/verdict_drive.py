"""A simulated drive for the judge: a straight road north, a sign on its right, a camera, a receiver at 1 Hz.

The camera sees faces between 60 m and 6 m, codes between 12 m and 5 m, at 15 m/s and, unless it is said, 25 frames a
second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.channel.messages import Box, Fix, Reading, Readings, Sightings, Verdict
from device.verdict.judge import Judge
from wire import register, signcode
from wire.register import Register, RegisterEntry
from wire.signcode import SignClaims

UTC_S = 1_800_000_000
LAT, LON = 48.0, 11.0
METRES_PER_DEGREE = 6_371_008.8 * math.pi / 180
SPEED, FPS, FOCAL = 15.0, 25, 1300.0
AUTHORITY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
ANCHORS = {signcode.key_id(AUTHORITY.public_key()): AUTHORITY.public_key()}


def north(metres: float) -> float:
    """Latitude this many metres up the road."""
    return LAT + metres / METRES_PER_DEGREE


def claims(at_m: float, class_id: int = 14, number: int = 1, **changes: object) -> SignClaims:
    made = SignClaims(bytes([number]) * 8, class_id, north(at_m), LON, 0.0, UTC_S - 36_000, UTC_S + 36_000)
    return replace(made, **changes)  # type: ignore[arg-type]


def code(at_m: float, class_id: int = 14, number: int = 1, **changes: object) -> bytes:
    return signcode.issue(claims(at_m, class_id, number, **changes), AUTHORITY).encode()


def entry(at_m: float, class_id: int = 14, number: int = 1, **changes: object) -> RegisterEntry:
    made = RegisterEntry(bytes([number]) * 8, class_id, north(at_m), LON, 0.0, UTC_S - 36_000, UTC_S + 36_000)
    return replace(made, **changes)  # type: ignore[arg-type]


def registered(*entries: RegisterEntry) -> Register:
    return register.verify(register.issue(entries, AUTHORITY), ANCHORS)


@dataclass
class Sign:
    """What stands at `at_m`. `perceives` gives class and probability by distance; None: the face is not recognised."""

    at_m: float
    perceives: Callable[[float], tuple[int, float] | None] = lambda distance: (14, 0.97)
    data: bytes | None = None
    code_from_m: float = 12.0
    error_rate: float | None = 0.004
    unreadable: bool = False
    score: float = 0.9  # of both networks
    change: Callable[[int, list[Reading]], list[Reading]] = lambda frame, readings: readings

    def box(self, distance: float) -> Box | None:
        said = self.perceives(distance) if 6 < distance < 60 else None
        if said is None:
            return None
        size = FOCAL * 0.75 / distance
        return Box(768 + FOCAL * 3.5 / distance - size / 2, 432 - FOCAL * 1.2 / distance, size, size, self.score, *said)

    def readings(self, frame: int, distance: float) -> list[Reading]:
        if self.data is None or not 5 < distance < self.code_from_m:
            return []
        size = FOCAL * 0.73 / distance
        place = (768 + FOCAL * 3.5 / distance - size / 2, 432 - FOCAL * 0.35 / distance, size, size)
        data = b"" if self.unreadable else self.data
        both = [] if self.unreadable else ["zbar", "zxing"]
        return self.change(frame, [Reading(data, both, *place, size / 45, self.error_rate)])  # type: ignore[arg-type]


@dataclass
class Journey:
    """A drive of `length_m` past `signs`."""

    signs: list[Sign]
    length_m: float = 150.0
    with_utc: bool = True
    with_fixes: bool = True
    clutter: Callable[[int], list[Box]] = lambda frame: []
    heading: float = 0.0
    accuracy_m: float = 3.0
    jammed_from_m: float = 10_000.0
    register: Register | None = None
    lost_readings: frozenset[int] = field(default_factory=frozenset)
    damaged: frozenset[int] = field(default_factory=frozenset)  # frames that no reader is shown
    fps: int = FPS
    untimed_from: int = 1_000_000

    @property
    def frames(self) -> int:
        return int(self.length_m / SPEED * self.fps)

    def sightings(self, frame: int) -> Sightings:
        t_ms = frame * 1000 // self.fps
        boxes = [sign.box(sign.at_m - t_ms / 1000 * SPEED) for sign in self.signs]
        seen = [box for box in boxes if box is not None] + self.clutter(frame)
        return Sightings(frame, t_ms, 1536, 864, seen, timed=frame < self.untimed_from)

    def readings(self, frame: int) -> Readings:
        t_ms = frame * 1000 // self.fps
        found = [reading for sign in self.signs for reading in sign.readings(frame, sign.at_m - t_ms / 1000 * SPEED)]
        return Readings(frame, t_ms, 1536, 864, found, frame < self.untimed_from)

    def fixes(self) -> list[Fix]:
        seconds = range(int(self.length_m / SPEED) + 2) if self.with_fixes else range(0)
        return [
            Fix((UTC_S + s) * 1000, north(s * SPEED), LON, self.heading, self.accuracy_m)
            for s in seconds
            if s * SPEED < self.jammed_from_m
        ]

    def judge(self, *, stream: str = "test", lockstep: bool = True) -> Judge:
        judge = Judge(ANCHORS, self.register, stream=stream, lockstep=lockstep)
        judge.start(UTC_S * 1000 if self.with_utc else 0)
        return judge

    def messages(self) -> Iterable[Sightings | Readings]:
        for frame in range(self.frames):
            if frame in self.damaged:
                continue
            yield self.sightings(frame)
            if frame not in self.lost_readings:
                yield self.readings(frame)

    def run(self) -> list[Verdict]:
        judge = self.judge()
        verdicts: list[Verdict] = []
        for fix in self.fixes():
            verdicts += judge.on_fix(fix)
        verdicts += judge.on_fixes_end()
        for message in self.messages():
            verdicts += feed(judge, message)
        return verdicts + judge.finish()


def feed(judge: Judge, message: Sightings | Readings | Fix) -> list[Verdict]:
    if isinstance(message, Sightings):
        return judge.on_sightings(message)
    return judge.on_readings(message) if isinstance(message, Readings) else judge.on_fix(message)
