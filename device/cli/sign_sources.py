"""Where sign codes come from: the code itself as text, standard input, a text file of codes, or a picture of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.cli.sign_images import decoded, read_file
from program.toml import BYTE_ORDER_MARK
from wire.errors import UsageError
from wire.signcode import PREFIX

STANDARD_INPUT: Final = "-"
SOURCES: Final = "a code (SR1:..., in single quotes), a text file with a code a line, a PNG or JPEG of codes, or -"
"""What a user can give, as a remedy lists it."""
_MOST_TYPED: Final = 64 * 1024


@dataclass(frozen=True)
class SourcedCode:
    """A code's untrusted bytes, and where they were found, for a sentence."""

    origin: str
    data: bytes


def codes_of(word: str) -> list[SourcedCode]:
    """What one argument stands for; empty where a picture holds no QR code. Raises UsageError."""
    if word == STANDARD_INPUT:
        found = _lines("standard input", sys.stdin.buffer.read(_MOST_TYPED))  # bytes: what is no UTF-8 is no code
        if not found:
            raise UsageError("standard input is empty", f"give {SOURCES}")
        return found
    data = word.strip().encode("utf-8", "surrogateescape")
    if data.startswith(PREFIX):
        return [SourcedCode("the code", data)]
    if not _is_there(word):
        raise UsageError(f"{word[:80]!r} is neither a code nor a file that is there", f"give {SOURCES}")
    return codes_in(Path(word))


def codes_in(path: Path) -> list[SourcedCode]:
    """The codes of a file: of a text each line that is not blank, of a picture each symbol. Raises UsageError."""
    raw = read_file(path)
    lines = _lines(str(path), raw.removeprefix(BYTE_ORDER_MARK))
    if any(line.data.startswith(PREFIX) for line in lines):
        return lines
    if not raw.strip():
        raise UsageError(f"{path} is empty", f"give {SOURCES}")
    symbols = decoded(raw, path, f"give {SOURCES}")
    return [SourcedCode(f"{path}, symbol {number}", found.data) for number, found in enumerate(symbols, 1)]


def one_code(word: str) -> str:
    """The text of the one code that an argument stands for. Raises UsageError where it is none, or several."""
    found = codes_of(word)
    if len(found) != 1:
        what = f"holds {len(found)} codes, and a panel shows one" if found else "holds no QR code that can be read"
        raise UsageError(f"{word[:80]} {what}", "give the text of one code (sealcam sign read shows a picture's)")
    return found[0].data.decode("utf-8", "replace")


def _lines(origin: str, content: bytes) -> list[SourcedCode]:
    return [
        SourcedCode(f"{origin}, line {number}", line.strip())
        for number, line in enumerate(content.splitlines(), 1)
        if line.strip()
    ]


def _is_there(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # too long for a name
        return False
