"""The budgets of real time and endurance: what keeps them, what does not; and the copies of a drive that they use."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest

from bench import retimed
from bench.slope import Slope
from bench.soak import Glance, grown, growth
from tests.support.videos import VideoMaker, maker

KEPT = Slope("2 cores", 60, 30.0, 29.0, 60.0, 0.48, 0, 30.0, 40.0, 90.0, 4, 4, [], 1)


def test_a_device_that_judges_what_lockstep_does_keeps_the_budgets() -> None:
    assert KEPT.good and KEPT.throughput == pytest.approx(29 / 30)


def test_a_slow_camera_is_compared_with_its_own_rate() -> None:
    assert replace(KEPT, fps=10, judged_fps=9.9).throughput == pytest.approx(0.99)


@pytest.mark.parametrize("change", [{"judged_fps": 26.9}, {"age_p50": 60.0}, {"right": 3}])
def test_each_budget_can_be_missed(change: dict[str, float]) -> None:
    assert not replace(KEPT, **change).good  # type: ignore[arg-type]


def glances(values: list[float], descriptors: int | None = 9) -> list[Glance]:
    return [Glance(float(number), value, descriptors) for number, value in enumerate(values)]


def test_memory_that_grows_after_warming_up_is_noticed_and_warming_up_is_not() -> None:
    warming = [50.0 + 40.0 * min(1.0, number / 20) for number in range(100)]
    assert growth(warming) == pytest.approx(0.0)
    assert grown({"codes": glances(warming)}) == []
    leaking = [50.0 + 0.1 * number for number in range(100)]
    assert grown({"codes": glances(leaking)}) == ["codes has grown by 5.0 MiB"]


def test_descriptors_that_grow_are_noticed_and_hidden_ones_are_not_guessed() -> None:
    seen = [Glance(float(number), 50.0, 9 + number // 60) for number in range(100)]
    assert grown({"uplink": seen}) == ["uplink has 1 descriptors more"]
    assert grown({"uplink": glances([50.0] * 100, None)}) == []


@pytest.fixture
def make_small(tmp_path: Path) -> VideoMaker:
    return maker(tmp_path)


@pytest.mark.parametrize(("fps", "frames"), [(5, 6), (10, 12), (30, 36)])
def test_a_resampled_drive_takes_as_long_as_before(
    make_small: VideoMaker, tmp_path: Path, fps: int, frames: int
) -> None:
    video = make_small(started="2026-11-23T10:00:00.000000Z")  # 12 frames at 10 a second
    assert retimed.resampled(video, tmp_path / "copy.mp4", fps) == frames
    with av.open(str(tmp_path / "copy.mp4")) as copy:
        assert copy.metadata["creation_time"].startswith("2026-11-23T10:00:00")
        times = [float(frame.pts * frame.time_base) for frame in copy.decode(video=0) if frame.pts is not None]
    assert len(times) == frames
    assert [after - before for before, after in pairwise(times)] == pytest.approx([1 / fps] * (frames - 1))


def test_a_looped_drive_goes_on_without_a_jump(make_small: VideoMaker, tmp_path: Path) -> None:
    retimed.looped(make_small(), tmp_path / "long.mp4", 5)
    with av.open(str(tmp_path / "long.mp4")) as copy:
        times = [float(frame.pts * frame.time_base) for frame in copy.decode(video=0) if frame.pts is not None]
    assert len(times) == 60
    assert [after - before for before, after in pairwise(times)] == pytest.approx([0.1] * 59)
