"""What is so far away that it never comes nearer (sky, clouds, hills, a forest), and the car's own bonnet."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.rig.camera import BOUNCE_PX, SWAY_PX, Camera
from hardware.signs.shapes import Image

Floats = NDArray[np.float32]

HAZE = (212, 206, 198)  # BGR of the air before the horizon
_ZENITH = (214, 168, 118)
_CLOUD = (246, 244, 242)
# farthest first: BGR, height above the horizon in pixels, width of the bumps in pixels
_RIDGES = (((178, 164, 142), 46, 300), ((148, 142, 116), 26, 170), ((92, 108, 88), 14, 26))


def fractal(rng: np.random.Generator, height: int, width: int, coarse: int, octaves: int = 5) -> Floats:
    """Smooth random values, about 0..1: random grids of ever finer pitch, each half as strong as the one before."""
    total = np.zeros((height, width), np.float32)
    weight, sum_of_weights = 1.0, 0.0
    for octave in range(octaves):
        pitch = max(coarse >> octave, 1)
        grid = rng.random((height // pitch + 3, width // pitch + 3), np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        sum_of_weights += weight
        weight /= 2
    return np.asarray(total / sum_of_weights, np.float32)


def sky(camera: Camera, rng: np.random.Generator) -> Image:
    """Everything above the horizon, wider and higher than the frame by the camera's shaking: uint8 BGR."""
    height, width = camera.horizon + 2 * BOUNCE_PX, camera.width + 2 * SWAY_PX
    drop = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 0.8
    picture = np.array(_ZENITH, np.float32) * (1 - drop) + np.array(HAZE, np.float32) * drop
    picture = np.repeat(picture, width, axis=1)
    clouds = cv2.resize(fractal(rng, height, width // 3, 120), (width, height), interpolation=cv2.INTER_CUBIC)
    cover = np.clip((clouds - 0.5) * 4.5, 0, 0.85)[:, :, None]
    shade = np.clip((clouds - 0.62) * 120, 0, 26)[:, :, None]
    picture = picture * (1 - cover) + (np.array(_CLOUD, np.float32) - shade) * cover
    for colour, rise, bump in _RIDGES:
        _ridge(picture, rng, colour, rise, bump)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _ridge(picture: Floats, rng: np.random.Generator, colour: tuple[int, int, int], rise: int, bump: int) -> None:
    height, width = picture.shape[:2]
    profile = fractal(rng, 8, width, bump, 6)[4]
    tops = height - 2 * BOUNCE_PX - rise * (0.2 + 1.3 * np.clip(profile, 0, 1))
    cover = np.clip(np.arange(height, dtype=np.float32)[:, None] - tops[None, :], 0, 1)[:, :, None]
    grain = (fractal(rng, height, width, 8, 3)[:, :, None] - 0.5) * 26
    picture[:] = picture * (1 - cover) + (np.array(colour, np.float32) + grain) * cover


def bonnet(camera: Camera) -> Image:
    """The lower rim of the view: the car's own bonnet, as premultiplied BGRA of the frame's width."""
    rise = 46
    u = np.linspace(-1, 1, camera.width, dtype=np.float32)
    edge = rise * (0.18 + 0.82 * u * u)
    rows = np.arange(rise, dtype=np.float32)[:, None]
    alpha = np.clip(rows - edge[None, :], 0, 1)
    shine = np.clip(1 - (rows - edge[None, :]) / 22, 0, 1)
    grey = 34 + 52 * shine * (0.6 + 0.4 * np.cos(2.2 * u))[None, :]
    colour = np.stack([grey * 1.06, grey, grey * 0.95], axis=2)
    return np.dstack([colour * alpha[:, :, None], alpha * 255]).astype(np.uint8)
