"""Frames of a V4L2 camera, through OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from device.capture.errors import InputError
from device.capture.picture import Slot
from device.capture.stream import StreamFacts, StreamTally, Taken
from device.capture.turn import UPRIGHT, Turn


class CameraSource:
    """A V4L2 camera (`/dev/videoN`), until it is stopped. Times are by the machine's clock. Raises InputError."""

    def __init__(self, device: Path, width: int, height: int, fps: float, utc_ms: int, mount: Turn = UPRIGHT) -> None:
        self.tally, self.timed = StreamTally(), True
        self._mount = mount
        self._camera = cv2.VideoCapture(str(device), cv2.CAP_V4L2)
        if not self._camera.isOpened():
            raise InputError("camera_unopened")
        self._camera.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._camera.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._camera.set(cv2.CAP_PROP_FPS, fps)
        got = [int(self._camera.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
        self._fps = self._camera.get(cv2.CAP_PROP_FPS) or fps
        self.facts = StreamFacts(0, got[0], got[1], round(self._fps * 1000), utc_ms)

    def frames(self, slot: Slot, start: int) -> Iterator[Taken]:
        number, began = start, cv2.getTickCount()
        width, height = self.facts.width, self.facts.height
        turned = np.empty((height, width, 3), np.uint8) if self._mount != UPRIGHT else None
        while self._camera.grab():
            pixels = slot(*self._mount.size(width, height))
            into = pixels if turned is None else turned
            ok, image = self._camera.retrieve(into)
            if not ok or image is None:
                self.tally.damaged("frames_corrupt")
                yield number, None
                number += 1
                continue
            if image.shape != into.shape:
                raise InputError("camera_changed")
            if turned is not None:
                self._mount.write(image, pixels)
            elif image is not pixels and not np.shares_memory(image, pixels):
                np.copyto(pixels, image)
            yield number, round((cv2.getTickCount() - began) * 1000.0 / cv2.getTickFrequency())
            number += 1
        raise InputError("camera_ended")
