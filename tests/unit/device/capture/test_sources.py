"""The settings name the source."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from device.capture import sources
from device.capture.errors import InputError
from device.capture.folder import FolderSource
from device.capture.video import VideoSource
from tests.support.frame_sources import read, settings
from tests.support.videos import VideoMaker


def test_each_kind_of_input_has_its_source(make_video: VideoMaker, tmp_path: Path) -> None:
    video = make_video()
    assert isinstance(sources.open_source(settings(video)), VideoSource)
    (tmp_path / "frames").mkdir()
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[0, 0] = 255
    cv2.imwrite(str(tmp_path / "frames" / "1.png"), picture)
    upside_down = sources.open_source(settings(tmp_path / "frames", rotate_degrees=180))
    assert isinstance(upside_down, FolderSource)
    assert read(upside_down).pictures[0][19, 29, 0] == 255
    with pytest.raises(InputError, match="camera"):
        sources.open_source(settings(tmp_path / "none", kind="camera"))


def test_what_is_loaded_late_can_be_loaded_before() -> None:
    sources.warm_up()
