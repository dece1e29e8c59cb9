"""The pinhole camera and where it is at each frame.

World axes: x metres to the right of the camera's path, y metres above the road, z metres along the road from its
start. Pixels: u to the right, v down, from the frame's top left corner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]

SWAY_PX = 10
BOUNCE_PX = 4


@dataclass(frozen=True)
class Camera:
    """A dashcam: size and focal length in pixels, height above the road in metres, row of the horizon."""

    width: int = 1536
    height: int = 864
    focal: float = 1400.0
    mount_height: float = 1.3
    horizon: int = 420
    fps: int = 15
    speed: float = 12.0
    shutter_s: float = 0.002

    @property
    def step(self) -> float:
        """Metres that the vehicle goes on from one frame to the next."""
        return self.speed / self.fps

    @property
    def smear(self) -> float:
        """Metres that the vehicle goes on while the shutter is open."""
        return self.speed * self.shutter_s

    def size_px(self, metres: float, distance: float) -> float:
        """How large `metres` across the view appear at `distance` metres, in pixels."""
        return self.focal * metres / distance

    def project(self, points: Points, pose: CameraPose) -> Points:
        """World points (N x 3) to pixels (N x 2). All must lie before the camera."""
        depth = points[:, 2] - pose.z
        u = self.width / 2 + pose.sway + self.focal * points[:, 0] / depth
        v = self.horizon + pose.bounce - self.focal * (points[:, 1] - self.mount_height) / depth
        return np.stack([u, v], axis=1)


@dataclass(frozen=True)
class CameraPose:
    """Where the camera is, metres along the road, and how it is shaken: whole pixels to the right and down.

    The shaking is a small rotation: at these angles it shifts the picture as a whole.
    """

    z: float
    sway: int = 0
    bounce: int = 0

    def later(self, metres: float) -> CameraPose:
        """The same view, `metres` further on."""
        return CameraPose(self.z + metres, self.sway, self.bounce)


def pose_at(camera: Camera, frame: int, phase: float) -> CameraPose:
    """The pose at a frame: even speed, a slow sway and a quick small bounce, at most SWAY_PX and BOUNCE_PX."""
    t = frame / camera.fps
    sway = 0.6 * math.sin(0.7 * t + phase) + 0.4 * math.sin(1.9 * t + 2 * phase)
    bounce = 0.5 * math.sin(7.3 * t + phase) + 0.5 * math.sin(11.9 * t + 3 * phase)
    return CameraPose(camera.step * frame, round(SWAY_PX * sway), round(BOUNCE_PX * bounce))
