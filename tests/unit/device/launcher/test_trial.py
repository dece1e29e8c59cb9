"""A compartment tried alone answers as it would in a run: doctor says what is true, confined as it will be."""

from __future__ import annotations

from pathlib import Path

import msgspec

from device.channel.failures import FAILURES
from device.config import CameraConfig, IndicatorConfig
from device.launcher import settings, trial
from tests.support.videos import VideoMaker

CAMERA = settings.camera(CameraConfig())


def test_a_source_that_gives_frames_is_good(make_video: VideoMaker) -> None:
    video = make_video(frames=30)
    told = msgspec.structs.replace(CAMERA, kind="video", path=str(video))
    assert trial.reason_against("capture", told, {"input": [video]}, {}, handles=1) is None


def test_a_device_that_is_no_camera_is_named_with_the_words_of_a_run() -> None:
    told = msgspec.structs.replace(CAMERA, path="/dev/null")
    found = trial.reason_against("capture", told, {"camera": [Path("/dev/null")]}, {"input": "/dev/null"}, handles=1)
    row = FAILURES["camera_unopened"]
    assert found == (row.sentence.format(input="/dev/null"), row.remedy)


def test_pins_are_tried_with_the_library_that_a_run_would_use() -> None:
    mock = IndicatorConfig(factory="mock")
    assert trial.reason_against("indicator", settings.indicator(mock), settings.pin_mounts(mock), {}) is None
    real = IndicatorConfig(factory="lgpio", chip="/dev/gpiochip99")
    places = {**settings.pin_mounts(real), "gpiochip": []}
    found = trial.reason_against("indicator", settings.indicator(real), places, {})
    words = [FAILURES[name] for name in ("pins_library_missing", "pins_refused")]  # where it is not, and where it is
    assert found in [(row.sentence.format(compartment="indicator", subject="lgpio"), row.remedy) for row in words]


def test_a_source_that_never_gives_a_frame_is_given_up(make_video: VideoMaker) -> None:
    video = make_video(frames=3)
    told = msgspec.structs.replace(CAMERA, kind="video", path=str(video))
    found = trial.reason_against("capture", told, {"input": [video]}, {}, handles=1000, seconds=1.0)
    assert found is not None and found[0].startswith("capture ")
