"""Frames of the test rig's roads with its signs and their true boxes, as training material.

Only plain, covered and absent signs are taken, with and without a code panel; no attack is trained on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.classes import CLASS_NAMES
from models.data.source import Image

if TYPE_CHECKING:
    from hardware.rig.drive import RoadWorld, Stage

SCALE = 0.9
"""Of the rig's 1536 x 864 frames: a sign then has the size that it has in a frame of GTSDB, at about 1382 x 778."""

_NEAREST_M, _FARTHEST_M = 4.0, 40.0
_SIGNS = 8
_FRAMES_OF_ONE = 4
_FACES: tuple[Literal["plain", "covered", "none"], ...] = ("plain", "covered", "none")


@dataclass(frozen=True)
class Rendered:
    """Frames (RGB) and the corners (N x 4) of the signs in each."""

    frames: list[Image]
    corners: list[NDArray[np.float32]]


def available() -> bool:
    """Whether the rig and what it draws with are installed."""
    return all(find_spec(name) is not None for name in ("hardware.rig", "av", "cbor2", "cryptography", "zxingcpp"))


def render(worlds: int, seed: int) -> Rendered:
    """Renders `worlds` roads of eight signs, each seen four times between 4 and 40 metres."""
    from hardware.rig.camera import Camera
    from hardware.rig.drive import RoadWorld

    camera = Camera()
    result = Rendered([], [])
    for index in tqdm(range(worlds), desc="render roads", unit="road"):
        rng = random.Random(f"{seed} {index}")
        stages = _stages(rng)
        world = RoadWorld(rng.randrange(2**31), camera, stages)
        for stage in stages:
            for _ in range(_FRAMES_OF_ONE):
                distance = float(np.exp(rng.uniform(np.log(_NEAREST_M), np.log(_FARTHEST_M))))
                frame = max(0, round((stage.scene.z - distance) / camera.step))
                result.frames.append(np.ascontiguousarray(world.view(frame)[:, :, ::-1]))
                result.corners.append(_truth(world, stages, frame))
    return result


def _stages(rng: random.Random) -> list[Stage]:
    from hardware.rig import assembly, covering, panel, scene
    from hardware.rig.codes import Coded
    from hardware.rig.drive import Stage

    pattern = scene.plan(rng.randrange(2**31), ["uncoded"])[0]
    stages = []
    for index in range(_SIGNS):
        class_id = rng.randrange(len(CLASS_NAMES))
        kind = rng.choices(_FACES, [0.75, 0.15, 0.1])[0]
        recipe = replace(pattern.recipe, face=kind)
        place = replace(
            pattern,
            recipe=recipe,
            class_id=class_id,
            z=scene.SPACING_M * (index + 1),
            x=rng.uniform(2.0, 3.2),
            yaw=rng.uniform(-8, 8),
        )
        text = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=rng.randrange(12, 220)))
        shown = panel.printed(text) if rng.random() < 0.75 else None
        face = covering.bag(512, rng) if kind == "covered" else assembly.face_picture(class_id, 512)
        stands = None if kind == "none" else assembly.build(face, shown, rng)
        stages.append(Stage(place, stands, Coded(None, None)))
    return stages


def _truth(world: RoadWorld, stages: list[Stage], frame: int) -> NDArray[np.float32]:
    from hardware.rig.assembly import face_box, face_picture

    pose, boxes = world.pose(frame), []
    for stage in stages:
        distance = stage.scene.z - pose.z
        if stage.scene.recipe.face == "plain" and 2.0 < distance < _FARTHEST_M + 5:
            x, y, w, h = face_box(world.camera, pose, stage.scene.x, stage.scene.z)
            alpha = face_picture(stage.scene.class_id, 128)[:, :, 3] > 127
            rows, columns = np.flatnonzero(alpha.any(1)) / 128, np.flatnonzero(alpha.any(0)) / 128
            boxes.append(
                (x + w * columns[0], y + h * rows[0], x + w * (columns[-1] + 1 / 128), y + h * (rows[-1] + 1 / 128))
            )
    return np.array(boxes, np.float32).reshape(-1, 4)
