"""The panel of a sign code, true to size: the QR symbol, and under its quiet zone in print what the code says.

Who mounts, cleans or replaces a panel has to know which it is without a reader. The words are those of the code itself,
whose signature was checked before; a code that was not checked gets no words.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import segno
import segno.writers

from program import outputs
from wire.classes import CLASS_NAMES
from wire.errors import LibraryMissingError, UsageError
from wire.signcode import MAX_TEXT_BYTES, PREFIX, SignClaims
from wire.times import iso8601

PANEL_WIDTH_MM: Final = 900
QUIET_ZONE_MODULES: Final = 4
_ALPHABET: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
_PNG_PIXELS_PER_MODULE: Final = 20
_MM_PER_INCH: Final = 25.4
_POINTS_PER_INCH: Final = 72
_CHARACTER: Final = 0.6
"""Width of a character of a typewriter font, of its size."""
_LINE: Final = 1.4
"""Height of a line, of the font's size."""


@dataclass(frozen=True)
class PanelLayout:
    """A symbol and the lines under it. Lengths are in modules, the panel's quiet zone included."""

    symbol: segno.QRCode
    lines: tuple[str, ...]
    width_mm: float

    @property
    def width(self) -> int:
        """The panel's width, and its height without the lines."""
        return int(self.symbol.symbol_size(border=QUIET_ZONE_MODULES)[0])

    @property
    def font_size(self) -> float:
        """So that the longest line is as wide as the symbol, and at most a module."""
        longest = max(map(len, self.lines), default=1)
        return min(1.0, (self.width - 2 * QUIET_ZONE_MODULES) / (longest * _CHARACTER))

    @property
    def height(self) -> int:
        """The panel's height: whole modules."""
        return self.width + (round(len(self.lines) * _LINE + 1.0) if self.lines else 0)

    @property
    def mm_per_module(self) -> float:
        """How large it is printed."""
        return self.width_mm / self.width

    def placed(self) -> list[tuple[float, float, str]]:
        """Each line with where it begins: from the left, and its baseline from the top."""
        return [
            (float(QUIET_ZONE_MODULES), self.width + number * _LINE * self.font_size + self.font_size, line)
            for number, line in enumerate(self.lines)
        ]


def caption(claims: SignClaims, key_id: bytes) -> tuple[str, ...]:
    """What a person has to know of a panel: class and id, place and direction, time and who signed."""
    return (
        f"{CLASS_NAMES[claims.class_id]} (class {claims.class_id}), sign {claims.sign_id.hex()}",
        f"{claims.lat:.5f}, {claims.lon:.5f}, for traffic heading {claims.heading:.0f} degrees",
        f"valid {iso8601(claims.valid_from)} to {iso8601(claims.valid_until)}, key {key_id.hex()}",
    )


def layout(text: str, lines: Sequence[str] = (), width_mm: float = PANEL_WIDTH_MM) -> PanelLayout:
    """The panel of a code. Raises UsageError where the text is no sign code."""
    data = text.encode("utf-8", "replace")
    if not data.startswith(PREFIX) or len(data) > MAX_TEXT_BYTES or not _ALPHABET.issuperset(data):
        raise UsageError(
            "what was given is no sign code",
            "give what `sealcam sign issue` printed: in single quotes, as a text file, or - for standard input",
        )
    return PanelLayout(segno.make_qr(text, error="m", boost_error=False), tuple(lines), width_mm)


def write_panel(panel: PanelLayout, path: Path) -> None:
    """Write a panel as SVG, PDF or PNG by the file's name.

    Raises:
        UsageError: the name's ending is unknown, the file cannot be written, or what a PDF needs is not installed.
    """
    if path.is_dir():
        outputs.check(path)  # which says so
    kind = path.suffix.lower()
    if kind not in _DRAWN:
        raise UsageError(
            f"{path}: a panel is not written as {kind or 'a file without an ending'}",
            "end the name in .svg, .pdf or .png",
        )
    outputs.write(path, _DRAWN[kind](panel))


def _svg(panel: PanelLayout) -> bytes:
    drawing = io.BytesIO()
    panel.symbol.save(
        drawing, kind="svg", border=QUIET_ZONE_MODULES, omitsize=True, light="#fff", title="Sealcam sign code"
    )
    width, height = panel.width, panel.height
    size = f'width="{panel.width_mm:g}mm" height="{height * panel.mm_per_module:.6g}mm" viewBox="0 0 {width} {height}"'
    texts = "".join(
        f'<text x="{x:g}" y="{y:.3f}" font-family="monospace" font-size="{panel.font_size:.4f}" fill="#000"'
        f' textLength="{len(line) * _CHARACTER * panel.font_size:.3f}">{escape(line)}</text>\n'
        for x, y, line in panel.placed()
    )
    ground = f'<path fill="#fff" d="M0 {width}h{width}v{height - width}h-{width}z"/>\n' if texts else ""
    svg = drawing.getvalue().decode("utf-8")
    svg = svg.replace(f'viewBox="0 0 {width} {width}"', size, 1)  # segno rounds a size in millimetres by up to a module
    return svg.replace("</svg>", f"{ground}{texts}</svg>").encode("utf-8")


def _pdf(panel: PanelLayout) -> bytes:
    try:
        import pydyf  # here, since neither SVG nor PNG needs it
    except ImportError:
        raise LibraryMissingError(
            "the library pydyf, which writes PDF, cannot be loaded",
            "end the name in .svg or .png, or reinstall Sealcam (make setup)",
        ) from None
    document = pydyf.PDF()
    font = pydyf.Dictionary({"Type": "/Font", "Subtype": "/Type1", "Name": "/F1", "BaseFont": "/Courier"})
    document.add_object(font)
    scale = panel.mm_per_module / _MM_PER_INCH * _POINTS_PER_INCH
    page = pydyf.Stream()
    page.set_matrix(scale, 0, 0, scale, 0, 0)  # from here on in modules, from the lower left
    page.set_color_rgb(1, 1, 1)
    page.rectangle(0, 0, panel.width, panel.height)
    page.fill()
    page.set_color_rgb(0, 0, 0)
    for left, top, modules in _runs(panel.symbol):
        page.rectangle(left, panel.height - top - 1, modules, 1)
    page.fill()  # one path, so that no seam shows between its rectangles
    for x, y, line in panel.placed():
        page.begin_text()
        page.set_font_size("F1", panel.font_size)
        page.set_text_matrix(1, 0, 0, 1, x, panel.height - y)
        page.show_text_string(line)
        page.end_text()
    document.add_object(page)
    document.add_page(
        pydyf.Dictionary(
            {
                "Type": "/Page",
                "Parent": document.pages.reference,
                "MediaBox": pydyf.Array([0, 0, round(panel.width * scale, 3), round(panel.height * scale, 3)]),
                "Resources": pydyf.Dictionary({"Font": pydyf.Dictionary({"F1": font.reference})}),
                "Contents": page.reference,
            }
        )
    )
    drawing = io.BytesIO()
    document.write(drawing)
    return drawing.getvalue()


def _png(panel: PanelLayout) -> bytes:
    import cv2
    import numpy as np

    px = _PNG_PIXELS_PER_MODULE
    dark = np.zeros((panel.height * px, panel.width * px), np.uint8)
    for left, top, modules in _runs(panel.symbol):
        dark[top * px : (top + 1) * px, left * px : (left + modules) * px] = 1
    for x, y, line in panel.placed():
        room = len(line) * _CHARACTER * panel.font_size * px
        drawn = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][0]
        at = (round(x * px), round(y * px))
        cv2.putText(dark, line, at, cv2.FONT_HERSHEY_SIMPLEX, room / drawn, 1, 1, cv2.LINE_8)
    dots_per_inch = round(px / panel.mm_per_module * _MM_PER_INCH)
    drawing = io.BytesIO()
    size = (panel.width * px, panel.height * px)
    segno.writers.write_png([bytearray(row.tobytes()) for row in dark], size, drawing, border=0, dpi=dots_per_inch)
    return drawing.getvalue()


def _runs(symbol: segno.QRCode) -> list[tuple[int, int, int]]:
    """The dark modules in rows: how far from the left and the top with the quiet zone, and how many."""
    runs: list[tuple[int, int, int]] = []
    for top, row in enumerate(symbol.matrix, QUIET_ZONE_MODULES):
        for left, module in enumerate(row, QUIET_ZONE_MODULES):
            if not module & 1:
                continue
            if runs and runs[-1][1] == top and sum(runs[-1][::2]) == left:
                runs[-1] = (runs[-1][0], top, runs[-1][2] + 1)
            else:
                runs.append((left, top, 1))
    return runs


_DRAWN: Final[dict[str, Callable[[PanelLayout], bytes]]] = {".svg": _svg, ".pdf": _pdf, ".png": _png}
