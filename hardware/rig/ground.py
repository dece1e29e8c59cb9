"""The road and the land beside it, as a loop of precomputed pictures.

At even speed a straight road whose pattern repeats every `LOOP` frames looks the same every `LOOP` frames, so each
view is computed once, with exact averaging over what a pixel covers along the road (a summed table), and then copied.
"""

from __future__ import annotations

import cv2
import numpy as np

from hardware.rig.backdrop import HAZE, Floats, fractal
from hardware.rig.camera import BOUNCE_PX, SWAY_PX, Camera
from hardware.signs.shapes import Image

LOOP = 30
_PX_PER_M = 24
_HALF_WIDTH_M = 22.0
_LANE_M = 1.75  # from the camera's path to the right edge of its lane; the centre line is as far to the left
_MARK_M = 0.06  # half the width of a lane mark
_ASPHALT, _PAINT = (98, 97, 95), (206, 208, 208)
_GRAVEL, _GRASS, _FIELD = (104, 120, 128), (62, 112, 92), (78, 138, 128)


def _texture(camera: Camera, rng: np.random.Generator) -> Floats:
    """One period of the ground seen from above: rows along the road, columns from left to right, float32 BGR."""
    rows, columns = round(LOOP * camera.step * _PX_PER_M), round(2 * _HALF_WIDTH_M * _PX_PER_M)
    x = (np.arange(columns) + 0.5) / _PX_PER_M - _HALF_WIDTH_M
    noise = _periodic(rng, rows, columns, 40)
    fine = _periodic(rng, rows, columns, 4)
    ground = np.empty((rows, columns, 3), np.float32)
    left_edge = -3 * _LANE_M
    edges = _ragged_edges(rng, rows)
    ground[:] = np.array(_GRASS, np.float32) + (noise[:, :, None] - 0.5) * 70 + (fine[:, :, None] - 0.5) * 46
    field = (x > 9.5) | (x < left_edge - 8)
    ground[:, field] = np.array(_FIELD, np.float32) + (noise[:, field, None] - 0.5) * 50
    gravel = (x[None, :] > left_edge - 0.5 + edges[:, None]) & (x[None, :] < _LANE_M + 0.5 - edges[:, None])
    ground[gravel] = (np.array(_GRAVEL, np.float32) + (fine[:, :, None] - 0.5) * 60)[gravel]
    road = (x > left_edge - 0.15) & (x < _LANE_M + 0.15)
    wear = 9 * np.cos(x[road] / _LANE_M * 2 * np.pi)[None, :, None]
    tone = (noise[:, road, None] - 0.5) * 22 + (fine[:, road, None] - 0.5) * 26
    ground[:, road] = np.array(_ASPHALT, np.float32) + tone - wear
    dash = (np.arange(rows) / _PX_PER_M) % 12.0 < 4.0
    for centre, whole in ((_LANE_M - 0.12, True), (left_edge + 0.12, True), (-_LANE_M, False)):
        mark = np.abs(x - centre) < _MARK_M
        worn = np.array(_PAINT, np.float32) - 50 * np.clip(fine[:, mark, None] - 0.45, 0, 1)
        keep = np.ones(rows, np.bool_) if whole else dash
        ground[np.ix_(keep, mark)] = worn[keep]
    return ground


def _ragged_edges(rng: np.random.Generator, rows: int) -> Floats:
    """How far the grass reaches into the gravel at each row of the texture, metres; the ends meet."""
    return np.asarray(_periodic(rng, rows, 8, 16)[:, 0] * 0.5, np.float32)


def _periodic(rng: np.random.Generator, rows: int, columns: int, coarse: int) -> Floats:
    """`fractal` whose last rows lead over into its first rows."""
    values = fractal(rng, rows + 96, columns, coarse)
    share = np.linspace(0, 1, 96, dtype=np.float32)[:, None]
    values[:96] = values[:96] * share + values[rows:] * (1 - share)
    return values[:rows]


def views(camera: Camera, rng: np.random.Generator) -> list[Image]:
    """The ground below the horizon at each of `LOOP` frames, larger than the frame by the camera's shaking."""
    texture = _texture(camera, rng)
    period = LOOP * camera.step
    rows_of_texture = len(texture)
    # Two periods and a leading zero row: any mean over up to a period is one difference of two rows.
    table = np.cumsum(np.concatenate([np.zeros_like(texture[:1]), texture, texture]), axis=0, dtype=np.float32)
    mean = texture.mean(axis=0)
    below = np.arange(1, camera.height - camera.horizon + 2 * BOUNCE_PX + 1, dtype=np.float64) - 0.5
    far, near = (camera.focal * camera.mount_height / np.maximum(below + d, 0.25) for d in (-0.5, 0.5))
    far = far + camera.smear
    depth = (far + near) / 2
    lateral = (np.arange(camera.width + 2 * SWAY_PX) - SWAY_PX + 0.5 - camera.width / 2)[None, :] * depth[:, None]
    columns = (lateral / camera.focal + _HALF_WIDTH_M) * _PX_PER_M - 0.5
    across = np.clip(columns, 0, texture.shape[1] - 1).astype(np.float32)
    down = np.repeat(np.arange(len(below), dtype=np.float32)[:, None], across.shape[1], axis=1)
    maps = cv2.convertMaps(across, down, cv2.CV_16SC2)
    haze = (1 - np.exp(-depth / 260))[:, None, None].astype(np.float32)
    wide = (far - near) * _PX_PER_M > rows_of_texture
    result: list[Image] = []
    for frame in range(LOOP):
        start = ((near + frame * camera.step) % period) * _PX_PER_M
        first = start.astype(int)
        length = np.clip(np.rint((far - near) * _PX_PER_M).astype(int), 1, rows_of_texture)
        strips = (table[first + length] - table[first]) / length[:, None, None].astype(np.float32)
        strips[wide] = mean
        hazy = strips * (1 - haze) + np.array(HAZE, np.float32) * haze * 0.85
        small = np.clip(hazy, 0, 255).astype(np.uint8)
        result.append(np.asarray(cv2.remap(small, maps[0], maps[1], cv2.INTER_LINEAR), np.uint8))
    return result
