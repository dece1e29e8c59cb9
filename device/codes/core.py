"""The code reader: a frame in, readings out. Both decoders, a bounded amount of work for each frame, no clock.

The first decoder searches the whole frame, since a code may hang where no sign is seen, and perception's regions again
at twice the size, since a code far away has modules of less than two pixels. A reader that cannot keep up searches the
regions alone: then a code without a sign is not seen. The second decoder is ten times slower: it
looks only where the first has found a symbol, at a size that suits it, and backs off where it has read nothing.
A symbol that is printed light on dark is read by both as well; one that cannot be read is no sign of damage.
What was read is untrusted and goes on as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

from device.channel.messages import MAX_CODE_BYTES, MAX_READINGS, Reading, Region
from device.codes import zbar, zxing
from device.codes.error_rate import ErrorRateMeter
from device.codes.symbol import Gray, Symbol
from wire.signcode import PREFIX

MAX_REGIONS_READ: Final = 4
MIN_REGION_PX: Final = 24
MAX_ENLARGED_PX: Final = 400
"""Regions up to this size are read at twice their size."""
ZBAR_MODULE_PX: Final = 3.5
"""zbar reads best, and fast, at about this module size."""
MAX_ZBAR_MODULES: Final = 57
MAX_ZBAR_CHECKS: Final = 3
MAX_BACK_OFF: Final = 32
MIN_UNREADABLE_PX: Final = 3.0
"""Both decoders read sound symbols from 2 px a module on, blurred ones from 2.5: unreadable at 3 px is unsound."""
MAX_SLANT: Final = 2.0
"""Longest to shortest side of anything that may be a symbol on a panel."""

Image = NDArray[np.uint8]


class CodeReader:
    """Reads the QR symbols of frames. Call `warm_up` before the process is confined for good."""

    def __init__(self) -> None:
        self._gray: Gray | None = None
        self._rates = ErrorRateMeter()
        self._back_off = 0
        self._failures = 0

    def warm_up(self) -> None:
        """Runs every path once, so that nothing has to be loaded, opened or started later."""
        zbar.hold_charsets()
        for text in ("SR1:WARM UP", "w\xe4rm \u30a6\u30a9\u30fc\u30e0"):
            modules = np.array([list(row) for row in segno.make(text, error="m", micro=False).matrix], np.uint8)
            panel = cv2.resize(255 * (1 - np.pad(modules, 4)), None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST)
            frame = np.ascontiguousarray(np.repeat(np.pad(panel, 40, constant_values=90)[:, :, None], 3, axis=2))
            spoilt = frame.copy()
            spoilt[120:160, 120:160] = 0
            for picture in (frame, spoilt):
                CodeReader().read(picture, [Region(0.0, 0.0, 200.0, 200.0)], 0)

    def read(self, frame: Image, regions: Sequence[Region], frame_number: int, *, whole: bool = True) -> list[Reading]:
        """Reads one frame.

        Args:
            frame: uint8, height x width x 3, BGR; only read.
            regions: where perception thinks that panels may hang; pixels of the frame.
            frame_number: not used; the work done depends on what was read before, never on time.
            whole: search the whole frame; else the regions only, at their own size where they are large.

        Returns:
            at most `MAX_READINGS`: what claims to be ours first, then what was decoded, then by module size.
        """
        gray = self._to_gray(frame)
        symbols = _distinct(zxing.scan(gray)) if whole else []
        for region in _worth_reading(
            regions, symbols, gray.shape, largest=MAX_ENLARGED_PX if whole else max(gray.shape)
        ):
            symbols = _distinct([*symbols, *_read_region(gray, region)])
        readable = [symbol for symbol in symbols if symbol.data is not None]
        unreadable = [symbol for symbol in symbols if symbol.data is None and _is_readable_size(symbol)]
        readings: list[Reading] = []
        for number, symbol in enumerate(readable):
            second = self._second(gray, symbol) if number < MAX_ZBAR_CHECKS else None
            readings += self._agreed(symbol, second)
        for symbol in unreadable:
            rescued = self._rescue(gray, symbol)
            readings.append(_reading(rescued or symbol, [rescued.decoder] if rescued else [], None))
        ranked = sorted(readings, key=lambda read: (not read.data.startswith(PREFIX), not read.data, -read.module_px))
        return ranked[:MAX_READINGS]

    def _to_gray(self, frame: Image) -> Gray:
        if self._gray is None or self._gray.shape != frame.shape[:2]:
            self._gray = np.empty(frame.shape[:2], np.uint8)
        cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY, dst=self._gray)
        return self._gray

    def _second(self, gray: Gray, symbol: Symbol) -> Symbol | None:
        """What the second decoder reads where the first has read `symbol`."""
        if symbol.modules > MAX_ZBAR_MODULES:
            return None
        return next((found for found in _scan_with_zbar(gray, symbol) if found.covers(symbol)), None)

    def _rescue(self, gray: Gray, symbol: Symbol) -> Symbol | None:
        """The second decoder's try at what the first cannot read. Failures double the pause, up to `MAX_BACK_OFF`."""
        if self._back_off > 0 or symbol.modules > MAX_ZBAR_MODULES:
            self._back_off = max(self._back_off - 1, 0)
            return None
        found = next((read for read in _scan_with_zbar(gray, symbol) if read.covers(symbol)), None)
        self._failures = 0 if found else min(self._failures + 1, 6)
        self._back_off = 0 if found else min(2**self._failures, MAX_BACK_OFF)
        return found

    def _agreed(self, symbol: Symbol, second: Symbol | None) -> list[Reading]:
        """One reading, or two where the decoders differ on what claims to be ours and is no mirror image."""
        rate = self._rates.measure(symbol) if _is_ours(symbol) else None
        if _is_ours(symbol) and self._rates.is_mirrored(symbol):
            return [_reading(symbol, ["zxing"], None, mirrored=True)]
        if second is None or second.data is None:
            return [_reading(symbol, ["zxing"], rate)]
        if second.data == symbol.data:
            return [_reading(symbol, ["zbar", "zxing"], rate)]
        ours = _is_ours(symbol) or _is_ours(second)
        # On other people's text the decoders differ by the character set that each guesses.
        return [_reading(symbol, ["zxing"], rate), *([_reading(second, ["zbar"], None)] if ours else [])]


def _worth_reading(
    regions: Sequence[Region], symbols: Sequence[Symbol], shape: tuple[int, ...], largest: int
) -> list[Region]:
    """The first few regions, cut to the frame, that hold no code of ours yet, neither too small nor too large."""
    height, width = shape[:2]
    chosen: list[Region] = []
    for region in regions:
        left, top = max(region.x, 0.0), max(region.y, 0.0)
        right, bottom = min(region.x + region.w, float(width)), min(region.y + region.h, float(height))
        if not MIN_REGION_PX <= min(right - left, bottom - top) <= max(right - left, bottom - top) <= largest:
            continue
        centres = [symbol.quad.mean(axis=0) for symbol in symbols if _is_ours(symbol)]
        if not any(left <= x <= right and top <= y <= bottom for x, y in centres):
            chosen.append(Region(left, top, right - left, bottom - top))
    return chosen[:MAX_REGIONS_READ]


def _read_region(gray: Gray, region: Region) -> list[Symbol]:
    left, top = int(region.x), int(region.y)
    crop = gray[top : int(region.y + region.h), left : int(region.x + region.w)]
    scale = 2.0 if max(crop.shape) <= MAX_ENLARGED_PX else 1.0
    fitted = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return [symbol.placed(scale, left, top) for symbol in zxing.scan(np.asarray(fitted, np.uint8))]


def _scan_with_zbar(gray: Gray, symbol: Symbol) -> list[Symbol]:
    """zbar on the symbol with its quiet zone, at the module size that suits it, and dark on light."""
    x, y, w, h = symbol.box
    edge = 5 * symbol.module_px
    left, top = int(max(x - edge, 0)), int(max(y - edge, 0))
    crop = gray[top : int(max(y + h + edge, 0)) + 1, left : int(max(x + w + edge, 0)) + 1]
    scale = ZBAR_MODULE_PX / max(symbol.module_px, 0.1)
    if min(crop.shape) < 2 or max(crop.shape) * scale > 3 * MAX_ENLARGED_PX:
        return []
    shrinks = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    fitted = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=shrinks)
    upright = cv2.bitwise_not(fitted) if symbol.inverted else fitted
    return [found.placed(scale, left, top) for found in zbar.scan(np.asarray(upright, np.uint8))]


def _distinct(symbols: Sequence[Symbol]) -> list[Symbol]:
    """Each symbol once: sign codes first, then what was read before what was not, the larger before the smaller."""
    kept: list[Symbol] = []
    for symbol in sorted(symbols, key=_rank):
        if not any(other.covers(symbol) for other in kept):
            kept.append(symbol)
    return kept


def _is_ours(symbol: Symbol) -> bool:
    """True for what claims to be a sign code."""
    return symbol.data is not None and symbol.data.startswith(PREFIX)


def _rank(symbol: Symbol) -> tuple[bool, bool, float]:
    return not _is_ours(symbol), symbol.data is None, -symbol.module_px * symbol.modules


def _is_readable_size(symbol: Symbol) -> bool:
    sides = symbol.sides
    return bool(symbol.module_px >= MIN_UNREADABLE_PX and sides.max() <= MAX_SLANT * sides.min())


def _reading(symbol: Symbol, decoders: list[str], rate: float | None, *, mirrored: bool = False) -> Reading:
    x, y, w, h = (min(max(value, -16384.0), 16384.0) for value in symbol.box)
    data = symbol.data or b""
    return Reading(
        data=data if len(data) <= MAX_CODE_BYTES else b"",
        decoders=decoders,  # type: ignore[arg-type]
        x=x,
        y=y,
        w=max(w, 0.0),
        h=max(h, 0.0),
        module_px=min(symbol.module_px, 16384.0),
        error_rate=rate,
        oversized=len(data) > MAX_CODE_BYTES,
        quarters=symbol.quarters,
        mirrored=mirrored,
    )
