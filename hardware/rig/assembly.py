"""A sign on its pole: face, panel and pole as one flat picture, and its view through the camera.

The picture is a plane that stands upright at the roadside. It is warped by the true homography into its bounding
rectangle only, from the level of the pyramid that fits; motion blur is the mean of several moments of the open shutter.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.rig.blend import clipped, level_for, over, premultiplied, pyramid
from hardware.rig.camera import Camera, CameraPose
from hardware.rig.panel import PrintedPanel, picture
from hardware.rig.scene import FACE_HEIGHT_M, FACE_M, PANEL_M
from hardware.signs import draw
from hardware.signs.shapes import Image

_MODULE_PX = 8
_GAP_M = 0.02
_POLE_M = 0.06
_POLE_SHADES = (118, 150, 172, 180, 170, 150, 124, 104)
_METAL = (150, 152, 150)
_MARGIN_M = 0.03
_MOMENTS = 5
TOP_M = FACE_HEIGHT_M + FACE_M / 2
PANEL_TOP_M = FACE_HEIGHT_M - FACE_M / 2 - _GAP_M


@dataclass(frozen=True)
class Assembly:
    """A flat picture (pyramid of premultiplied BGRA) that is `width` x `height` metres and stands on the ground."""

    levels: list[Image]
    width: float
    height: float
    px_per_m: float


def face_picture(class_id: int, size: int) -> Image:
    """The face of a class as BGRA, not premultiplied."""
    return np.asarray(cv2.cvtColor(draw(class_id, size), cv2.COLOR_RGBA2BGRA), np.uint8)


def build(face: Image | None, panel: PrintedPanel | None, rng: random.Random) -> Assembly:
    """Puts face (square BGRA, any size) and panel on a pole.

    A None face leaves the pole bare; a None panel leaves the code out.
    """
    px_per_m = panel.side * _MODULE_PX / PANEL_M if panel else 480.0
    width = max(FACE_M, PANEL_M) + 2 * _MARGIN_M
    columns, rows = round(width * px_per_m), round((TOP_M + _MARGIN_M) * px_per_m)
    colour = np.full((rows, columns, 3), _METAL, np.uint8)
    alpha = np.zeros((rows, columns), np.uint8)
    top = round(_MARGIN_M * px_per_m)
    _paint_pole(colour, alpha, top, round(_POLE_M * px_per_m))
    if panel is not None:
        code = picture(panel, _MODULE_PX, rng)
        _paste(
            colour, alpha, code, np.full(code.shape[:2], 255, np.uint8), top + round((TOP_M - PANEL_TOP_M) * px_per_m)
        )
    if face is not None:
        side = round(FACE_M * px_per_m)
        method = cv2.INTER_AREA if len(face) > side else cv2.INTER_LINEAR
        scaled = np.asarray(cv2.resize(face, (side, side), interpolation=method), np.uint8)
        _paste(colour, alpha, scaled[:, :, :3], scaled[:, :, 3], top)
    return Assembly(pyramid(premultiplied(colour, alpha), 3), columns / px_per_m, rows / px_per_m, px_per_m)


def _paint_pole(colour: Image, alpha: Image, top: int, width: int) -> None:
    left = (alpha.shape[1] - width) // 2
    shades = np.interp(np.linspace(0, len(_POLE_SHADES) - 1, width), range(len(_POLE_SHADES)), _POLE_SHADES)
    colour[top:, left : left + width] = shades.astype(np.uint8)[None, :, None]
    alpha[top:, left : left + width] = 255


def _paste(colour: Image, alpha: Image, picture: Image, mask: Image, top: int) -> None:
    """Lays a picture over the middle of the assembly, its upper edge at row `top`."""
    height, width = picture.shape[:2]
    left = (alpha.shape[1] - width) // 2
    place = np.s_[top : top + height, left : left + width]
    share = mask.astype(np.float32)[:, :, None] / 255
    colour[place] = np.rint(colour[place] * (1 - share) + picture * share).astype(np.uint8)
    alpha[place] = np.maximum(alpha[place], mask)


def corners(assembly: Assembly, x: float, z: float, yaw: float) -> NDArray[np.float64]:
    """World corners (4 x 3) of the plane: top left, top right, bottom right, bottom left; yaw in degrees."""
    half = assembly.width / 2
    dx, dz = half * math.cos(math.radians(yaw)), half * math.sin(math.radians(yaw))
    left, right = (x - dx, z - dz), (x + dx, z + dz)
    return np.array(
        [(sx, y, sz) for (sx, sz), y in ((left, assembly.height), (right, assembly.height))]
        + [(right[0], 0.0, right[1]), (left[0], 0.0, left[1])]
    )


def face_box(camera: Camera, pose: CameraPose, x: float, z: float) -> tuple[float, float, float, float]:
    """Where the face appears: left, top, width, height in pixels (its yaw is ignored)."""
    half = FACE_M / 2
    points = np.array([(x - half, FACE_HEIGHT_M + half, z), (x + half, FACE_HEIGHT_M - half, z)])
    (left, top), (right, bottom) = camera.project(points, pose)
    return float(left), float(top), float(right - left), float(bottom - top)


def render(
    frame: Image,
    assembly: Assembly,
    camera: Camera,
    pose: CameraPose,
    place: tuple[float, float, float],
    opacity: float = 1.0,
) -> None:
    """Draws the assembly into a BGR frame.

    Args:
        frame: uint8, changed in place.
        place: x and z in metres, yaw in degrees.
        opacity: below 1 where haze still hides a part of it.
    """
    x, z, yaw = place
    world = corners(assembly, x, z, yaw)
    if world[:, 2].min() - pose.z - camera.smear < 1.0:
        return
    first, last = (camera.project(world, pose.later(share * camera.smear)) for share in (0.0, 1.0))
    height, width = frame.shape[:2]
    left, top, right, bottom = clipped(np.concatenate([first, last]), width, height)
    if right - left < 1 or bottom - top < 1:
        return
    distance = z - pose.z
    shrink = assembly.px_per_m * distance / camera.focal
    index = level_for(assembly.levels, shrink)
    texture = assembly.levels[index]
    rows, columns = texture.shape[:2]
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32) - np.float32(0.5)
    moments = _MOMENTS if np.abs(last - first).max() > 1.0 else 3
    total = np.zeros((bottom - top, right - left, 4), np.float32)
    for moment in range(moments):
        seen = camera.project(world, pose.later((moment + 0.5) / moments * camera.smear))
        # Moments are also spread over 0.6 of a pixel, so that their mean averages within it.
        shift = np.array([left, top]) + 0.5 - ((moment + 0.5) / moments - 0.5) * np.array([0.6, 0.6])
        matrix = cv2.getPerspectiveTransform(source, (seen - shift).astype(np.float32))
        warped = cv2.warpPerspective(texture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
        cv2.accumulate(warped, total)
    over(frame[top:bottom, left:right], cv2.convertScaleAbs(total, alpha=opacity / moments))
