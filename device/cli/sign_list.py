"""The list that a register is made of: JSON for people, to be reviewed and edited before it is signed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import msgspec

from program.toml import BYTE_ORDER_MARK
from program.wording import plain_types
from wire.classes import CLASS_NAMES, class_name
from wire.errors import IssueError, UsageError
from wire.register import RegisterEntry
from wire.signcode import PREFIX
from wire.times import iso8601, unix_seconds

_MAX_LIST_BYTES: Final = 64 * 1024 * 1024
NOWHERE_DEGREES: Final = 1e-4
_LOOKED_AT: Final = 1024
_PICTURES: Final = (b"\x89PNG", b"\xff\xd8\xff")
_DRAWINGS: Final = (b"<svg", b"%PDF-")
"""Not at the very beginning: an SVG may say first that it is XML."""
_BYTE: Final = re.compile(r"\(byte ([0-9]{1,9})\)")
"""Where msgspec stopped reading."""
_CODES: Final = ("it holds sign codes", "it is a picture")
"""What `build` takes."""


class Listed(msgspec.Struct, forbid_unknown_fields=True):
    """One line of the list: the readable form of a register entry, to be reviewed and edited before it is signed.

    Times are ISO 8601; unix seconds are taken too, since earlier versions wrote them.
    """

    sign_id: str
    class_id: int
    class_name: str
    lat: float
    lon: float
    heading: float
    valid_from: int | str
    valid_until: int | str
    revoked: bool = False


def listed(entry: RegisterEntry) -> Listed:
    """An entry in its readable form."""
    return Listed(
        entry.sign_id.hex(),
        entry.class_id,
        CLASS_NAMES[entry.class_id],
        entry.lat,
        entry.lon,
        entry.heading,
        iso8601(entry.valid_from),
        iso8601(entry.valid_until),
        entry.revoked,
    )


def entry_of(line: Listed) -> RegisterEntry:
    """What a line says. Raises IssueError with what is wrong: what says two things is not signed."""
    name = class_name(line.class_id, None) if 0 <= line.class_id < len(CLASS_NAMES) else None
    if name is None:
        raise IssueError(f"sign {line.sign_id}: there is no class {line.class_id}")
    if line.class_name != name:
        raise IssueError(
            f"sign {line.sign_id}: class_name is {line.class_name!r}, and class_id {line.class_id} is {name!r}"
        )
    if is_nowhere(line.lat, line.lon):
        raise IssueError(f"sign {line.sign_id}: lat 0 and lon 0 are where receivers without a fix say they are")
    times = [_seconds(line, at) for at in (line.valid_from, line.valid_until)]
    try:
        sign_id = bytes.fromhex(line.sign_id)
    except ValueError:
        raise IssueError(f"sign {line.sign_id!r}: that is no id of a sign, which has 16 hex digits") from None
    return RegisterEntry(sign_id, line.class_id, line.lat, line.lon, line.heading, times[0], times[1], line.revoked)


def is_nowhere(lat: float, lon: float) -> bool:
    """Whether a place, in degrees, is one that no device takes for its own (`device.position.track`)."""
    return max(abs(lat), abs(lon)) < NOWHERE_DEGREES


def _seconds(line: Listed, at: int | str) -> int:
    if isinstance(at, int):
        return at
    try:
        return unix_seconds(at)
    except ValueError:
        raise IssueError(f"sign {line.sign_id}: {at[:40]!r} is no ISO 8601 time") from None


def read(path: Path) -> list[RegisterEntry]:
    """The entries of a list. Raises UsageError: it cannot be read, is something else, or a line of it is wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_LIST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})", "name the list to be signed") from None
    if len(content) > _MAX_LIST_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_LIST_BYTES // 2**20} MiB", "split it")
    try:
        return [
            entry_of(line) for line in msgspec.json.decode(content.removeprefix(BYTE_ORDER_MARK), type=list[Listed])
        ]
    except (msgspec.DecodeError, UnicodeDecodeError, IssueError) as error:
        other = _something_else(content)
        why = other or (str(error) if isinstance(error, IssueError) else _where(content, str(error)))
        build = f"sealcam sign register build {shlex.quote(str(path)) if other in _CODES else 'CODES'} --out list.json"
        remedy = f"make a list of it: {build}" if other in _CODES else f"correct it, or make one: {build}"
        raise UsageError(f"{path} is no list of signs ({why})", remedy) from None


def _something_else(content: bytes) -> str:
    """What a file is that was taken for a list, "" where it may be one."""
    begin = content[:_LOOKED_AT]
    if not content.strip():
        return "it is empty"
    if begin.lstrip().startswith(PREFIX):
        return "it holds sign codes"
    if begin.startswith(_PICTURES):
        return "it is a picture"
    if begin.lstrip().startswith(b"{"):
        return "it begins with {, and a list begins with ["
    return "it is a drawing" if any(mark in begin for mark in _DRAWINGS) else ""


def _where(content: bytes, said: str) -> str:
    """msgspec's sentence, with the line in the place of its byte."""
    found = _BYTE.search(said)
    end = len(content.rstrip()) if found is None else int(found[1])
    line = content.count(b"\n", 0, end) + 1
    if "truncated" in said:
        return f"it ends in the middle, in line {line}"
    return plain_types(_BYTE.sub(f"(line {line})", said))
