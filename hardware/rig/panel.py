"""The code panel: a QR symbol as a grid of modules, its damage, and its picture."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import segno
import zxingcpp
from numpy.typing import NDArray

from hardware.rig.errors import DamageFailedError
from hardware.signs.shapes import Image

Modules: TypeAlias = NDArray[np.bool_]
"""Square grid of QR modules, True where dark, without the quiet zone."""

QUIET_ZONE = 4
_WHITE, _BLACK = (236, 238, 238), (26, 24, 24)  # BGR of retro-reflective sheet and printing ink
_MUD = (38, 52, 66)


@dataclass(frozen=True)
class PrintedPanel:
    """What is printed and what became of it: `modules` as they look, `mud` the places that were painted over."""

    modules: Modules
    mud: Modules
    wrong: float  # share of all modules that differ from the printed ones

    @property
    def side(self) -> int:
        """Modules along one side, quiet zone included."""
        return len(self.modules) + 2 * QUIET_ZONE


def printed(text: str, level: str = "M") -> PrintedPanel:
    """The panel of a text, as small as the error correction level allows."""
    symbol = segno.make_qr(text, error=level, boost_error=False)
    modules = np.array([[bool(module) for module in row] for row in symbol.matrix])
    return PrintedPanel(modules, np.zeros_like(modules), 0.0)


def damaged(panel: PrintedPanel, rng: random.Random, share: tuple[float, float] = (0.045, 0.062)) -> PrintedPanel:
    """The panel with blots of paint whose modules are all wrong: readable, and wrong in `share` of all modules.

    A decoder must read it, also with a few more modules wrong.

    Raises:
        DamageFailedError: no such damage was found.
    """
    side = len(panel.modules)
    free = _data_region(side)
    for _ in range(1000):
        blots = np.zeros((side, side), np.uint8)
        for _ in range(rng.randint(1, 3)):
            centre = rng.randrange(4, side), rng.randrange(4, side)
            axes = rng.randint(3, 7), rng.randint(3, 7)
            cv2.ellipse(blots, centre, axes, rng.uniform(0, 180), 0, 360, 1, -1)
        mud = (blots > 0) & free
        wrong = float(mud.mean())
        if not share[0] <= wrong <= share[1]:
            continue
        candidate = PrintedPanel(panel.modules ^ mud, mud, wrong)
        if all(_readable(_speckled(candidate.modules, free, rng)) for _ in range(6)):
            return candidate
    raise DamageFailedError("no damage was found that leaves the code readable", "try another seed")


def _data_region(side: int) -> Modules:
    """Modules that carry data: all but the finder patterns, their surroundings, timing and alignment patterns."""
    free = np.ones((side, side), np.bool_)
    free[:9, :9] = free[:9, -9:] = free[-9:, :9] = False
    free[6, :] = free[:, 6] = False
    middle = side // 2
    for row in (6, middle, side - 7):
        for column in (6, middle, side - 7):
            free[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = False
    return free


def _speckled(modules: Modules, free: Modules, rng: random.Random) -> Modules:
    count = round(modules.size * 0.004)
    places = rng.sample(list(zip(*np.nonzero(free), strict=True)), count)
    result = modules.copy()
    for place in places:
        result[place] = not result[place]
    return result


def _readable(modules: Modules) -> bool:
    picture = np.where(np.pad(modules, QUIET_ZONE), 0, 255).astype(np.uint8)
    large = cv2.resize(picture, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    return bool(zxingcpp.read_barcodes(large, formats=zxingcpp.BarcodeFormat.QRCode, try_downscale=False))


def picture(panel: PrintedPanel, module_px: int, rng: random.Random) -> Image:
    """The panel as uint8 BGR, `module_px` pixels a module, quiet zone included."""
    dark = np.pad(panel.modules, QUIET_ZONE)
    flat = np.where(dark[:, :, None], np.array(_BLACK, np.uint8), np.array(_WHITE, np.uint8)).astype(np.uint8)
    large = np.asarray(cv2.resize(flat, None, fx=module_px, fy=module_px, interpolation=cv2.INTER_NEAREST), np.uint8)
    if panel.mud.any():
        _paint_mud(large, np.pad(panel.mud, QUIET_ZONE), module_px, rng)
    return large


def _paint_mud(large: Image, mud: Modules, module_px: int, rng: random.Random) -> None:
    """Tints the painted places towards brown, unevenly and with a ragged edge."""
    mask = cv2.resize(mud.astype(np.float32), None, fx=module_px, fy=module_px, interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(rng.getrandbits(32)).random((len(mask) // 6 + 1,) * 2, np.float32)
    ragged = cv2.resize(noise, mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    strength = (np.clip(mask * 1.6 - ragged * 0.7, 0, 1) * 0.48)[:, :, None]
    large[:] = np.rint(large * (1 - strength) + np.array(_MUD, np.float32) * strength).astype(np.uint8)
