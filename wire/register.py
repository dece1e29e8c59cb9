"""The register: a road authority's signed list of its coded signs.

One COSE_Sign1 over `[1, issued_at, entries]`, where `entries` is a byte string of records of 36 bytes in the order of
their sign ids: fixed size, so that a register of 100 000 signs is parsed in a fraction of a second and cannot nest.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire import cbor, cose
from wire.classes import NUMBER_OF_CLASSES
from wire.errors import IssueError, MalformedError

MAX_ENTRIES = 100_000
PURPOSE = b"sealcam register 1"

_VERSION = 1
# sign id; class; lat, lon in 1e-7 degrees; heading in 1/100 degree; valid from, until in unix seconds; revoked
_RECORD = struct.Struct(">8sBiiHQQB")
MAX_REGISTER_BYTES = MAX_ENTRIES * _RECORD.size + 256
_MAX_SECONDS = 2**40
_CELL_DEGREES = 0.01  # about 1.1 km of latitude
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class RegisterEntry:
    """One coded sign as the authority knows it. Degrees and unix seconds, as in `SignClaims`."""

    sign_id: bytes
    class_id: int
    lat: float
    lon: float
    heading: float
    valid_from: int
    valid_until: int
    revoked: bool = False


@dataclass(frozen=True)
class Register:
    """A verified register: entries by sign id, and by place."""

    issued_at: int
    key_id: bytes
    entries: Mapping[bytes, RegisterEntry]
    _cells: Mapping[tuple[int, int], list[RegisterEntry]] = field(repr=False)

    def lookup(self, sign_id: bytes) -> RegisterEntry | None:
        """The entry of `sign_id`, None where the register does not know it."""
        return self.entries.get(sign_id)

    def near(self, lat: float, lon: float, radius_m: float) -> list[RegisterEntry]:
        """The entries within `radius_m` (at most 1000) metres of a place, the nearest first.

        The index does not wrap: no sign is near another across the 180th meridian. Within three degrees of a pole it
        may miss signs, east and west of the place.
        """
        row, column = _cell(lat, lon)
        reach = 1 + math.ceil(1.0 / max(0.05, math.cos(math.radians(lat))))
        found = [
            (_distance_m(lat, lon, entry), entry)
            for r in range(row - 1, row + 2)
            for c in range(column - reach, column + reach + 1)
            for entry in self._cells.get((r, c), ())
        ]
        found = [(distance, entry) for distance, entry in found if distance <= radius_m]
        return [entry for _, entry in sorted(found, key=lambda pair: (pair[0], pair[1].sign_id))]


def issue(entries: Iterable[RegisterEntry], key: Ed25519PrivateKey, *, issued_at: int = 0) -> bytes:
    """Sign a register. `issued_at`: unix seconds; a device takes no register older than the newest it used.

    Raises:
        IssueError: an entry is out of range or twice in the list, or there are too many.
    """
    ordered = sorted(entries, key=lambda entry: entry.sign_id)
    if not 0 <= issued_at <= _MAX_SECONDS:
        raise IssueError("issued_at: out of range")
    if len(ordered) > MAX_ENTRIES:
        raise IssueError(f"entries: {len(ordered)}, at most {MAX_ENTRIES}")
    if len({entry.sign_id for entry in ordered}) != len(ordered):
        raise IssueError("sign_id: twice in the register")
    records = b"".join(_record(entry) for entry in ordered)
    payload = cbor.encode([_VERSION, issued_at, records])
    return cose.sign1(payload, key, cose.key_id(key.public_key()), PURPOSE)


def brought_back(before: Register, entries: Iterable[RegisterEntry]) -> list[bytes]:
    """The ids of the signs that `before` revokes and a list that follows it does not: let go of, or left out.

    Left out counts: of a sign that the register does not know, a device believes the code.
    """
    still = {entry.sign_id for entry in entries if entry.revoked}
    return [sign_id for sign_id, entry in before.entries.items() if entry.revoked and sign_id not in still]


def verify_issued_at(data: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> int:
    """When a register was issued, unix seconds; its entries are not looked at. Raises as `verify`."""
    return _opened(data, keys)[1]


def verify(data: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> Register:
    """Check hostile bytes against the trusted authority keys. Raises a `HostileInputError` (as `cose.verify1`)."""
    kid, issued_at, records = _opened(data, keys)
    entries: dict[bytes, RegisterEntry] = {}
    cells: dict[tuple[int, int], list[RegisterEntry]] = {}
    previous = b""
    for record in _RECORD.iter_unpack(records):
        entry = _entry(*record)
        if entry.sign_id <= previous:
            raise MalformedError("register_not_in_order")
        previous = entry.sign_id
        entries[entry.sign_id] = entry
        cells.setdefault(_cell(entry.lat, entry.lon), []).append(entry)
    return Register(issued_at, kid, entries, cells)


def _opened(data: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> tuple[bytes, int, bytes]:
    """Hostile bytes -> key id, time of issue, and the records, which are whole but not looked at."""
    payload, kid = cose.verify1(data, keys, PURPOSE, max_bytes=MAX_REGISTER_BYTES)
    match cbor.decode(payload, max_bytes=MAX_REGISTER_BYTES, max_depth=1):
        case [int(version), int(issued_at), bytes(records)] if version == _VERSION and 0 <= issued_at <= _MAX_SECONDS:
            pass
        case _:
            raise MalformedError("bad_register")
    if len(records) % _RECORD.size or len(records) > MAX_ENTRIES * _RECORD.size:
        raise MalformedError("bad_register")
    return kid, issued_at, records


def _record(entry: RegisterEntry) -> bytes:
    """One entry -> 36 bytes."""
    for name, value, lowest, highest in (
        ("sign_id", len(entry.sign_id), 8, 8),
        ("class_id", entry.class_id, 0, NUMBER_OF_CLASSES - 1),
        ("lat", entry.lat, -90.0, 90.0),
        ("lon", entry.lon, -180.0, 180.0),
        ("heading", entry.heading, 0.0, 360.0),
        ("valid_from", entry.valid_from, 0, _MAX_SECONDS),
        ("valid_until", entry.valid_until, entry.valid_from, _MAX_SECONDS),
    ):
        if not lowest <= value <= highest:
            raise IssueError(f"{name}: out of range")
    return _RECORD.pack(
        entry.sign_id,
        entry.class_id,
        round(entry.lat * 1e7),
        round(entry.lon * 1e7),
        round(entry.heading * 100) % 36_000,
        entry.valid_from,
        entry.valid_until,
        entry.revoked,
    )


def _entry(
    sign_id: bytes, class_id: int, lat: int, lon: int, heading: int, valid_from: int, valid_until: int, revoked: int
) -> RegisterEntry:
    """The fields of one record -> a bounded entry."""
    in_range = (
        class_id < NUMBER_OF_CLASSES
        and abs(lat) <= 900_000_000
        and abs(lon) <= 1_800_000_000
        and heading < 36_000
        and valid_from <= valid_until <= _MAX_SECONDS
        and revoked <= 1
    )
    if not in_range:
        raise MalformedError("entry_out_of_range")
    return RegisterEntry(sign_id, class_id, lat / 1e7, lon / 1e7, heading / 100, valid_from, valid_until, revoked == 1)


def _cell(lat: float, lon: float) -> tuple[int, int]:
    """The cell of the place index that holds a place."""
    return math.floor(lat / _CELL_DEGREES), math.floor(lon / _CELL_DEGREES)


def _distance_m(lat: float, lon: float, entry: RegisterEntry) -> float:
    """Metres between a place and an entry on a flat earth: right to 1 % over a kilometre."""
    north = (entry.lat - lat) * _METRES_PER_DEGREE
    east = (entry.lon - lon) * _METRES_PER_DEGREE * math.cos(math.radians(lat))
    return math.hypot(north, east)
