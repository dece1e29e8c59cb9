"""One compartment is taken over, and the whole device runs: what its user is told, and what still holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from identity.home import Home
from tests.support.hostile import Edit, replay, taken_over
from tests.support.videos import VideoMaker

FRAMES = 40


def summary(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return found


def test_as_it_is_the_copy_runs_like_the_original(home: Home, make_video: VideoMaker, tmp_path: Path) -> None:
    """Else the others would show nothing."""
    done = replay(taken_over(tmp_path), home, make_video(frames=FRAMES, size=(320, 192)), "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    told = summary(tmp_path / "out")
    assert (told["frames"], told["promised"], told["complete"]) == (FRAMES, FRAMES, True)
    assert told["judged_shares"] == {"perception": 1.0, "codes": 1.0} and "not_recorded" not in told


def test_a_reader_that_beats_and_answers_nothing_does_not_hang_the_run(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    quiet = Edit(
        "device/perception/service.py",
        "        ready = self._stream.pending\n",
        "        ready = self._stream.pending\n        if ready and ready.frame >= 5:\n            return\n",
    )
    video = make_video(frames=FRAMES, size=(320, 192))
    done = replay(
        taken_over(tmp_path, quiet), home, video, "--out", tmp_path / "out",
        environment={"SEALCAM_WARDEN_STALLED_SECONDS": "2"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "restarted: perception (stalled)" in done.stderr
    assert "perception or capture is at fault" in done.stderr
    assert summary(tmp_path / "out")["complete"] is False


def test_a_capture_that_stops_early_and_says_done_is_held_to_its_promise(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    early = Edit("device/capture/feed.py", "if taken is None:", "if taken is None or taken[0] >= 10:")
    video = make_video(frames=FRAMES, size=(320, 192))
    done = replay(taken_over(tmp_path, early), home, video, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert f"has {FRAMES} frames, and only 10 came" in done.stderr
    assert summary(tmp_path / "out")["complete"] is False


def test_frames_that_do_not_exist_are_not_recorded(home: Home, make_video: VideoMaker, tmp_path: Path) -> None:
    invents = Edit(
        "device/perception/service.py",
        "            self._recorder.post(sightings)\n",
        "            self._recorder.post(sightings)\n"
        "            for n in range(30):\n"
        "                later = Sightings(10_000 + 40 * ready.frame + n, 0, 9, 9, sightings.boxes, point)\n"
        "                self._recorder.try_send(later)\n",
    )
    video = make_video(frames=FRAMES, size=(320, 192))
    done = replay(taken_over(tmp_path, invents), home, video, "--out", tmp_path / "out")
    assert done.returncode == 1 and "were not recorded" in done.stderr
    lines = (tmp_path / "out" / "sightings.jsonl").read_text().splitlines()
    assert [json.loads(line)["frame"] for line in lines] == list(range(FRAMES))
    assert summary(tmp_path / "out")["not_recorded"]["sightings"] > 0


def test_sightings_that_verdict_has_and_the_record_does_not_are_missed(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    silent = Edit(
        "device/perception/service.py",
        "            self._recorder.post(sightings)\n",
        "            self._recorder._put(b'no message') if ready.frame < 10 else None\n",
    )
    video = make_video(frames=FRAMES, size=(320, 192))
    done = replay(taken_over(tmp_path, silent), home, video, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert f"the sightings of {FRAMES} frames did not come to be recorded" in done.stderr
    told = summary(tmp_path / "out")
    assert told["not_recorded"] == {"lacking": FRAMES} and told["invalid_messages"]["perception"] == 10


def test_indicator_can_neither_flood_evidence_out_nor_end_the_run(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    floods = Edit(
        "device/indicator/__main__.py",
        "        nonlocal opened\n",
        "        nonlocal opened\n        while verdict.try_send(Tamper(True, 1)):\n            pass\n",
    )
    video = make_video(frames=FRAMES, size=(320, 192))
    done = replay(taken_over(tmp_path, floods), home, video, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    told = summary(tmp_path / "out")
    assert done.stderr.count("invalid_message: indicator (flood_said_by_verdict)") == 1
    assert told["flooded"]["indicator"] > 100 and told["unsealed"] == {} and told["sealed"] < 40
