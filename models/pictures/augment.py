"""What a camera, a lens, a road and a video codec do to a picture, as random changes of a uint8 RGB image.

Each function takes and returns height x width x 3 uint8 and draws from the given generator only.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def light(image: Image, rng: Generator, strength: float = 1.0) -> Image:
    """Exposure, contrast, gamma, white balance and saturation: one look-up table per channel."""
    levels = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(rng.normal(0, 0.3 * strength))
    gain = np.exp(rng.normal(0, 0.3 * strength)) * np.exp(rng.normal(0, 0.06, (3, 1)))
    offset = rng.normal(0, 0.06 * strength)
    table = np.clip((levels[None] ** gamma - 0.5) * gain + 0.5 + offset, 0, 1) * 255
    bright = np.exp(rng.normal(0, 0.25 * strength))
    table = np.clip(table * bright, 0, 255).astype(np.uint8)
    result = cv2.LUT(image, np.ascontiguousarray(table.T[None]))
    if rng.random() < 0.3:
        grey = cv2.cvtColor(cv2.cvtColor(result, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = rng.uniform(0.4, 1.3)
        result = cv2.addWeighted(result, share, grey, 1 - share, 0)
    return np.asarray(result, np.uint8)


def blur(image: Image, rng: Generator, most: float) -> Image:
    """Defocus (Gaussian, up to `most` pixels of sigma) or motion (a line of up to three times that)."""
    sigma = rng.uniform(0.2, most)
    if rng.random() < 0.6:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    length = max(2, round(3 * sigma))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle = (length - 1) / 2
    ends = [(round(middle + s * middle * np.cos(angle)), round(middle + s * middle * np.sin(angle))) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def sharpened(image: Image, rng: Generator) -> Image:
    """Unsharp masking, as cheap cameras overdo it: halos around edges."""
    soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 2.0))
    amount = rng.uniform(0.4, 1.6)
    return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)


def noise(image: Image, rng: Generator) -> Image:
    """Sensor noise, normal, with a standard deviation of up to 14 levels."""
    grain = np.empty(image.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(grain, 0, rng.uniform(1, 14))
    return np.asarray(cv2.add(image, grain, dtype=cv2.CV_8U), np.uint8)


def compressed(image: Image, rng: Generator, worst: int = 25) -> Image:
    """JPEG with a quality of `worst` to 95: the blocks and ringing that video codecs leave too."""
    quality = int(rng.integers(worst, 96))
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) if done else image


def far(image: Image, rng: Generator, least: int, most: int) -> Image:
    """As if the picture had covered only `least` to `most` pixels: scaled down, then up again."""
    side = int(rng.integers(least, most + 1))
    shape = image.shape[1::-1]
    down = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if rng.random() < 0.6 else cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(down, shape, interpolation=cv2.INTER_LINEAR), np.uint8)


def small_video(image: Image, rng: Generator, least: int, most: int) -> Image:
    """As in a video where the picture covered only `least` to `most` pixels: scaled down, compressed there, scaled up.

    Colour has half the resolution there (4:2:0): that of a small sign's rim is mixed with what is beside it.
    """
    side = int(rng.integers(least, most + 1))
    down = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    coded = cv2.cvtColor(compressed(cv2.cvtColor(down, cv2.COLOR_RGB2BGR), rng, 40), cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(coded, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def weather(image: Image, rng: Generator) -> Image:
    """One of dusk, a low sun, and rain."""
    change = (dusk, backlit, rain)[int(rng.integers(3))]
    return change(image, rng)


def dusk(image: Image, rng: Generator) -> Image:
    """Little light: a tenth to half of it, tinted by lamps, and the grain of a camera that turned up its gain."""
    tint = np.array([1.0, 1.0, 1.0]) + rng.normal(0, 0.12, 3)
    levels = np.arange(256, dtype=np.float32)[:, None]
    table = np.clip(levels * rng.uniform(0.1, 0.5) * tint + rng.uniform(0, 10), 0, 255).astype(np.uint8)
    return noise(np.asarray(cv2.LUT(image, table[None]), np.uint8), rng)


def backlit(image: Image, rng: Generator) -> Image:
    """A low sun in the picture: what faces the camera is dark, and a glow veils what is near the sun."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:24, 0:24].astype(np.float32) / 23
    distance = np.hypot(rows - rng.uniform(-0.1, 0.6), columns - rng.uniform(0, 1))
    glow = np.exp(-((distance / rng.uniform(0.15, 0.6)) ** 2)) * rng.uniform(80, 230)
    veil = cv2.resize(glow.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    dark = cv2.convertScaleAbs(image, alpha=rng.uniform(0.3, 0.8))
    return np.asarray(cv2.add(dark, cv2.merge([veil, veil, veil])), np.uint8)


def rain(image: Image, rng: Generator) -> Image:
    """Streaks of rain, haze, and the blur of a wet windscreen."""
    height, width = image.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    slant, length = rng.normal(0, 0.25), rng.uniform(0.02, 0.08) * height
    for x, y in rng.uniform(0, 1, (int(rng.integers(20, 160)), 2)) * (width, height):
        end = round(float(x + slant * length)), round(float(y + length))
        cv2.line(streaks, (round(float(x)), round(float(y))), end, int(rng.integers(30, 120)), 1, cv2.LINE_AA)
    haze = rng.uniform(0.0, 0.5)
    grey = float(rng.uniform(110, 200))
    hazy = cv2.convertScaleAbs(image, alpha=1 - haze, beta=haze * grey)
    if rng.random() < 0.6:
        hazy = cv2.GaussianBlur(hazy, (0, 0), rng.uniform(0.4, 1.4))
    return np.asarray(cv2.add(hazy, cv2.merge([streaks, streaks, streaks])), np.uint8)


def shadow(image: Image, rng: Generator) -> Image:
    """Darkens (or lights) one side of a random line, as a branch or a lamp post does."""
    height, width = image.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.cos(angle) * (columns - rng.uniform(0, width)) + np.sin(angle) * (rows - rng.uniform(0, height))
    factor = np.where(distance > 0, np.float32(rng.uniform(0.25, 1.3)), np.float32(1))
    return np.asarray(np.clip(image * factor[:, :, None], 0, 255), np.uint8)
