"""Whatever keeps a compartment from starting reaches the user with a sentence of its own, and a remedy."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from device.annotator.settings import AnnotatorSettings
from device.capture.settings import CaptureSettings
from device.channel.failures import SubjectName
from device.channel.overlay import Overlay
from device.config import MODELS, Config
from device.confine import launch
from device.dialer.settings import DialerSettings
from device.indicator.core import PIPES
from device.launcher import settings
from device.launcher.child import ENTRY
from device.launcher.plan import RunPlan
from device.perception.settings import PerceptionSettings
from device.position.settings import PositionSettings
from device.sealer.settings import SealerSettings
from device.uplink.settings import UplinkSettings
from device.verdict.settings import VerdictSettings
from identity import Home
from tests.support.alone import NO_PLACES, started, until_ready_or_gone
from wire import manifest
from wire.vocabulary import COMPARTMENTS, CompartmentName

RUN = "00" * 16
CONFINED = [name for name in COMPARTMENTS if name != "warden"]


class Broken(NamedTuple):
    """What a compartment is given that it cannot work with."""

    settings: msgspec.Struct
    places: Mapping[str, Sequence[Path]] = NO_PLACES
    models: Mapping[str, bytes] | None = None


class Nonsense(msgspec.Struct):
    """Settings that no compartment has."""

    nonsense: int = 1


def perception_settings() -> PerceptionSettings:
    content = (MODELS / manifest.MANIFEST).read_bytes()
    return settings.perception(manifest.parse(content, "the manifest"), "fast", threads=1, lockstep=True)


def video(home: Home, folder: Path, content: bytes) -> Broken:
    path = folder / "x.mp4"
    path.write_bytes(content)
    told = CaptureSettings("video", str(path), "lockstep", 15.0, 64, 64, 15.0, 0)
    return Broken(told, {**NO_PLACES, "input": [path]})


def frames(home: Home, folder: Path, names: Sequence[str]) -> Broken:
    for name in names:
        (folder / name).write_bytes(b"no picture")
    told = CaptureSettings("folder", str(folder), "lockstep", 15.0, 64, 64, 15.0, 0)
    return Broken(told, {**NO_PLACES, "input": [folder]})


def models(home: Home, folder: Path, spoilt: str) -> Broken:
    content = {name: (MODELS / f"{name}.tflite").read_bytes() for name in ("detector", "classifier")}
    return Broken(perception_settings(), models={**content, spoilt: b"TFL3" + bytes(64)})


def gpx(home: Home, folder: Path, content: bytes) -> Broken:
    path = folder / "x.gpx"
    path.write_bytes(content)
    return Broken(PositionSettings(str(path)), {**NO_PLACES, "gpx": [path]})


def no_gpx(home: Home, folder: Path) -> Broken:
    return Broken(PositionSettings(str(folder / "none.gpx")))


def trust(home: Home, folder: Path) -> Broken:
    shutil.copytree(home.trust, folder / "trust")
    next((folder / "trust" / "authority").glob("*.pub")).write_text("no key\n")
    told = VerdictSettings(str(folder / "trust"), "v", True, {"far": 0.5})
    return Broken(told, {**NO_PLACES, "trust": [folder / "trust"]})


def sealer(home: Home, folder: Path, spoil: Callable[[Home], object]) -> Broken:
    spoil(home)
    device = [home.device / name for name in ("signing.key", "id") if (home.device / name).exists()]
    public = [home.trust / name for name in ("sink_hpke.pub", "receipt.pub")]
    places = {**NO_PLACES, "signing": [*device, *public], "spool": [home.spool]}
    return Broken(SealerSettings(str(home.path), RUN, 1024 * 1024, uplink=False), places)


def uplink(home: Home, folder: Path, spoil: Callable[[Home], object]) -> Broken:
    spoil(home)
    places = {**NO_PLACES, "tls": [home.device / name for name in ("tls.key", "tls.crt", "ca.crt")]}
    return Broken(UplinkSettings(str(home.path), "localhost", 8883), places)


def pins(home: Home, folder: Path) -> Broken:
    plan = RunPlan("camera", "", "", "", "", "realtime", "file", str(home.path), "", RUN, Config())
    told = settings.settings(plan, manifest.parse((MODELS / manifest.MANIFEST).read_bytes(), "it"), 0)["indicator"]
    return Broken(msgspec.structs.replace(told, factory="lgpio"), {**NO_PLACES, "pipes": [PIPES]})


def overlay(home: Home, folder: Path) -> Broken:
    path = folder / "x.mp4"
    path.write_bytes(b"no video")
    told = AnnotatorSettings(CaptureSettings("video", str(path), "lockstep", 15.0, 64, 64, 15.0, 0))
    drawn = msgspec.msgpack.encode(Overlay({}, [], 0))
    return Broken(told, {**NO_PLACES, "input": [path]}, {"overlay": drawn})


def no_broker(home: Home, folder: Path) -> Broken:
    return Broken(DialerSettings("", 8883))


Case = tuple[CompartmentName, Callable[[Home, Path], Broken], str, list[int], SubjectName | None]
CASES: dict[str, Case] = {
    "a video that is none": ("capture", functools.partial(video, content=b"no video"), "video_unreadable", [0], None),
    "a folder without frames": ("capture", functools.partial(frames, names=[]), "folder_empty", [], None),
    "a first frame that is none": (
        "capture", functools.partial(frames, names=["1.png"]), "image_unreadable", [1], None,
    ),
    "a video to be drawn into that is none": ("annotator", overlay, "video_unreadable", [0], None),
    "a detector that is no model": (
        "perception", functools.partial(models, spoilt="detector"), "interpreter_refuses_model", [], "detector",
    ),
    "a classifier that is no model": (
        "perception", functools.partial(models, spoilt="classifier"), "interpreter_refuses_model", [], "classifier",
    ),
    "a track that is none": ("position", functools.partial(gpx, content=b"no track"), "track_malformed", [], None),
    "a track without a time": (
        "position",
        functools.partial(
            gpx,
            content=b'<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
            b'<trkpt lat="1" lon="1"/></trkseg></trk></gpx>',
        ),
        "track_without_time", [1], None,
    ),
    "a track that is not there": ("position", no_gpx, "track_unreadable", [2], None),
    "an anchor that is no key": ("verdict", trust, "key_damaged", [], "authority"),
    "a signing key that is gone": (
        "sealer",
        functools.partial(sealer, spoil=lambda home: (home.device / "signing.key").unlink()),
        "key_missing", [], "signing.key",
    ),
    "a signing key that others can read": (
        "sealer",
        functools.partial(sealer, spoil=lambda home: (home.device / "signing.key").chmod(0o644)),
        "key_unsafe", [], "signing.key",
    ),
    "a spool that is no database": (
        "sealer",
        functools.partial(sealer, spoil=lambda home: (home.spool / "spool.db").write_bytes(b"no database" * 1000)),
        "spool_damaged", [], None,
    ),
    "a TLS key that others can read": (
        "uplink",
        functools.partial(uplink, spoil=lambda home: (home.device / "tls.key").chmod(0o644)),
        "key_unsafe", [], "tls.key",
    ),
    "a certificate that is none": (
        "uplink",
        functools.partial(uplink, spoil=lambda home: (home.device / "tls.crt").write_text("no certificate")),
        "key_damaged", [], "tls.crt",
    ),
    "a broker without a name": ("dialer", no_broker, "settings_bad", [], None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_keeps_a_compartment_from_starting_is_told_as_a_word(case: str, home: Home, tmp_path: Path) -> None:
    name, broken, failure, numbers, subject = CASES[case]
    given = broken(home, tmp_path)
    with started(name, given.settings, given.places, given.models) as child:
        until_ready_or_gone(child)
        assert child.failed is not None, child.ended()
        assert (child.failed.failure, child.failed.subject) == (failure, subject)
        assert failure == "video_unreadable" or child.failed.numbers == numbers
        sentence, remedy = child.reason({"input": "the input", "gpx": "the track", "home": "home"}) or ("", "")
        assert sentence and remedy


@pytest.mark.parametrize("name", CONFINED)
def test_settings_that_are_not_its_own_are_refused_by_each(name: CompartmentName) -> None:
    with started(name, Nonsense()) as child:
        until_ready_or_gone(child)
        assert child.failed is not None, child.ended()
        assert child.failed.failure == "settings_bad"


def test_pins_that_cannot_be_used_are_told(home: Home, tmp_path: Path) -> None:
    given = pins(home, tmp_path)
    with started("indicator", given.settings, given.places) as child:
        until_ready_or_gone(child)
        assert child.failed is not None, child.ended()
        installed = importlib.util.find_spec("lgpio") is not None
        assert child.failed.failure == ("pins_refused" if installed else "pins_library_missing")


def test_every_compartment_has_a_case() -> None:
    assert {name for name, *_ in CASES.values()} | {"codes", "indicator"} == set(CONFINED)


@pytest.mark.parametrize("arguments", [[], ["warden"], ["nobody"]])
def test_what_is_no_compartment_is_not_started_by_hand(arguments: list[str]) -> None:
    by_hand = [sys.executable, "-m", ENTRY, *arguments]
    done = subprocess.run(by_hand, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sealcam: compartments are started by sealcam, never by hand\n"


def test_a_compartment_that_may_write_to_the_terminal_cannot_read_from_it(home: Home, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    kept = os.dup(2)
    os.dup2(theirs, 2)
    try:
        output = launch._our_output()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    os.write(output, b"what it says\n")
    assert os.read(ours, 64).startswith(b"what it says")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.read(output, 1)
    for descriptor in (ours, theirs, output):
        os.close(descriptor)
