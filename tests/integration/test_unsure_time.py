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

    def replay(self, video: Path, gpx: Path, *options: str) -> tuple[list[str], dict[str, Any], str]:
        """States, the summary's `clock`, and what was printed."""
        done: subprocess.CompletedProcess[str] = sealcam(
            self.home, "replay", video, "--gps", gpx, "--out", self.folder / "out", "--json", *options
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
