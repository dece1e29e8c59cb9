"""One near frame of each scene on one picture."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.rig import drive, sticker, track
from hardware.rig.camera import Camera
from hardware.rig.scene import plan
from hardware.rig.sensor import Sensor
from hardware.signs.shapes import Image
from program import outputs

_DISTANCE_M = 9.0
_COLUMNS = 2
_WIDTH = 768


def write(path: Path, seed: int, classifier_path: Path, names: Sequence[str] = ()) -> None:
    """Writes the contact sheet of a drive as a PNG. Its codes are signed with a key that is thrown away.

    Raises:
        UsageError, RunError: the drive cannot be made.
        OutputRefusedError: the file cannot be written.
    """
    camera, scenes = Camera(), plan(seed, names)
    needs_judge = any(scene.recipe.face == "stickered" for scene in scenes)
    judge = sticker.AttackedClassifier.load(classifier_path) if needs_judge else None
    road = track.choose(random.Random(seed))
    key = Ed25519PrivateKey.from_private_bytes(random.Random(seed).randbytes(32))
    stages, _ = drive.prepare(scenes, road, key, 1_750_000_000, judge, seed, lambda what, done, total: None)
    world, sensor = drive.RoadWorld(seed, camera, stages), Sensor(camera.width, camera.height, seed)
    tiles: list[Image] = []
    for scene in scenes:
        frame = round((scene.z - _DISTANCE_M) / camera.step)
        planes = sensor.expose(world.view(frame), frame)
        tile = cv2.resize(
            cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420),
            (_WIDTH, _WIDTH * camera.height // camera.width),
            interpolation=cv2.INTER_AREA,
        )
        caption = f"{scene.name}: {scene.recipe.expected}"
        cv2.putText(tile, caption, (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 4, cv2.LINE_AA)
        cv2.putText(tile, caption, (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
        tiles.append(np.asarray(tile, np.uint8))
    while len(tiles) % _COLUMNS:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[index : index + _COLUMNS]) for index in range(0, len(tiles), _COLUMNS)]
    outputs.write(path, cv2.imencode(path.suffix, np.vstack(rows))[1].tobytes())
