"""The first decoder, zxing-cpp: fast enough for whole frames, and it tells what it saw of a symbol it cannot read."""

from __future__ import annotations

from typing import Final

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from device.codes.symbol import Gray, Quad, Symbol, quad_of
from wire.signcode import PREFIX

MAX_VERSION: Final = 40
MAX_FOUND: Final = 16
"""Symbols looked at in a picture; those that claim to be sign codes come first."""
MAX_GRID_MODULES: Final = 57
"""Only up to QR version 10 are the modules looked at: a sign code has version 7."""


def scan(gray: Gray) -> list[Symbol]:
    """Every QR symbol (model 2) in a picture, and those whose checksum failed; at most `MAX_FOUND`.

    Light on dark counts too, but only where it can be read: of a panel as it is printed, dark on light, a failed
    checksum says that it is damaged; of anything else it says nothing.
    """
    found = zxingcpp.read_barcodes(
        gray,
        formats=zxingcpp.BarcodeFormat.QRCodeModel2,
        try_invert=True,
        try_downscale=False,
        return_errors=True,
    )
    ranked = sorted(found, key=lambda code: (not code.bytes.startswith(PREFIX), not code.valid))[:MAX_FOUND]
    symbols = [_symbol(barcode, gray) for barcode in ranked]
    return [symbol for symbol in symbols if symbol is not None]


def _symbol(barcode: zxingcpp.Barcode, gray: Gray) -> Symbol | None:
    if not barcode.valid and barcode.error.type != zxingcpp.ErrorType.Checksum:
        return None
    version = str(barcode.extra.get("Version", ""))
    if not (version.isascii() and version.isdigit() and 1 <= int(version) <= MAX_VERSION):
        return None
    modules = 17 + 4 * int(version)
    place = barcode.position
    corners = [(p.x, p.y) for p in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
    quad = quad_of(corners)
    inverted = _light_on_dark(gray, quad, modules)
    if inverted and not barcode.valid:
        return None
    return Symbol(
        quad=quad,
        inverted=inverted,
        data=bytes(barcode.bytes) if barcode.valid else None,
        decoder="zxing",
        modules=modules,
        grid=_grid(barcode, modules) if barcode.valid else None,
        level=str(barcode.ec_level),
        mask=int(barcode.extra.get("DataMask", -1)),
    )


def _light_on_dark(gray: Gray, quad: Quad, modules: int) -> bool:
    """Whether the symbol is printed light on dark: the middles of two or three finder patterns against their rings.

    The library's binding does not tell. The middle of a finder pattern lies 3.5 modules from both edges, the ring about
    it 1.5 modules from one of them (ISO/IEC 18004, 6.3.3).
    """
    middle, ring = 3.5 / modules, 1.5 / modules
    far, opposite = 1 - middle, 1 - ring
    places = {
        "middle": ((middle, middle), (far, middle), (middle, far)),
        "ring": ((ring, middle), (opposite, middle), (ring, far)),
    }
    shades = {name: [_shade(gray, quad, *place) for place in at] for name, at in places.items()}
    return sum(m > r for m, r in zip(shades["middle"], shades["ring"], strict=True)) >= 2


def _shade(gray: Gray, quad: Quad, right: float, down: float) -> int:
    """The pixel at a share of the symbol's width and height, 0 to 1 each."""
    top = quad[0] + right * (quad[1] - quad[0])
    bottom = quad[3] + right * (quad[2] - quad[3])
    x, y = (top + down * (bottom - top)).round().astype(int)
    height, width = gray.shape
    return int(gray[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])


def _grid(barcode: zxingcpp.Barcode, modules: int) -> NDArray[np.bool_] | None:
    """The modules as the decoder sampled them, before any correction."""
    if modules > MAX_GRID_MODULES:
        return None
    image = np.array(barcode.to_image(scale=1, add_quiet_zones=False))
    return image < 128 if image.shape == (modules, modules) else None
