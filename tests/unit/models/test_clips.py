"""What tracking makes of boxes in videos: two thresholds keep more of a sign than one, and no more of other things."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from device.channel.messages import Box
from models import clips
from models.data import splits
from models.measuring import belief
from models.measuring.belief import Frame, TrackRule
from models.release import shipped
from tests.support import data_sets
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
    assert len(found["looks_per_s"]) == 4
    assert video.name in capsys.readouterr().out


def test_models_that_were_exchanged_are_not_measured(
    make_video: VideoMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(shipped.ARTIFACTS, tmp_path / "models"))
    (folder / "detector.tflite").write_bytes((folder / "classifier.tflite").read_bytes())
    assert clips.main([str(make_video()), "--models", str(folder)]) == 2
    assert "its SHA-256 is" in capsys.readouterr().err


def test_a_sign_is_believed_with_a_sixth_of_the_looks_and_told_by_looks_a_second() -> None:
    frames = [Frame(t, 1280, 720, boxes) for n, t in enumerate(range(0, 1500, 33)) for boxes in [_coming(n)]]
    found = clips.by_rate(frames, BOTH)
    assert list(found) == ["30.3", "15.2", "10.1", "5.05"]
    for row in found.values():
        assert [(told["class"], told["state"]) for told in row["verdicts"]] == [("stop", "UNVERIFIED")]
        assert row["acted_on"] == 1
        assert (row["verdicts"][0]["from"], row["verdicts"][0]["to"]) == (0, pytest.approx(45, abs=5))
    assert found["30.3"]["verdicts_per_1000_frames"] == pytest.approx(1000 / 46)


def _coming(number: int) -> list[Box]:
    side = 36.0 * 1.02**number
    return [Box(400.0 + 2 * number, 200.0, side, side, 0.8, 14, 0.97)]


@pytest.mark.parametrize("given", [[], ["--point", "fast"]])
def test_without_a_video_or_a_data_set_nothing_is_measured(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        clips.main(given)
    assert ended.value.code == 2
    assert "give a video or a data set" in capsys.readouterr().err


def test_passes_need_road_scenes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clips.main(["--gtsrb", str(tmp_path)]) == 2
    assert "passes need road scenes; give --gtsdb as well" in capsys.readouterr().err


def test_the_passes_of_data_sets_are_measured_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A track that no training saw, and an empty scene, by an eye that sees nothing."""
    monkeypatch.setattr(belief, "perception", lambda folder, name: lambda picture: [])
    pytest.importorskip("scipy", reason="intervals need the extra evaluate")
    roads = data_sets.frames(tmp_path / "roads", {0: []})
    kept = sorted(splits.read().tracks)[0]
    class_id, track = (int(part) for part in kept.split("_"))
    crops = data_sets.final_training(tmp_path / "crops", sorted({0, class_id}), tracks=track + 1)
    sources = {"gtsrb": crops, "gtsdb": roads, "foreign": None}
    found = clips.measure_passes(sources, shipped.ARTIFACTS, "fast", drawn_times=0)
    assert list(found) == ["empty scenes", "signs"]
    assert found["signs"]["things"] == 1
    shown = clips.pass_table(found)
    assert [column.header for column in shown.columns][:3] == ["passes, by looks a second", "things", "60"]
    assert shown.row_count == 2
    assert [row["believed"] for row in found["signs"]["looks_per_s"].values()] == [0] * 5


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
