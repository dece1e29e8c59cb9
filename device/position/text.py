"""What a track file is, and its bytes as text: told by the content, never by the name."""

from __future__ import annotations

import codecs
from typing import Final

from device.position.errors import PositionError

_BEFORE_XML: Final = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # byte order marks, and white space in any encoding
_LOOKED_AT: Final = 64  # bytes that show whether each second one is zero
_LINES: Final = 20  # that show whether a text is a table
_MIN_COLUMNS: Final = 3

_PACKED: Final = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd")
"""How gzip, zip (and KMZ), bzip2, xz, 7z and zstd begin."""
_FIT: Final = (8, b".FIT")
"""What stands where in the header of FIT."""


def is_xml(data: bytes) -> bool:
    """Whether the bytes begin as XML does, in any encoding."""
    return data.lstrip(_BEFORE_XML).startswith(b"<")


def other_kind(data: bytes) -> PositionError | None:
    """What is said of a file that is of a kind that is known, is not read, and begins as that kind does."""
    if data.startswith(_PACKED):
        return PositionError("track_packed")
    return PositionError("track_is_fit") if data.startswith(_FIT[1], _FIT[0]) else None


def other_xml(root: str) -> PositionError:
    """What is said of an XML file that is not GPX, by its outermost element."""
    match root:
        case "kml":
            return PositionError("track_is_kml")
        case "TrainingCenterDatabase":
            return PositionError("track_is_tcx")
        case _:
            return PositionError("track_malformed")


def is_table(data: bytes) -> bool:
    """Whether the bytes are lines of three columns and more, as a CSV file."""
    lines = [line for line in as_text(data[:8192]).splitlines()[:_LINES] if line.strip()]
    for separator in ",;\t":
        columns = [line.count(separator) + 1 for line in lines]
        if len(lines) > 1 and min(columns) >= _MIN_COLUMNS and max(map(columns.count, columns)) > len(lines) / 2:
            return not any(line.isprintable() is False and separator != "\t" for line in lines)
    return False


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 of one order or the other, with or without its mark; None: neither."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = data[:_LOOKED_AT:2], data[1:_LOOKED_AT:2]
    if len(second) > 1 and not any(second) and all(first):
        return "utf-16-le"
    return "utf-16-be" if len(second) > 1 and not any(first) and all(second) else None


def as_text(data: bytes) -> str:
    """The file as text. Nothing that counts is outside ASCII: what is neither UTF-16 nor UTF-8 is taken as ISO-8859-1,
    whatever it says that it is, so that no declared encoding can hide anything from the parser."""
    wide = wide_encoding(data)
    if wide is not None:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.removeprefix(codecs.BOM_UTF8).decode("iso-8859-1")
