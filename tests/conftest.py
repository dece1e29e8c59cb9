"""What many tests need: the real data where it is there, a data home of their own, small videos made on the spot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from device.keys.home import Home

SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> Iterator[None]:
    """No configuration of the person who runs the tests, and no data home of theirs."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("SEALCAM_")}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session")
def clips() -> Path:
    """Real recorded drives; never committed."""
    folder = SHARED_DATA / "clips"
    if not folder.is_dir():
        pytest.skip("the real clips are not beside this checkout (../shared/data/clips)")
    return folder


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A development data home that tests may share."""
    made = Home(tmp_path_factory.mktemp("sealcam") / "home")
    made.ensure_development()
    return made


VideoMaker = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> VideoMaker:
    """Makes a small H.264 video: a grey field with a bright square that moves one step a frame."""

    def make(name: str = "video.mp4", frames: int = 12, size: tuple[int, int] = (160, 96), started: str = "") -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            if started:
                container.metadata["creation_time"] = started
            stream = container.add_stream("libx264", rate=Fraction(10))
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            for number in range(frames):
                picture = np.full((size[1], size[0], 3), 90, np.uint8)
                picture[20:40, 4 * number : 4 * number + 20] = 255
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            container.mux(stream.encode())
        return path

    return make
