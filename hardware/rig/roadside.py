"""Things that stand beside the road and pass by: trees, bushes, houses, posts, parked cars.

Each is a flat picture that faces the camera. They are drawn once, kept as pyramids, and shown smaller with distance.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from hardware.rig.backdrop import HAZE
from hardware.rig.blend import clipped, level_for, over, premultiplied, pyramid
from hardware.rig.camera import Camera, CameraPose
from hardware.signs.shapes import Colour, Image

_PX = 384
SEEN_FROM_M = 190.0
_FADE_M = 60.0

Lump = tuple[float, float, float]


@dataclass(frozen=True)
class Thing:
    """One thing in the world: look, place in metres, size in metres."""

    levels: list[Image]
    x: float
    z: float
    width: float
    height: float


def _blank(aspect: float) -> tuple[Image, Image]:
    columns = round(_PX * aspect)
    return np.zeros((_PX, columns, 3), np.uint8), np.zeros((_PX, columns), np.uint8)


def _leaves(colour: Image, alpha: Image, rng: random.Random, lumps: Sequence[Lump]) -> None:
    """Foliage: lumps of leaves (centre across and up, radius; shares of the height), lit from the upper left."""
    rows, columns = alpha.shape
    base = rng.choice(((40, 78, 56), (36, 72, 66), (48, 88, 60), (42, 84, 80)))
    both = np.dstack([colour, alpha])
    spots: list[tuple[float, float, float, float]] = []
    for across, up, reach in lumps:
        for _ in range(round(3800 * reach)):
            turn, out = rng.uniform(0, math.tau), math.sqrt(rng.random())
            dx, dy = out * math.cos(turn), out * math.sin(turn)
            light = 0.72 + 0.3 * dy - 0.22 * dx + 0.25 * (up - 0.5) + rng.uniform(-0.16, 0.16)
            spots.append((light, across + reach * dx, up + reach * dy, rng.uniform(0.007, 0.022)))
    for light, across, up, size in sorted(spots):
        centre = round(columns / 2 + across * rows), round(rows * (1 - up))
        shade = tuple(int(min(255, max(0, channel * light * 1.2))) for channel in base)
        cv2.circle(both, centre, round(size * rows), (*shade, 255), -1)
    colour[:], alpha[:] = both[:, :, :3], both[:, :, 3]


def _trunk(colour: Image, alpha: Image, width: float, top: float) -> None:
    rows, columns = alpha.shape
    half = round(columns * width / 2)
    place = np.s_[round(rows * (1 - top)) :, columns // 2 - half : columns // 2 + half + 1]
    colour[place] = (52, 62, 74)
    alpha[place] = 255


def _broadleaf(rng: random.Random) -> Image:
    colour, alpha = _blank(0.8)
    _trunk(colour, alpha, 0.06, 0.5)
    low = rng.uniform(0.26, 0.36)
    lumps = []
    for _ in range(16):
        up = rng.uniform(low, 0.86)
        width = 0.3 * math.sin(math.pi * (up - low + 0.08) / (1.08 - low))
        lumps.append((rng.uniform(-width, width), up, rng.uniform(0.08, 0.14)))
    _leaves(colour, alpha, rng, lumps)
    return premultiplied(colour, alpha)


def _conifer(rng: random.Random) -> Image:
    colour, alpha = _blank(0.45)
    _trunk(colour, alpha, 0.08, 0.3)
    lumps = []
    for tier in range(11):
        up = 0.14 + 0.075 * tier
        width = 0.17 * (1 - up) / 0.86
        lumps += [(rng.uniform(-width, width), up, 0.02 + 0.055 * (1 - up)) for _ in range(5)]
    _leaves(colour, alpha, rng, [*lumps, (0.0, 0.95, 0.018)])
    return premultiplied(colour, alpha)


def _bush(rng: random.Random) -> Image:
    colour, alpha = _blank(1.7)
    lumps = [(rng.uniform(-0.5, 0.5), 0.0, 0.0) for _ in range(14)]
    lumps = [(x, rng.uniform(0.1, 0.62) * (1 - abs(x)), rng.uniform(0.14, 0.24)) for x, _, _ in lumps]
    _leaves(colour, alpha, rng, lumps)
    return premultiplied(colour, alpha)


def _house(rng: random.Random) -> Image:
    colour, alpha = _blank(1.35)
    rows, columns = alpha.shape
    wall: Colour = rng.choice(((186, 204, 212), (176, 190, 196), (160, 190, 206)))
    roof: Colour = rng.choice(((62, 66, 84), (66, 72, 78), (58, 70, 96)))
    left, right, eaves = round(columns * 0.06), round(columns * 0.94), round(rows * 0.46)
    for surface, paint in ((colour, wall), (alpha, (255,))):
        cv2.rectangle(surface, (left, eaves), (right, rows), paint, -1)
    gable = np.array([(0, eaves + 6), (round(columns * 0.2), 8), (round(columns * 0.8), 8), (columns, eaves + 6)])
    for surface, paint in ((colour, roof), (alpha, (255,))):
        cv2.fillPoly(surface, [gable], paint, cv2.LINE_AA)
    for column in range(4):
        for row in range(2):
            x, y = left + round(columns * (0.06 + 0.21 * column)), eaves + round(rows * (0.07 + 0.24 * row))
            cv2.rectangle(colour, (x - 3, y - 3), (x + 45, y + 59), (228, 230, 230), -1)
            cv2.rectangle(colour, (x, y), (x + 42, y + 56), (92, 82, 72), -1)
    return premultiplied(colour, alpha)


def _delineator(_: random.Random) -> Image:
    """The white post with a slanted black band at the edge of German roads."""
    colour, alpha = _blank(0.12)
    columns = alpha.shape[1]
    colour[:] = (222, 224, 224)
    band = np.array([(0, 70), (columns, 40), (columns, 130), (0, 160)])
    cv2.fillPoly(colour, [band], (32, 32, 34), cv2.LINE_AA)
    cv2.rectangle(colour, (columns // 2 - 6, 80), (columns // 2 + 6, 118), (214, 214, 206), -1)
    alpha[8:] = 255
    return premultiplied(colour, alpha)


def _bare_pole(_: random.Random) -> Image:
    colour, alpha = _blank(0.06)
    columns = alpha.shape[1]
    shade = 110 + 70 * np.sin(np.linspace(0, math.pi, columns))
    colour[:] = shade.astype(np.uint8)[None, :, None]
    alpha[:, 3:-3] = 255
    return premultiplied(colour, alpha)


def _parked_car(rng: random.Random) -> Image:
    """A car from behind, boxy."""
    colour, alpha = _blank(1.25)
    rows, columns = alpha.shape
    paint: Colour = rng.choice(((96, 92, 88), (60, 58, 56), (150, 148, 146)))
    body = ((0.05, 0.42), (0.17, 0.06), (0.83, 0.06), (0.95, 0.42), (0.97, 0.9), (0.03, 0.9))
    glass = ((0.2, 0.38), (0.26, 0.12), (0.74, 0.12), (0.8, 0.38))
    for points, shade in ((body, paint), (glass, (74, 66, 58))):
        polygon = np.array([(x * columns, y * rows) for x, y in points]).astype(np.int32)
        cv2.fillPoly(colour, [polygon], shade, cv2.LINE_AA)
        cv2.fillPoly(alpha, [polygon], 255, cv2.LINE_AA)
    for x in (0.08, 0.76):
        wheel = np.s_[round(rows * 0.84) :, round(columns * x) : round(columns * (x + 0.16))]
        colour[wheel], alpha[wheel] = (30, 30, 30), 255
    for x in (0.06, 0.84):
        light = np.s_[round(rows * 0.48) : round(rows * 0.6), round(columns * x) : round(columns * (x + 0.1))]
        colour[light] = (40, 36, 120)
    return premultiplied(colour, alpha)


# sort: painter, number of looks, height in metres, (from, to) metres to the right, mean spacing in metres
_SORTS: tuple[tuple[Callable[[random.Random], Image], int, float, tuple[float, float], float], ...] = (
    (_broadleaf, 4, 9.0, (8.0, 26.0), 15.0),
    (_broadleaf, 4, 7.5, (-30.0, -11.0), 15.0),
    (_conifer, 3, 11.0, (10.0, 34.0), 26.0),
    (_conifer, 3, 12.0, (-40.0, -14.0), 26.0),
    (_bush, 4, 1.6, (5.5, 14.0), 13.0),
    (_bush, 4, 1.7, (-18.0, -8.5), 13.0),
    (_house, 2, 7.5, (20.0, 34.0), 110.0),
    (_house, 2, 7.0, (-38.0, -19.0), 90.0),
    (_delineator, 1, 1.05, (-6.0, -5.95), 50.0),
    (_bare_pole, 1, 2.4, (3.3, 3.6), 130.0),
    (_parked_car, 2, 1.5, (-9.0, -7.6), 150.0),
)


def furnish(length: float, rng: random.Random) -> list[Thing]:
    """The things along `length` metres of road and beyond its end, the farthest first."""
    things: list[Thing] = []
    for painter, count, height, (low, high), spacing in _SORTS:
        looks = [pyramid(painter(rng)) for _ in range(count)]
        z = rng.uniform(0.2, 1.0) * spacing
        while z < length + SEEN_FROM_M:
            levels = rng.choice(looks)
            tall = height * (rng.uniform(0.75, 1.25) if height > 1.2 else 1.0)
            rows, columns = levels[0].shape[:2]
            things.append(Thing(levels, rng.uniform(low, high), z, tall * columns / rows, tall))
            z += spacing * (rng.uniform(0.5, 1.5) if height > 1.2 else 1.0)
    return sorted(things, key=lambda thing: -thing.z)


def render(frame: Image, thing: Thing, camera: Camera, pose: CameraPose) -> None:
    """Draws a thing into a BGR frame where it is in view, paler with distance."""
    distance = thing.z - pose.z
    if not 3.0 < distance < SEEN_FROM_M:
        return
    half = thing.width / 2
    world = np.array([(thing.x - half, thing.height, thing.z), (thing.x + half, 0.0, thing.z)])
    box = camera.project(world, pose)
    height, width = frame.shape[:2]
    left, top, right, bottom = clipped(box, width, height)
    if right - left < 1 or bottom - top < 1:
        return
    rows = thing.levels[0].shape[0]
    index = level_for(thing.levels, rows / (box[1, 1] - box[0, 1]))
    texture = thing.levels[index]
    scale = (box[1] - box[0]) / (texture.shape[1], texture.shape[0])
    matrix = np.array([(scale[0], 0, box[0, 0] - left), (0, scale[1], box[0, 1] - top)])
    picture = cv2.warpAffine(texture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    over(frame[top:bottom, left:right], _hazy(np.asarray(picture, np.uint8), distance))


def _hazy(picture: Image, distance: float) -> Image:
    visible = min(1.0, (SEEN_FROM_M - distance) / _FADE_M)
    clear = math.exp(-distance / 300)
    if clear > 0.93:
        return picture
    alpha = cv2.cvtColor(picture[:, :, 3], cv2.COLOR_GRAY2BGR)
    air = cv2.multiply(alpha, (*HAZE, 0), scale=(1 - clear) * visible / 255)
    mixed = cv2.addWeighted(cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR), clear * visible, air, 1.0, 0)
    return np.asarray(cv2.merge([mixed, cv2.convertScaleAbs(picture[:, :, 3], alpha=visible)]), np.uint8)
