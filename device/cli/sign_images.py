"""Sign codes as pictures: panels to print, and pictures to read codes from."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import segno

from program import outputs
from wire.errors import UsageError
from wire.signcode import MAX_TEXT_BYTES, PREFIX

PANEL_WIDTH_MM = 900
QUIET_ZONE_MODULES = 4
_ALPHABET = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
_PNG_PIXELS_PER_MODULE = 20
_MM_PER_INCH = 25.4
_POINTS_PER_INCH = 72
_MAX_FILE_BYTES = 32 * 1024 * 1024
_MAX_PIXELS = 40_000_000


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


def write_panel(text: str, path: Path, width_mm: float = PANEL_WIDTH_MM) -> str:
    """Write the panel of a code, true to size, as SVG, PDF or PNG by the file's name. Returns the QR designator.

    Raises:
        UsageError: the text is no sign code, the name's ending is unknown, or the file cannot be written.
    """
    data = text.encode("utf-8", "replace")
    if not data.startswith(PREFIX) or len(data) > MAX_TEXT_BYTES or not _ALPHABET.issuperset(data):
        raise UsageError(
            "the text is no sign code", "give what `sealcam sign issue` printed, in quotes, or - for stdin"
        )
    symbol = segno.make_qr(text, error="m", boost_error=False)
    modules = symbol.symbol_size(border=QUIET_ZONE_MODULES)[0]
    per_module_mm = width_mm / modules
    options: dict[str, dict[str, object]] = {
        ".svg": {"omitsize": True, "light": "#fff", "title": "Sealcam sign code"},
        ".pdf": {"scale": per_module_mm / _MM_PER_INCH * _POINTS_PER_INCH, "light": "#fff"},
        ".png": {"scale": _PNG_PIXELS_PER_MODULE, "dpi": round(_PNG_PIXELS_PER_MODULE / per_module_mm * _MM_PER_INCH)},
    }
    kind = path.suffix.lower()
    if kind not in options:
        raise UsageError(
            f"{path.name}: a panel is not written as {kind or 'a file without an ending'}",
            "end the name in .svg, .pdf or .png",
        )
    drawing = io.BytesIO()
    symbol.save(drawing, kind=kind[1:], border=QUIET_ZONE_MODULES, **options[kind])
    content = drawing.getvalue()
    if kind == ".svg":  # segno rounds a size in millimetres down by up to a module
        content = content.replace(b" viewBox=", f' width="{width_mm:g}mm" height="{width_mm:g}mm" viewBox='.encode(), 1)
    outputs.write(path, content)
    return str(symbol.designator)


def read_picture(path: Path) -> list[FoundSymbol]:
    """The QR symbols of a picture, read by both decoders. Raises UsageError when it is no picture."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})", "give a picture file") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_FILE_BYTES // 2**20} MiB", "crop or scale it down")
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
        raise UsageError(f"{path} is not a picture that can be decoded", "give a PNG or JPEG")
    height, width = picture.shape[:2]
    if width * height > _MAX_PIXELS:
        raise UsageError(f"{path} has {width} x {height} pixels", f"scale it down below {_MAX_PIXELS // 10**6} million")
    margin = cv2.copyMakeBorder(picture, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    frame = np.ascontiguousarray(margin, dtype=np.uint8)
    everywhere = Region(0.0, 0.0, float(frame.shape[1]), float(frame.shape[0]))
    readings = CodeReader().read(frame, [everywhere], 0)
    return [FoundSymbol(r.data, tuple(r.decoders), r.error_rate) for r in readings if r.data]
