"""A short drive, rendered and encoded for real, then read as the device would read it."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import av
import gpxpy
import numpy as np
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyzbar import pyzbar

from hardware.rig import drive, sticker, track
from hardware.rig.camera import Camera
from hardware.rig.codes import Coded
from hardware.rig.errors import ClassifierNeededError
from hardware.rig.scene import plan
from tests.support.paths import CLASSIFIER
from wire import register, signcode

START_MS = 1_770_000_000_400
KEY = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
TRUSTED = {signcode.key_id(KEY.public_key()): KEY.public_key()}
SCENE_KEYS = {
    "name",
    "first_frame",
    "last_frame",
    "class_id",
    "code_class_id",
    "expected_state",
    "expected_class_id",
    "note",
}


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> drive.Drive:
    return drive.render(tmp_path_factory.mktemp("drive"), 5, KEY, START_MS, None, names=["honest"])


@pytest.fixture(scope="module")
def frames(short: drive.Drive) -> list[np.ndarray]:
    with av.open(str(short.video)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_the_video_is_h264_of_the_right_size_and_holds_its_start_time(short: drive.Drive) -> None:
    with av.open(str(short.video)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 1536, 864)
        assert stream.average_rate == 15
        created = datetime.fromisoformat(container.metadata["creation_time"])
    assert created == datetime.fromtimestamp(START_MS // 1000, UTC)


def test_expected_json_is_what_was_returned_and_has_every_field(short: drive.Drive, frames: list[np.ndarray]) -> None:
    expected = json.loads((short.video.parent / "expected.json").read_text())
    assert expected == short.expected
    assert {"seed", "video", "gpx", "fps", "scenes"} <= set(expected)
    for scene in expected["scenes"]:
        assert set(scene) >= SCENE_KEYS
        assert 0 <= scene["first_frame"] < scene["last_frame"] < len(frames)


def test_the_track_covers_the_video_and_passes_the_registered_sign_when_expected(short: drive.Drive) -> None:
    points = gpxpy.parse(short.gpx.read_text()).tracks[0].segments[0].points
    start = datetime.fromtimestamp(START_MS // 1000, UTC)
    scene = short.expected["scenes"][0]
    assert points[0].time < start < points[-1].time
    seconds = scene["last_frame"] / short.expected["fps"]
    nearest = min(points, key=lambda point: abs((point.time - start).total_seconds() - seconds))
    entry = short.register[0]
    assert nearest.distance_2d(gpxpy.gpx.GPXTrackPoint(entry.lat, entry.lon)) < 6.0


def test_the_register_can_be_signed_and_holds_the_sign(short: drive.Drive) -> None:
    signed = register.issue(short.register, KEY)
    assert register.verify(signed, TRUSTED).lookup(short.register[0].sign_id) is not None


def test_both_decoders_read_the_code_in_at_least_five_frames(short: drive.Drive, frames: list[np.ndarray]) -> None:
    last = short.expected["scenes"][0]["last_frame"]
    by_zxing = by_zbar = 0
    for frame in frames[last - 16 : last - 5]:
        view = np.ascontiguousarray(frame[200:700, 768:])
        texts = [code.text for code in zxingcpp.read_barcodes(view, formats=zxingcpp.BarcodeFormat.QRCode)]
        by_zxing += any(signcode.verify(text.encode(), TRUSTED) for text in texts)
        read = [code.data for code in pyzbar.decode(view, symbols=[pyzbar.ZBarSymbol.QRCODE])]
        by_zbar += any(signcode.verify(data, TRUSTED) for data in read)
    assert by_zxing >= 6
    assert by_zbar >= 5


def test_the_same_seed_gives_the_same_frames() -> None:
    camera, scenes = Camera(), plan(5, ["honest"])
    road = track.choose(random.Random(5))
    pictures = []
    for _ in range(2):
        stages, _ = drive.prepare(scenes, road, KEY, START_MS // 1000, None, 5, lambda what, done, total: None)
        pictures.append(drive.RoadWorld(5, camera, stages).view(50))
    assert (pictures[0] == pictures[1]).all()


def test_a_sticker_without_a_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClassifierNeededError):
        drive.render(tmp_path, 5, KEY, START_MS, None, names=["stickered"])
    with pytest.raises(ClassifierNeededError):
        sticker.AttackedClassifier.load(tmp_path / "classifier.tflite")


@pytest.mark.slow
def test_a_sticker_makes_the_shipped_classifier_see_another_class() -> None:
    (scene,) = plan(5, ["stickered"])
    _, report = sticker.make(scene.class_id, sticker.AttackedClassifier.load(CLASSIFIER), random.Random(5), 256)
    assert report.target_class_id != scene.class_id
    assert report.as_target >= 0.8
    assert report.area <= 0.4


def test_the_approaches_of_a_drive_follow_each_other_without_overlap() -> None:
    stages = [drive.Stage(scene, None, Coded(None, None)) for scene in plan(5)]
    scenes = drive.expectations(5, Camera(), stages, "drive.mp4", "drive.gpx")["scenes"]
    assert [scene["first_frame"] for scene in scenes[1:]] == [scene["last_frame"] + 1 for scene in scenes[:-1]]
