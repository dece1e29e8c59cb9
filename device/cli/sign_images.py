"""Pictures to read sign codes from, and what was read as harmless text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wire.errors import UsageError

_MAX_FILE_BYTES = 32 * 1024 * 1024
_MAX_PIXELS = 40_000_000
_LOOKED_AT: Final = 1024
_DRAWINGS: Final = {b"<svg": "SVG", b"%PDF-": "PDF", b"%!PS": "PostScript"}
"""What a file's begin holds -> a kind that has no pixels; our own panels are drawn so."""


@dataclass(frozen=True)
class FoundSymbol:
    """One QR symbol of a picture. `data` is untrusted; `decoders` gave exactly these bytes."""

    data: bytes
    decoders: tuple[str, ...]
    error_rate: float | None


def shown(data: bytes, longest: int = 240) -> str:
    """Untrusted bytes as harmless text: printable ASCII as it is, everything else and the backslash escaped."""
    text = "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\x{b:02x}" for b in data[:longest])
    return text + ("..." if len(data) > longest else "")


def read_picture(path: Path) -> list[FoundSymbol]:
    """The QR symbols of a picture, read by both decoders. Raises UsageError when it is no picture."""
    return decoded(read_file(path), path, "give a PNG or JPEG; a code as text is checked with: sealcam sign verify")


def read_file(path: Path) -> bytes:
    """A file's bytes, bounded. Raises UsageError."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})", "name a file that can be read") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_FILE_BYTES // 2**20} MiB", "crop or scale it down")
    return raw


def decoded(raw: bytes, path: Path, another: str) -> list[FoundSymbol]:
    """The QR symbols of a picture's bytes. `another`: the remedy where they are no picture. Raises UsageError."""
    begin = raw[:_LOOKED_AT]
    for mark, kind in _DRAWINGS.items():
        if mark in begin:
            raise UsageError(
                f"{path} is a drawing ({kind}), and codes are read from pixels",
                "give the panel as PNG (sealcam sign print CODE --out panel.png), or the code's text",
            )
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(_MAX_PIXELS))  # read once, when the library is loaded
    import cv2
    import numpy as np

    from device.channel.messages import Region
    from device.codes.core import CodeReader

    try:
        picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR) if raw else None
    except cv2.error:
        picture = None
    if picture is None:
        raise UsageError(f"{path} is not a picture that can be decoded", another)
    height, width = picture.shape[:2]
    if width * height > _MAX_PIXELS:
        raise UsageError(f"{path} has {width} x {height} pixels", f"scale it down below {_MAX_PIXELS // 10**6} million")
    margin = cv2.copyMakeBorder(picture, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    frame = np.ascontiguousarray(margin, dtype=np.uint8)
    everywhere = Region(0.0, 0.0, float(frame.shape[1]), float(frame.shape[0]))
    readings = CodeReader().read(frame, [everywhere], 0)
    return [FoundSymbol(r.data, tuple(r.decoders), r.error_rate) for r in readings if r.data]
