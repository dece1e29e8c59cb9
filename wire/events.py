"""What the device tells the sink: verdicts and health, as bounded typed records in CBOR.

The sink holds the device to be hostile too, its key may be stolen: past `parse` every number is bounded, and every
text is a word of a fixed vocabulary or matches a pattern without a single character that a page, a terminal or a
database could take for its own. The fields are those of the device's own messages of the same names.

Format: `[format, fields]`, where `format` is 1 for a verdict and 2 for health. A changed field list is a new format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias, cast

from wire import cbor
from wire.classes import NUMBER_OF_CLASSES
from wire.errors import IssueError, MalformedError
from wire.schema import Integer, OrNone, Record, Several, Steps, Text, Word
from wire.vocabulary import COMPARTMENTS, HEALTH_KINDS, STATES

MAX_EVENT_BYTES = 8 * 1024

ALIVE_EVERY_S = 300
"""A device on its camera says `alive` so often; the sink holds it to be silent after twice that."""
ON_CAMERA, ON_RECORDING = "camera", "replay"
"""The detail of `started`: whether the device says `alive` and `stopped` later. On a recording it says neither."""


@dataclass(frozen=True)
class CodeEvent:
    """The checked claims of the authentic sign code behind a verdict. Degrees, unix seconds."""

    sign_id: str
    class_id: int
    lat: float
    lon: float
    heading: float
    valid_from: int
    valid_until: int
    key_id: str
    error_rate: float | None
    readings: int


@dataclass(frozen=True)
class PlaceEvent:
    """Where the vehicle was. Degrees; heading clockwise from true north; metres."""

    lat: float
    lon: float
    heading: float | None
    accuracy_m: float


@dataclass(frozen=True)
class VerdictEvent:
    """What the device held to be true about one physical sign. `utc_ms`: unix milliseconds, 0 where not known."""

    verdict_id: str
    state: str
    class_id: int | None
    perceived_class_id: int | None
    confidence: float
    first_frame: int
    last_frame: int
    utc_ms: int
    sightings: int
    code: CodeEvent | None
    position: PlaceEvent | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class HealthEvent:
    """Something about the device itself. `at_ms`: unix milliseconds."""

    kind: str
    compartment: str
    count: int
    at_ms: int
    detail: str


Event: TypeAlias = VerdictEvent | HealthEvent

_IDENTIFIER = Text(re.compile(r"[0-9a-z_.:-]{1,64}"))
_KEY_ID = Text(re.compile(r"[0-9a-f]{16}"))
_CLASS_ID = Integer(0, NUMBER_OF_CLASSES - 1)
_FRAME = Integer(0, 2**40)
_TIME = Integer(0, 2**48)
_COUNT = Integer(0, 2**40)
_SIGHTINGS = Integer(0, 100_000)
_FRACTION = Steps(0.0, 1.0, 1_000_000)
_LATITUDE = Steps(-90.0, 90.0, 10_000_000)
_LONGITUDE = Steps(-180.0, 180.0, 10_000_000)
_HEADING = Steps(0.0, 360.0, 100)
_METRES = Steps(0.0, 10_000.0, 100)

_CODE = Record(
    CodeEvent,
    (
        ("sign_id", _IDENTIFIER),
        ("class_id", _CLASS_ID),
        ("lat", _LATITUDE),
        ("lon", _LONGITUDE),
        ("heading", _HEADING),
        ("valid_from", _TIME),
        ("valid_until", _TIME),
        ("key_id", _KEY_ID),
        ("error_rate", OrNone(_FRACTION)),
        ("readings", _SIGHTINGS),
    ),
)
_PLACE = Record(
    PlaceEvent,
    (("lat", _LATITUDE), ("lon", _LONGITUDE), ("heading", OrNone(_HEADING)), ("accuracy_m", _METRES)),
)
_VERDICT = Record(
    VerdictEvent,
    (
        ("verdict_id", _IDENTIFIER),
        ("state", Word(STATES)),
        ("class_id", OrNone(_CLASS_ID)),
        ("perceived_class_id", OrNone(_CLASS_ID)),
        ("confidence", _FRACTION),
        ("first_frame", _FRAME),
        ("last_frame", _FRAME),
        ("utc_ms", _TIME),
        ("sightings", _SIGHTINGS),
        ("code", OrNone(_CODE)),
        ("position", OrNone(_PLACE)),
        ("reasons", Several(_IDENTIFIER, 16)),
    ),
)
_HEALTH = Record(
    HealthEvent,
    (
        ("kind", Word(HEALTH_KINDS)),
        ("compartment", Word(COMPARTMENTS)),
        ("count", _COUNT),
        ("at_ms", _TIME),
        ("detail", _IDENTIFIER),
    ),
)
_FORMATS = {1: (VerdictEvent, _VERDICT), 2: (HealthEvent, _HEALTH)}


def to_cbor(event: Event) -> bytes:
    """One event -> CBOR. Raises IssueError naming the field that is out of range (our own bug)."""
    for number, (kind, record) in _FORMATS.items():
        if isinstance(event, kind):
            return cbor.encode([number, record.write(event)])
    raise IssueError("event: neither a verdict nor health")


def parse(data: bytes) -> Event:
    """Hostile bytes -> one bounded event. Raises MalformedError."""
    match cbor.decode(data, max_bytes=MAX_EVENT_BYTES, max_depth=5, simple=True):
        case [number, fields] if type(number) is int and number in _FORMATS:
            return cast(Event, _FORMATS[number][1].read(fields))
        case _:
            raise MalformedError("unknown_event_format")
