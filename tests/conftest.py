"""Fixtures of many tests: real data where it is there, a data home of their own, small videos made on the spot."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.home import Home
from tests.support import videos
from tests.support.paths import SHARED_DATA
from tests.support.videos import VideoMaker


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> Iterator[None]:
    """Hides the configuration and the data home of the person who runs the tests."""
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
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A development data home to copy; no test changes it.

    It is made once: a home is flushed to the disk file by file, forty times, which takes long on a slow disk. A copy
    is not flushed.
    """
    made = Home(tmp_path_factory.mktemp("made") / "home")
    made.ensure_development()
    return made


@pytest.fixture
def home(made_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A development data home of this test's own, which it may damage."""
    return _copy(made_home, tmp_path_factory)


@pytest.fixture(scope="module")
def shared_home(made_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A development data home for all tests of one module: what one leaves there, the next finds."""
    return _copy(made_home, tmp_path_factory)


def _copy(made: Home, folders: pytest.TempPathFactory) -> Home:
    return Home(shutil.copytree(made.path, folders.mktemp("data") / "home"))


@pytest.fixture
def make_video(tmp_path: Path) -> VideoMaker:
    """Makes a small H.264 video: a grey field with a bright square that moves one step a frame."""
    return videos.maker(tmp_path)
