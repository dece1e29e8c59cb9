"""Renders a drive: the video, its GPX track, the expected verdicts, and the entries of its register."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.rig import assembly, backdrop, covering, ground, panel, roadside, sticker, track
from hardware.rig.blend import over
from hardware.rig.camera import BOUNCE_PX, SWAY_PX, Camera, CameraPose, pose_at
from hardware.rig.codes import Coded, code_of
from hardware.rig.encode import VideoWriter
from hardware.rig.errors import ClassifierNeededError
from hardware.rig.scene import SEEN_FROM_M, SPACING_M, Scene, plan
from hardware.rig.sensor import Sensor
from hardware.signs.shapes import Image
from program import outputs
from wire.register import RegisterEntry

_TAIL_M = 10.0
_FADE_M = 5.0
_FACE_PX = 512

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Drive:
    """A rendered drive: its files, the content of expected.json, and the entries of the register."""

    video: Path
    gpx: Path
    expected: dict[str, Any]
    register: list[RegisterEntry]


@dataclass(frozen=True)
class Stage:
    """A scene made ready to be rendered: what stands there (None: nothing), its code, the sticker's report if any."""

    scene: Scene
    assembly: assembly.Assembly | None
    code: Coded
    sticker: sticker.Report | None = None


class RoadWorld:
    """Everything that the camera drives through.

    Args:
        seed: of everything random in the scenery.
        camera: how it is seen.
        stages: the signs.
    """

    def __init__(self, seed: int, camera: Camera, stages: Sequence[Stage]) -> None:
        rng, noise = random.Random(seed ^ 0x5EA1), np.random.default_rng(seed)
        self.camera = camera
        self._stages = stages
        self._phase = rng.uniform(0, 6.28)
        self._sky = backdrop.sky(camera, noise)
        self._ground = ground.views(camera, noise)
        self._bonnet = backdrop.bonnet(camera)
        length = max((stage.scene.z for stage in stages), default=0.0)
        self._things = roadside.furnish(length + _TAIL_M, rng)

    def pose(self, frame: int) -> CameraPose:
        """Where the camera is at a frame."""
        return pose_at(self.camera, frame, self._phase)

    def view(self, frame: int) -> Image:
        """The scene as light falls on the sensor at a frame: uint8 BGR."""
        pose = self.pose(frame)
        picture = self._far(frame, pose)
        for draw in self._near(pose):
            draw(picture)
        over(picture[-len(self._bonnet) :], self._bonnet)
        return picture

    def _far(self, frame: int, pose: CameraPose) -> Image:
        camera = self.camera
        picture = np.empty((camera.height, camera.width, 3), np.uint8)
        horizon = camera.horizon + pose.bounce
        columns = slice(SWAY_PX - pose.sway, SWAY_PX - pose.sway + camera.width)
        first_row = BOUNCE_PX - pose.bounce
        picture[:horizon] = self._sky[first_row : first_row + horizon, columns]
        picture[horizon:] = self._ground[frame % ground.LOOP][: camera.height - horizon, columns]
        return picture

    def _near(self, pose: CameraPose) -> Iterator[Callable[[Image], None]]:
        """What stands beside the road, the farthest first."""
        layers: list[tuple[float, Callable[[Image], None]]] = [
            (thing.z, partial(roadside.render, thing=thing, camera=self.camera, pose=pose))
            for thing in self._things
            if 0 < thing.z - pose.z < roadside.SEEN_FROM_M
        ]
        for stage in self._stages:
            distance = stage.scene.z - pose.z
            if stage.assembly is not None and 0 < distance < SEEN_FROM_M + _FADE_M:
                layers.append((stage.scene.z, partial(self._sign, stage=stage, pose=pose)))
        yield from (draw for _, draw in sorted(layers, key=lambda layer: -layer[0]))

    def _sign(self, picture: Image, stage: Stage, pose: CameraPose) -> None:
        scene = stage.scene
        opacity = min(1.0, (SEEN_FROM_M + _FADE_M - (scene.z - pose.z)) / _FADE_M)
        if stage.assembly is not None:
            assembly.render(picture, stage.assembly, self.camera, pose, (scene.x, scene.z, scene.yaw), opacity)


def prepare(
    scenes: Sequence[Scene],
    road: track.Track,
    authority: Ed25519PrivateKey,
    now_s: int,
    classifier: sticker.AttackedClassifier | None,
    seed: int,
    progress: Progress,
) -> tuple[list[Stage], list[RegisterEntry]]:
    """Makes the signs of the scenes, and the register entries that belong to them.

    Raises:
        ClassifierNeededError: a sticker is to be made, and there is no classifier to attack.
    """
    stages: list[Stage] = []
    register: list[RegisterEntry] = []
    for index, scene in enumerate(scenes):
        progress("signs", index, len(scenes))
        rng = random.Random(f"{seed} {scene.name}")
        code, entries = code_of(scene, road, now_s, authority, rng)
        register += entries
        report = None
        face: Image | None = assembly.face_picture(scene.class_id, _FACE_PX)
        if scene.recipe.face == "covered":
            face = covering.bag(_FACE_PX, rng)
        elif scene.recipe.face == "stickered":
            if classifier is None:
                raise ClassifierNeededError(
                    "the stickered scene needs the classifier", "give it, or leave the scene out"
                )
            face, report = sticker.make(scene.class_id, classifier, rng, _FACE_PX)
        stands = None if scene.recipe.face == "none" else assembly.build(face, _panel_of(scene, code, rng), rng)
        stages.append(Stage(scene, stands, code, report))
    return stages, register


def _panel_of(scene: Scene, code: Coded, rng: random.Random) -> panel.PrintedPanel | None:
    if code.text is None:
        return None
    printed = panel.printed(code.text, code.level)
    return panel.damaged(printed, rng) if scene.recipe.code == "damaged" else printed


def expectations(seed: int, camera: Camera, stages: Sequence[Stage], video: str, gpx: str) -> dict[str, Any]:
    """The content of expected.json."""
    return {
        "seed": seed,
        "video": video,
        "gpx": gpx,
        "fps": camera.fps,
        "scenes": [_expected_of(stage, camera) for stage in stages],
    }


def _expected_of(stage: Stage, camera: Camera) -> dict[str, Any]:
    scene, recipe = stage.scene, stage.scene.recipe
    passed = int(scene.z / camera.step)
    expected: dict[str, Any] = {
        "name": scene.name,
        "first_frame": max(0, int((scene.z - SEEN_FROM_M - _FADE_M) / camera.step) + 1),
        "last_frame": passed,
        "class_id": scene.class_id,
        "code_class_id": stage.code.class_id,
        "expected_state": recipe.expected,
        "expected_class_id": scene.class_id if recipe.believed else None,
        "note": recipe.note,
    }
    if stage.sticker is not None:
        expected["sticker"] = stage.sticker.as_dict()
    return expected


def render(
    out_dir: Path,
    seed: int,
    authority: Ed25519PrivateKey,
    start_utc_ms: int,
    classifier_path: Path | None,
    progress: Progress = lambda what, done, total: None,
    names: Sequence[str] = (),
) -> Drive:
    """Renders a drive into `out_dir`: drive.mp4, drive.gpx, expected.json. All follows from `seed`
    but the times and what `authority` signs.

    Args:
        out_dir: made if it is not there.
        seed: any integer; order, classes, places, scenery and stickers vary with it.
        authority: the key that authentic codes are signed with.
        start_utc_ms: time of the first frame, unix milliseconds; brought down to a whole second, as MP4 keeps no more.
        classifier_path: the shipped classifier.tflite beside its manifest, for the sticker.
        progress: called with the progress.
        names: the scenes to render, all if empty.

    Returns:
        the drive; the register's entries are for the caller to sign.

    Raises:
        UsageError, RunError: the drive cannot be made, or a file cannot be written.
        OSError: the disk is full.
    """
    camera = Camera()
    scenes = plan(seed, names)
    start_utc_ms -= start_utc_ms % 1000
    road = track.choose(random.Random(seed ^ 0x60AD))
    judge = sticker.AttackedClassifier.load(classifier_path) if classifier_path is not None else None
    stages, register = prepare(scenes, road, authority, start_utc_ms // 1000, judge, seed, progress)
    outputs.make_folder(out_dir)
    video, gpx = out_dir / "drive.mp4", out_dir / "drive.gpx"
    if outputs.remove(video):
        outputs.say_replaced(video)
    frames = round((SPACING_M * len(scenes) + _TAIL_M) / camera.step)
    world, sensor = RoadWorld(seed, camera, stages), Sensor(camera.width, camera.height, seed)
    with VideoWriter(video, camera.width, camera.height, camera.fps, start_utc_ms) as recorder:
        for frame in range(frames):
            recorder.write(sensor.expose(world.view(frame), frame))
            progress("frames", frame + 1, frames)
    track.write_gpx(gpx, road, camera.speed, frames / camera.fps, start_utc_ms, random.Random(seed ^ 0x6B5))
    expected = expectations(seed, camera, stages, video.name, gpx.name)
    outputs.write(out_dir / "expected.json", (json.dumps(expected, indent=2) + "\n").encode())
    return Drive(video, gpx, expected, register)
