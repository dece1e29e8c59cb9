"""One honest drive through the whole device, with its own time and with false ones."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from hardware.rig import drive
from identity import load
from identity.home import Home
from tests.support.running import sealcam
from wire import register

HOUR_S = 3600


@dataclass
class Honest:
    """A rendered drive past one honest sign, and the home whose authority signed it."""

    home: Home
    video: Path
    gpx: Path
    folder: Path

    def labelled(self, name: str, later_s: int | None) -> Path:
        """The same pictures with a label that is this much later than the truth; None: without a label."""
        path = self.folder / name
        with av.open(str(self.video)) as source, av.open(str(path), "w") as made:
            if later_s is not None:
                label = datetime.fromisoformat(source.metadata["creation_time"]) + timedelta(seconds=later_s)
                made.metadata["creation_time"] = label.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
            stream = made.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    made.mux(packet)
        return path

    def images(self, every: int) -> Path:
        """Every so manieth picture as an image of its own."""
        folder = self.folder / f"every{every}"
        folder.mkdir()
        with av.open(str(self.video)) as source:
            for number, frame in enumerate(source.decode(video=0)):
                if number % every == 0:
                    cv2.imwrite(str(folder / f"{number:05}.png"), frame.to_ndarray(format="bgr24"))
        return folder

    def fps(self) -> float:
        """Pictures a second."""
        with av.open(str(self.video)) as source:
            rate = source.streams.video[0].average_rate
            assert rate is not None
            return rate.numerator / rate.denominator

    def began(self) -> datetime:
        """When the drive began, as the video says."""
        with av.open(str(self.video)) as source:
            return datetime.fromisoformat(source.metadata["creation_time"])

    def day(self) -> Path:
        """The track, and the vehicle parked for three hours at its end."""
        text = self.gpx.read_text()
        last = re.findall(r"<trkpt.*?</trkpt>", text, re.DOTALL)[-1]
        stamp = re.search(r"<time>([^<]+)</time>", last)
        assert stamp is not None
        at = datetime.fromisoformat(stamp[1])
        parked = (last.replace(stamp[1], (at + timedelta(seconds=s)).isoformat()) for s in range(3, 3 * HOUR_S, 3))
        path = self.folder / "day.gpx"
        path.write_text(text.replace("</trkseg>", "\n".join(parked) + "</trkseg>"))
        return path

    def from_afar(self) -> Path:
        """The track, and twelve seconds of the same straight road before it."""
        text = self.gpx.read_text()
        points = re.findall(r'<trkpt lat="(\S+)" lon="(\S+)">.*?<time>([^<]+)</time>', text, re.DOTALL)
        (lat, lon, stamp), (next_lat, next_lon, next_stamp) = points[0], points[1]
        began = datetime.fromisoformat(stamp)
        step = datetime.fromisoformat(next_stamp) - began
        before = []
        for n in range(round(timedelta(seconds=12) / step), 0, -1):
            there = (float(lat) - n * (float(next_lat) - float(lat)), float(lon) - n * (float(next_lon) - float(lon)))
            at = (began - n * step).isoformat()
            before.append(f'<trkpt lat="{there[0]:.7f}" lon="{there[1]:.7f}"><time>{at}</time></trkpt>')
        path = self.folder / "afar.gpx"
        path.write_text(text.replace("<trkseg>", "<trkseg>" + "\n".join(before)))
        return path

    def replay(self, video: Path, gpx: Path | None, *options: str) -> tuple[list[str], dict[str, Any], str]:
        """States, the summary's `clock`, and what was printed."""
        track = ("--gps", gpx) if gpx is not None else ()
        done: subprocess.CompletedProcess[str] = sealcam(
            self.home, "replay", video, *track, "--out", self.folder / "out", "--json", *options
        )
        assert done.returncode == 0, done.stderr
        lines = (self.folder / "out" / "verdicts.jsonl").read_text().splitlines()
        return [json.loads(line)["state"] for line in lines], json.loads(done.stdout)["clock"], done.stderr


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Honest:
    folder = tmp_path_factory.mktemp("honest")
    home = Home(folder / "home")
    home.ensure_development()
    authority = load.signing_key(home.authority_key)
    now_ms = round(time.time() * 1000)  # a drive of the future would be known to be wrong
    made = drive.render(folder, 5, authority, now_ms, None, names=["honest"])
    signed = register.issue(made.register, authority, issued_at=now_ms // 1000)
    (home.trust / "register.cose").write_bytes(signed)
    return Honest(home, made.video, made.gpx, folder)


def test_its_own_time_verifies_it_and_is_sure(honest: Honest) -> None:
    states, clock, said = honest.replay(honest.video, honest.gpx)
    assert (states, clock["source"], clock["doubts"]) == (["VERIFIED"], "container", [])
    assert "clock_unsure" not in said


def test_local_time_accuses_nobody_and_the_offset_that_is_proposed_sets_it_right(honest: Honest) -> None:
    video, day = honest.labelled("local.mp4", 2 * HOUR_S), honest.day()
    states, clock, said = honest.replay(video, day)
    assert states == ["UNVERIFIED"] and clock["unplaced"] == 1
    assert clock["proposed_offset_s"] == -7200.0 and "--offset -7200 puts the code in place" in said
    assert "clock_unsure: warden (label_unsure)" in said
    assert honest.replay(video, day, "--offset", "-7200")[0] == ["VERIFIED"]


def test_without_a_time_the_start_is_guessed_and_nobody_is_accused(honest: Honest) -> None:
    states, clock, _ = honest.replay(honest.labelled("timeless.mp4", None), honest.gpx)
    assert clock["source"] == "guessed" and states in (["VERIFIED"], ["UNVERIFIED"])


@pytest.mark.parametrize("with_track", [True, False])
def test_a_time_of_the_future_accuses_nobody_and_the_track_is_used_as_far_as_it_goes(
    honest: Honest, with_track: bool
) -> None:
    video = honest.labelled(f"future{with_track}.mp4", 5 * 366 * 24 * HOUR_S)
    states, clock, said = honest.replay(video, honest.gpx if with_track else None)
    assert clock["doubts"][0] in ("time_ahead", "time_impossible") and states[0] in ("VERIFIED", "UNVERIFIED")
    assert (clock["source"], clock["dated"]) == (("guessed", True) if with_track else ("container", False))
    assert with_track or "--video-start TIME" in said


def test_images_at_a_rate_that_nobody_said_accuse_nobody_and_their_rate_verifies_them(
    honest: Honest, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, start = honest.images(2), ("--video-start", honest.began().isoformat())
    states, clock, said = honest.replay(folder, honest.gpx, *start)
    assert states == ["UNVERIFIED"] and clock["unplaced"] == 1 and "SEALCAM_CAMERA_FOLDER_FPS" in said
    monkeypatch.setenv("SEALCAM_CAMERA_FOLDER_FPS", str(honest.fps() / 2))
    assert honest.replay(folder, honest.gpx, *start)[0] == ["VERIFIED"]


def test_a_start_that_is_given_wrong_accuses_nobody_and_the_one_that_fits_is_told(honest: Honest) -> None:
    wrong = honest.began() - timedelta(seconds=8)
    states, clock, said = honest.replay(honest.video, honest.from_afar(), "--video-start", wrong.isoformat())
    assert states == ["UNVERIFIED"] and 5 < clock["proposed_offset_s"] < 11
    assert re.search(r"--video-start \S+Z puts the code in place", said)
