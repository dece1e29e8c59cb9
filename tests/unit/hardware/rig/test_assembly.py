"""The rig's camera and signs: sizes by distance, nothing drawn that is not in view."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hardware.rig import assembly, panel
from hardware.rig.camera import BOUNCE_PX, SWAY_PX, Camera, CameraPose, pose_at
from hardware.rig.scene import FACE_M
from hardware.signs.shapes import Image


@pytest.fixture(scope="module")
def camera() -> Camera:
    return Camera()


@pytest.fixture(scope="module")
def sign() -> assembly.Assembly:
    return assembly.build(assembly.face_picture(14, 256), panel.printed("SR1:" + "A" * 170), random.Random(0))


def _drawn(sign: assembly.Assembly, camera: Camera, distance: float) -> Image:
    frame = np.zeros((camera.height, camera.width, 3), np.uint8)
    assembly.render(frame, sign, camera, CameraPose(0.0), (2.3, distance, 0.0))
    return frame


@pytest.mark.parametrize("distance", [45.0, 20.0, 8.0])
def test_a_face_appears_as_large_as_focal_length_over_distance_says(
    camera: Camera, sign: assembly.Assembly, distance: float
) -> None:
    left, top, width, height = assembly.face_box(camera, CameraPose(0.0), 2.3, distance)
    assert width == pytest.approx(camera.focal * FACE_M / distance)
    assert height == pytest.approx(width)
    frame = _drawn(sign, camera, distance).max(axis=2)
    middle = frame[round(top + height / 2)]
    lit = np.nonzero(middle > 60)[0]
    assert lit[-1] - lit[0] + 1 == pytest.approx(width, abs=3.0)
    assert lit[0] == pytest.approx(left, abs=3.0)


def test_a_sign_at_mount_height_lies_on_the_horizon(camera: Camera) -> None:
    points = camera.project(np.array([[0.0, camera.mount_height, 30.0]]), CameraPose(0.0))
    assert points[0] == pytest.approx([camera.width / 2, camera.horizon])


def test_a_sign_that_has_been_passed_is_not_drawn(camera: Camera, sign: assembly.Assembly) -> None:
    assert not _drawn(sign, camera, -3.0).any()
    assert not _drawn(sign, camera, 0.4).any()


def test_a_near_sign_half_outside_the_frame_is_cut_off(camera: Camera, sign: assembly.Assembly) -> None:
    frame = _drawn(sign, camera, 4.2)
    assert frame[:, -1].any()


def test_the_camera_shakes_within_its_bounds(camera: Camera) -> None:
    poses = [pose_at(camera, frame, 1.0) for frame in range(600)]
    assert max(abs(pose.sway) for pose in poses) <= SWAY_PX
    assert max(abs(pose.bounce) for pose in poses) <= BOUNCE_PX
    assert poses[15].z == pytest.approx(camera.speed)
