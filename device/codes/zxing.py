"""The first decoder, zxing-cpp: fast enough for whole frames, and it tells what it saw of a symbol it cannot read."""

from __future__ import annotations

from typing import Final

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from device.codes.symbol import Gray, Symbol, quad_of
from wire.signcode import PREFIX

MAX_VERSION: Final = 40
MAX_FOUND: Final = 16
"""Symbols looked at in a picture; those that claim to be sign codes come first."""
MAX_GRID_MODULES: Final = 57
"""Only up to QR version 10 are the modules looked at: a sign code has version 7."""


def scan(gray: Gray) -> list[Symbol]:
    """Every QR symbol (model 2, dark on light) in a picture, and those whose checksum failed; at most `MAX_FOUND`."""
    found = zxingcpp.read_barcodes(
        gray,
        formats=zxingcpp.BarcodeFormat.QRCodeModel2,
        try_invert=False,
        try_downscale=False,
        return_errors=True,
    )
    ranked = sorted(found, key=lambda code: (not code.bytes.startswith(PREFIX), not code.valid))[:MAX_FOUND]
    symbols = [_symbol(barcode) for barcode in ranked]
    return [symbol for symbol in symbols if symbol is not None]


def _symbol(barcode: zxingcpp.Barcode) -> Symbol | None:
    if not barcode.valid and barcode.error.type != zxingcpp.ErrorType.Checksum:
        return None
    version = str(barcode.extra.get("Version", ""))
    if not (version.isascii() and version.isdigit() and 1 <= int(version) <= MAX_VERSION):
        return None
    modules = 17 + 4 * int(version)
    place = barcode.position
    corners = [(p.x, p.y) for p in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
    return Symbol(
        quad=quad_of(corners),
        data=bytes(barcode.bytes) if barcode.valid else None,
        decoder="zxing",
        modules=modules,
        grid=_grid(barcode, modules) if barcode.valid else None,
        level=str(barcode.ec_level),
        mask=int(barcode.extra.get("DataMask", -1)),
    )


def _grid(barcode: zxingcpp.Barcode, modules: int) -> NDArray[np.bool_] | None:
    """The modules as the decoder sampled them, before any correction."""
    if modules > MAX_GRID_MODULES:
        return None
    image = np.array(barcode.to_image(scale=1, add_quiet_zones=False))
    return image < 128 if image.shape == (modules, modules) else None
