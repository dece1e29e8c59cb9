"""The second decoder, zbar through pyzbar: slower, written by other people, and so a check on the first."""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Final

import numpy as np

from device.codes.errors import DecoderMissingError
from device.codes.symbol import Gray, Symbol, quad_of

_LIBRARY: Final = "libzbar.so.0" if sys.platform.startswith("linux") else "libzbar.dylib"
_CHARSETS: Final = (b"ISO8859-1", b"SJIS", b"UTF-8", b"BIG-5", b"CP437")
"""What zbar tries on bytes that are not ASCII."""


def _load() -> Any:
    """pyzbar with the library that we choose: its own search runs ldconfig and a compiler, which confinement denies.

    Raises DecoderMissingError.
    """
    from pyzbar import zbar_library

    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        raise DecoderMissingError("decoder_missing", subject="libzbar") from None
    zbar_library.load = lambda: (library, [])
    from pyzbar import pyzbar

    return pyzbar


_pyzbar = _load()


def hold_charsets() -> None:
    """Opens the character set converters that zbar may need: under the run filter it could not load their files."""
    library = ctypes.CDLL(None)
    library.iconv_open.restype = ctypes.c_void_p
    for name in _CHARSETS:
        library.iconv_open(b"UTF-8", name)


def scan(gray: Gray) -> list[Symbol]:
    """Every QR symbol that zbar reads in a picture."""
    found = _pyzbar.decode(np.ascontiguousarray(gray), symbols=[_pyzbar.ZBarSymbol.QRCODE])
    return [
        Symbol(quad_of([(point.x, point.y) for point in barcode.polygon]), bytes(barcode.data), "zbar")
        for barcode in found
        if barcode.type == "QRCODE" and len(barcode.polygon) == 4
    ]
