"""How many modules of a symbol are not what was printed.

The decoder corrects errors and forgets them; here its text is encoded again, with the version, level and mask that the
symbol itself names, and compared with the modules as the decoder sampled them. Damage, stickers and manipulation by
single modules show up as a rate that does not go away when the camera comes nearer, while blur does.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import numpy as np
import segno
from numpy.typing import NDArray

from device.codes.symbol import Symbol

MIN_MODULE_PX: Final = 2.5
"""Below this blur alone gives a percent of errors, and the rate says nothing about the panel."""
MAX_RATE: Final = 0.2
"""More than the error correction of a sign code mends: the text was encoded otherwise, and nothing was measured."""
MAX_ENCODED_BYTES: Final = 512
_KEPT: Final = 16
_PAUSE: Final = 5
_AT_ONCE: Final = 4
"""As many codes hang on one post: each is to be measured in the two or three frames in which it is near enough."""


class ErrorRateMeter:
    """Measures error rates. What was encoded again is remembered, and one in `_PAUSE` measurements may encode anew,
    `_AT_ONCE` together: a wall of codes takes no more."""

    def __init__(self) -> None:
        self._printed: OrderedDict[tuple[bytes, int, str, int], NDArray[np.bool_] | None] = OrderedDict()
        self._credit = _AT_ONCE * _PAUSE

    def measure(self, symbol: Symbol) -> float | None:
        """The share of modules that differ, 0 to 1; None where it cannot be measured."""
        self._credit = min(self._credit + 1, _AT_ONCE * _PAUSE)
        if symbol.grid is None or symbol.data is None:
            return None
        printed = self._encoded(symbol)  # from afar already, so that it is there when it is needed
        if symbol.module_px < MIN_MODULE_PX or printed is None or printed.shape != symbol.grid.shape:
            return None
        rate = float((printed != symbol.grid).mean())
        return rate if rate <= MAX_RATE else None

    def is_mirrored(self, symbol: Symbol) -> bool:
        """Whether the modules are the mirror image of what was printed. False where that cannot be told.

        A decoder that reads a mirrored symbol lays rows for columns (ISO/IEC 18004, 6.2), and does not say so.
        """
        printed = self._encoded(symbol) if symbol.grid is not None and symbol.data is not None else None
        if printed is None or symbol.grid is None or printed.shape != symbol.grid.shape:
            return False
        as_it_is, mirrored = ((printed != grid).mean() for grid in (symbol.grid, symbol.grid.T))
        return bool(mirrored <= MAX_RATE < as_it_is)

    def _encoded(self, symbol: Symbol) -> NDArray[np.bool_] | None:
        data = symbol.data or b""
        key = (data, symbol.modules, symbol.level, symbol.mask)
        if key in self._printed:
            self._printed.move_to_end(key)
            return self._printed[key]
        if len(data) > MAX_ENCODED_BYTES or self._credit < _PAUSE:
            return None
        self._credit -= _PAUSE
        self._printed[key] = printed = encode(data, symbol.modules, symbol.level, symbol.mask)
        if len(self._printed) > _KEPT:
            self._printed.popitem(last=False)
        return printed


def encode(data: bytes, modules: int, level: str, mask: int) -> NDArray[np.bool_] | None:
    """The modules of the text's symbol, True for dark; None where it cannot be encoded so."""
    if not (data.isascii() and data) or level not in ("L", "M", "Q", "H") or not 0 <= mask <= 7:
        return None
    version = (modules - 17) // 4
    try:
        code = segno.make(data.decode("ascii"), version=version, error=level, mask=mask, boost_error=False, micro=False)
    except ValueError:  # as segno's DataOverflowError
        return None
    return np.array([[bool(module & 1) for module in row] for row in code.matrix], np.bool_)
