"""What tracking makes of boxes in videos: two thresholds keep more of a sign than one, and no more of other things."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from device.channel.messages import Box
from models import clips
from models.clips import Frame, TrackRule
from models.release import shipped
from tests.support.videos import VideoMaker

BOTH, HIGH = TrackRule("both thresholds", 0.2, 0.6), TrackRule("high alone", 0.6, 0.6)


def _approach(scores: list[float]) -> list[Frame]:
    """A stop sign that comes nearer, frame by frame, seen with these scores; 0 is not seen."""
    frames = []
    for number, score in enumerate(scores):
        side = 36.0 * 1.05**number
        boxes = [Box(400.0 + 4 * number, 200.0, side, side, score, 14, 0.97)] if score else []
        frames.append(Frame(number * 66, 1280, 720, boxes))
    return frames


def test_a_sign_that_is_sometimes_sure_is_kept_whole_by_two_thresholds_and_lost_by_the_higher_one() -> None:
    frames = _approach([0.3, 0.7, 0.3, 0.4, 0.8, 0.3, 0.7, 0.3, 0.3, 0.4, 0.3, 0.3])
    both, high = clips.figures(frames, BOTH), clips.figures(frames, HIGH)
    assert [(v["class"], v["boxes"]) for v in both["verdicts"]] == [("stop", 12)]
    assert high["verdicts"] == []
    assert both["boxes_per_frame"] == 1.0
    assert high["boxes_per_frame"] == pytest.approx(3 / 12)


def test_a_track_that_was_never_sure_is_no_verdict() -> None:
    assert clips.figures(_approach([0.3] * 20), BOTH)["verdicts"] == []


def test_a_passing_resemblance_is_no_verdict_by_either_rule() -> None:
    frames = _approach([0.0, 0.0, 0.7, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0])
    for rule in (BOTH, HIGH):
        found = clips.figures(frames, rule)
        assert found["boxes_per_frame_in_verdicts"] == found["verdicts_per_frame"] == 0


def test_a_video_gives_its_figures_for_each_rule(
    make_video: VideoMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, out = make_video(frames=8), tmp_path / "clips.json"
    assert clips.main([str(video), "--json", str(out)]) == 0
    found = json.loads(out.read_text())[video.name]
    assert found["frames"] == 8
    assert list(found["rules"]) == ["both thresholds", "low alone", "high alone"]
    assert video.name in capsys.readouterr().out


def test_models_that_were_exchanged_are_not_measured(
    make_video: VideoMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(shipped.ARTIFACTS, tmp_path / "models"))
    (folder / "detector.tflite").write_bytes((folder / "classifier.tflite").read_bytes())
    assert clips.main([str(make_video()), "--models", str(folder)]) == 2
    assert "its SHA-256 is" in capsys.readouterr().err


def test_videos_of_the_same_name_are_told_apart(make_video: VideoMaker, tmp_path: Path) -> None:
    first = make_video(frames=2)
    second = tmp_path / "second" / first.name
    second.parent.mkdir()
    second.write_bytes(first.read_bytes())
    assert set(clips.measure([first, second], shipped.ARTIFACTS, "fast")) == {str(first), str(second)}


def test_a_file_that_is_not_a_video_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none.mp4").write_bytes(b"no video")
    for path in (tmp_path / "none.mp4", tmp_path / "absent.mp4"):
        assert clips.main([str(path)]) == 2
        assert (
            capsys.readouterr()
            .err.splitlines()[-1]
            .startswith(f"python -m models.clips: {path}: cannot be read as a video")
        )
