"""`sealcam replay` as a user runs it: confined processes, the promised files, the same each time."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from identity.home import Home
from tests.support.running import NAMES, replaying, sealcam, status
from tests.support.videos import VideoMaker


def test_the_files_are_as_promised_and_the_same_each_time(home: Home, make_video: VideoMaker, tmp_path: Path) -> None:
    video = make_video(frames=25, size=(640, 360))
    for out in ("one", "two"):
        done = sealcam(home, "replay", video, "--pace", "lockstep", "--out", tmp_path / out, "--json")
        assert done.returncode == 0, done.stderr
    for name in ("verdicts.jsonl", "sightings.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    lines = [json.loads(line) for line in (tmp_path / "one" / "sightings.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(25))
    assert all(line.keys() >= {"frame", "t_ms", "boxes"} for line in lines)
    summary: dict[str, Any] = json.loads((tmp_path / "one" / "summary.json").read_text())
    assert json.loads(done.stdout).keys() == summary.keys()
    assert summary["frames"] == 25 and summary["dropped"] == 0 and summary["complete"] is True
    assert summary.keys() >= {"fps", "latency_ms", "verdicts", "delivered", "receipted", "restarts", "invalid_messages"}
    assert {"capture", "detect", "codes", "verdict"} <= summary["latency_ms"].keys()
    assert all(stage.keys() == {"p50", "p95", "p99"} for stage in summary["latency_ms"].values())
    assert summary["layers"].keys() == NAMES
    assert all(all(layers.values()) and len(layers) == 5 for layers in summary["layers"].values())


def test_each_compartment_is_one_process_with_namespaces_and_filters_of_its_own(
    home: Home, make_video: VideoMaker
) -> None:
    with replaying(home, make_video(frames=150, size=(320, 192)), "--pace", "realtime") as (_, pids):
        for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
            spaces = {name: os.readlink(f"/proc/{pids[name]}/ns/{kind}") for name in NAMES}  # noqa: PTH115
            assert len(set(spaces.values())) == len(NAMES), kind
            assert os.readlink(f"/proc/self/ns/{kind}") not in spaces.values()  # noqa: PTH115
        for name, pid in pids.items():
            told = status(pid)
            assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2"), name
            assert int(told["CapEff"], 16) == 0, name
            if name in NAMES:
                assert {int(told[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}, name


def test_nothing_is_left_running_after_an_interrupt_or_a_kill(home: Home, make_video: VideoMaker) -> None:
    video = make_video(frames=150, size=(320, 192))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with replaying(home, video, "--pace", "realtime") as (process, pids):
            process.send_signal(number)
            process.wait(20)
            for _ in range(100):
                if not any(Path(f"/proc/{pid}").exists() for pid in pids.values()):
                    break
                time.sleep(0.05)
            left = [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()]
            assert not left, (number, left)


QUICK = ("capture", "perception", "sealer")
"""Killed in each run of the tests; the others take as long, and are killed in the nightly ones."""


@pytest.mark.parametrize(
    "victim", [name if name in QUICK else pytest.param(name, marks=pytest.mark.nightly) for name in sorted(NAMES)]
)
def test_a_killed_compartment_is_restarted_and_no_frame_is_lost(
    home: Home, make_video: VideoMaker, tmp_path: Path, victim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALCAM_WARDEN_LEAST_JUDGED_SHARE", "0")  # a reader is away for a good part of four seconds
    video = make_video(frames=40, size=(320, 192))
    with replaying(home, video, "--pace", "realtime", "--out", tmp_path / "out", "--json") as (process, pids):
        os.kill(pids[victim], signal.SIGKILL)
        said, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    summary = json.loads(said)
    assert summary["restarts"][victim] >= 1
    assert all(count == 0 for name, count in summary["restarts"].items() if name != victim)
    assert summary["frames"] == 40


def test_a_camera_faster_than_the_networks_is_judged_evenly_and_told(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    """240 frames a second are more than the detector can look at on any machine of today."""
    video = make_video(frames=600, size=(320, 192), fps=240)
    done = sealcam(home, "replay", video, "--pace", "realtime", "--out", tmp_path, "--json")
    summary = json.loads(done.stdout)
    frames = [json.loads(line)["frame"] for line in (tmp_path / "sightings.jsonl").read_text().splitlines()]
    missed = summary["dropped_by"]["perception"]
    assert summary["frames"] == 600 and set(missed) <= {"skipped", "away"}
    assert len(frames) == 600 - summary["dropped"] and len(frames) >= 8
    assert summary["judged_share"] == pytest.approx(len(frames) / 600, abs=1e-3) and summary["judged_share"] < 0.5
    assert frames[-1] == 599, "the newest frame comes last"
    assert sum(summary["restarts"].values()) == sum(summary["invalid_messages"].values()) == 0
    assert done.returncode == 1 and "judged" in done.stderr


def test_the_stop_sign_of_a_real_drive_is_one_unverified_verdict(home: Home, clips: Path, tmp_path: Path) -> None:
    done = sealcam(home, "replay", clips / "dashcam_stop_sign.mp4", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    assert [(v["state"], v["class_id"], v["class_name"]) for v in verdicts] == [("UNVERIFIED", 14, "stop")]
    sightings = [json.loads(line) for line in (tmp_path / "sightings.jsonl").read_text().splitlines()]
    seen = [any(box["class_id"] == 14 for box in line["boxes"]) for line in sightings[70:109]]
    assert sum(seen) >= 0.8 * len(seen)


@pytest.mark.parametrize("clip", ["kart_dashcam1.mp4", "solidWhiteRight.mp4"])
def test_a_motorway_without_signs_ends_with_hardly_a_false_box_in_a_verdict(
    home: Home, clips: Path, tmp_path: Path, clip: str
) -> None:
    done = sealcam(home, "replay", clips / clip, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    frames = json.loads((tmp_path / "summary.json").read_text())["frames"]
    assert sum(verdict["sightings"] for verdict in verdicts) / frames <= 0.01
