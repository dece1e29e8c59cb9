"""A TOML file that a user wrote: read within bounds, and where in it a key stands."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from program.wording import within
from wire.errors import UsageError

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""UTF-8's: some editors begin a text with it, and none of them shows it."""
MAX_BYTES: Final = 256 * 1024
_MOST_LINES: Final = 2000
"""Of a file in which lines are looked for: each is tried as the end of the file."""


def read(path: Path, what: str, another: str) -> tuple[str, dict[str, Any]]:
    """The text and what it says.

    Args:
        what: how the sentence calls it, as "the configuration".
        another: the remedy where the file cannot be read.

    Raises:
        UsageError: it cannot be read, is too large, or is no TOML; with the line and the column.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{what} {path} cannot be read ({error.strerror})", another) from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"{what} {path} is larger than {MAX_BYTES // 1024} KiB", another)
    try:
        text = content.decode("utf-8-sig")
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{what} {path} is not TOML ({within(str(error))})",
            "correct it there: sections are [name], keys are name = value",
        ) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{what} {path} is not UTF-8 text (line {line})", "write it as UTF-8 text") from None
    except RecursionError:
        raise UsageError(f"{what} {path} is nested too deeply", "write sections and keys only") from None


def line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line with which the key is there, counted from 1: its own, or the last of a value of several lines.

    Found by the parser itself: the shortest beginning of the file that has the key. None where it is not found, or in
    a file too long to try.
    """
    lines = text.splitlines(keepends=True)
    if len(lines) > _MOST_LINES:
        return None
    for number in range(1, len(lines) + 1):
        try:
            found: Any = tomllib.loads("".join(lines[:number]))
        except (tomllib.TOMLDecodeError, RecursionError):
            continue  # in the middle of a value
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            return number
    return None
