"""What the device tells the sink: verdicts, health and gaps, as bounded typed records in CBOR.

The sink treats the device as hostile too, since its key may be stolen: past `parse` every number is bounded, and every
text is a word of a fixed vocabulary or matches a pattern without any character that means something to a page, a
terminal or a database. The fields are those of the device's own messages of the same names.

Format: `[format, fields]`, where `format` is 1 for a verdict, 2 for health and 3 for a gap, and `fields` is an array of
the record's fields in their order. Numbers with a fraction travel as whole steps, so that every value has one encoding,
and a NaN has none. A changed field list is a new format. A receiver that does not know a format refuses the event and
gives no receipt: the device keeps the envelope until the receiver is newer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from wire import cbor
from wire.classes import NUMBER_OF_CLASSES
from wire.errors import IssueError, MalformedError
from wire.vocabulary import CompartmentName, HealthKind, StateName

MAX_EVENT_BYTES = 8 * 1024

ALIVE_EVERY_S = 300
"""Seconds between two `alive` of a device on its camera; after twice that without news the sink calls it silent."""
ON_CAMERA, ON_RECORDING = "camera", "replay"
"""The detail of `started`: whether the device says `alive` and `stopped` later. On a recording it says neither."""

Identifier = Annotated[str, Meta(pattern=r"^[0-9a-z_.:-]{1,64}\Z")]
KeyId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
ClassId = Annotated[int, Meta(ge=0, le=NUMBER_OF_CLASSES - 1)]
Frame = Annotated[int, Meta(ge=0, le=2**40)]
Time = Annotated[int, Meta(ge=0, le=2**48)]
Count = Annotated[int, Meta(ge=0, le=2**40)]
Sightings = Annotated[int, Meta(ge=0, le=100_000)]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
Latitude = Annotated[float, Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, Meta(ge=-180.0, le=180.0)]
Heading = Annotated[float, Meta(ge=0.0, le=360.0)]
Metres = Annotated[float, Meta(ge=0.0, le=10_000.0)]


class CodeEvent(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The checked claims of the authentic sign code behind a verdict. Degrees, unix seconds."""

    sign_id: Identifier
    class_id: ClassId
    lat: Latitude
    lon: Longitude
    heading: Heading
    valid_from: Time
    valid_until: Time
    key_id: KeyId
    error_rate: Fraction | None
    readings: Sightings


class PlaceEvent(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where the vehicle was. Degrees; heading clockwise from true north; metres."""

    lat: Latitude
    lon: Longitude
    heading: Heading | None
    accuracy_m: Metres


class VerdictEvent(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the device held to be true about one physical sign. `utc_ms`: unix milliseconds, 0 where not known.

    `reasons` are words, and not only those of the vocabulary: a newer device may know more.
    """

    verdict_id: Identifier
    state: StateName
    class_id: ClassId | None
    perceived_class_id: ClassId | None
    confidence: Fraction
    first_frame: Frame
    last_frame: Frame
    utc_ms: Time
    sightings: Sightings
    code: CodeEvent | None
    position: PlaceEvent | None
    reasons: Annotated[tuple[Identifier, ...], Meta(max_length=16)]


class HealthEvent(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Something about the device itself. `at_ms`: unix milliseconds."""

    kind: HealthKind
    compartment: CompartmentName
    count: Count
    at_ms: Time
    detail: Identifier


class GapEvent(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the device made and could not store: nothing of it comes later. Unix milliseconds, the first and the last.

    It is the device's own word: the chain has no hole there, and a receiver can check neither number.
    """

    from_ms: Time
    to_ms: Time
    verdicts: Count
    health: Count

    def __post_init__(self) -> None:
        if self.to_ms < self.from_ms or not self.verdicts + self.health:
            raise IssueError("gap: it ends before it begins, or has nothing in it")


Event: TypeAlias = VerdictEvent | HealthEvent | GapEvent

_FORMATS: Final[dict[int, type[Event]]] = {1: VerdictEvent, 2: HealthEvent, 3: GapEvent}
_STEPS_PER_UNIT: Final = {
    "confidence": 1_000_000,
    "error_rate": 1_000_000,
    "lat": 10_000_000,
    "lon": 10_000_000,
    "heading": 100,
    "accuracy_m": 100,
}
"""Every number with a fraction, by its name in whatever record."""
_WITHIN: Final[dict[str, type[Struct]]] = {"code": CodeEvent, "position": PlaceEvent}
"""The records that a verdict holds."""


def to_cbor(event: Event) -> bytes:
    """One event -> CBOR. Raises IssueError naming the field that is out of range (our own bug)."""
    kind = type(event)
    number = next((number for number, known in _FORMATS.items() if known is kind), None)
    if number is None:
        raise IssueError("event: neither a verdict, nor health, nor a gap")
    fields = msgspec.to_builtins(event)
    try:
        msgspec.convert(fields, kind, strict=True)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise IssueError(f"{_field(kind, str(error))}: not what an event can hold") from None
    return cbor.encode([number, _scaled(kind, fields, _to_steps)])


def parse(data: bytes) -> Event:
    """Hostile bytes -> one bounded event. Raises MalformedError."""
    match cbor.decode(data, max_bytes=MAX_EVENT_BYTES, max_depth=5, simple=True):
        case [number, list(fields)] if type(number) is int and number in _FORMATS:
            kind = _FORMATS[number]
        case _:
            raise MalformedError("unknown_event_format")
    try:
        return msgspec.convert(_scaled(kind, fields, _from_steps), kind, strict=True)
    except msgspec.ValidationError:
        raise MalformedError("bad_event") from None


def _scaled(kind: type[Struct], fields: list[Any], scale: Callable[[Any, int], Any]) -> list[Any]:
    """The record's fields, with `scale` applied to each number with a fraction. How many there are is not checked."""
    scaled = list(fields)
    for index, (name, value) in enumerate(zip(kind.__struct_fields__, fields, strict=False)):
        if name in _STEPS_PER_UNIT and value is not None:
            scaled[index] = scale(value, _STEPS_PER_UNIT[name])
        elif name in _WITHIN and isinstance(value, list):
            scaled[index] = _scaled(_WITHIN[name], value, scale)
    return scaled


def _to_steps(value: float, per_unit: int) -> int:
    """A number that is checked -> whole steps."""
    return round(value * per_unit)


def _from_steps(value: cbor.Value, per_unit: int) -> float:
    """Hostile whole steps -> a number, whose bounds are still to be checked."""
    if type(value) is not int:
        raise MalformedError("number_not_in_steps")
    return value / per_unit


def _field(kind: type[Struct], complaint: str) -> str:
    """Which field msgspec complains of: `... - at `$[9][2]`` is `code.lat` of a verdict. No value is shown."""
    names: list[str] = []
    within: type[Struct] | None = kind
    for index in re.findall(r"\[(\d+)\]", complaint.rpartition(" - at ")[2]):
        if within is None:
            break
        names.append(within.__struct_fields__[int(index)])
        within = _WITHIN.get(names[-1])
    return ".".join(names) or "event"
