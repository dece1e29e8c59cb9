"""A camera gives frames as it hangs; a frame that it spoils is passed over, and its end is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from device.capture import turn
from device.capture.camera import CameraSource
from device.capture.errors import InputError
from device.capture.turn import UPRIGHT, Turn
from tests.support.frame_sources import Picture, Read, read
from tests.support.videos import street


class StandIn:
    """In place of OpenCV's camera: these pictures, None for one that is spoilt."""

    pictures: list[Picture | None]

    def __init__(self, *_: Any) -> None:
        self._left = [None, *self.pictures]

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, *_: Any) -> bool:
        return True

    def get(self, what: int) -> float:
        return {cv2.CAP_PROP_FRAME_WIDTH: 160.0, cv2.CAP_PROP_FRAME_HEIGHT: 96.0}.get(what, 30.0)

    def grab(self) -> bool:
        self._left.pop(0)
        return bool(self._left)

    def retrieve(self, into: Picture) -> tuple[bool, Picture | None]:
        picture = self._left[0]
        if picture is None:
            return False, None
        if picture.shape != into.shape:
            return True, picture
        into[:] = picture
        return True, into


def watched(monkeypatch: pytest.MonkeyPatch, pictures: list[Picture | None], mount: Turn = UPRIGHT) -> Read:
    """What is seen until the camera ends, which is an error."""
    monkeypatch.setattr(cv2, "VideoCapture", type("Camera", (StandIn,), {"pictures": pictures}))
    source = CameraSource(Path("/dev/video0"), 160, 96, 30.0, 5, mount)
    found = Read()
    with pytest.raises(InputError, match="no further frame"):
        read(source, into=found)
    return found


def test_a_camera_that_hangs_upside_down_shows_the_street_upright(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures: list[Picture | None] = [street(n) for n in range(3)]
    plain = watched(monkeypatch, pictures)
    turned = watched(monkeypatch, pictures, turn.of_camera(180, "none"))
    assert all(np.array_equal(plain.pictures[n], street(n)) for n in range(3))
    assert all(np.array_equal(turned.pictures[n], street(n)[::-1, ::-1]) for n in range(3))


def test_a_spoilt_frame_is_passed_over_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = watched(monkeypatch, [street(0), None, street(2)])
    assert found.left_out == [1] and sorted(found.pictures) == [0, 2]
    assert found.damage == {"frames_corrupt": 1}


def test_a_camera_that_changes_its_frame_size_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", type("Camera", (StandIn,), {"pictures": [street(0, 320, 192)]}))
    with pytest.raises(InputError, match="changed its frame size"):
        read(CameraSource(Path("/dev/video0"), 160, 96, 30.0, 5))
