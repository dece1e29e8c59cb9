"""Bad input gets status 2 (1 where the run began), one sentence with the remedy, no traceback, and an intact spool."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import sqlite3
import subprocess
from pathlib import Path

import av
import cv2
import pytest

from identity.home import Home
from tests.support import tracks
from tests.support.paths import ARTIFACTS
from tests.support.running import command, refused, sealcam
from tests.support.videos import VideoMaker, film, street

GPX = """<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="52.0" lon="13.0"><time>{0}:00Z</time></trkpt><trkpt lat="52.001" lon="13.0"><time>{0}:30Z</time></trkpt>
</trkseg></trk></gpx>"""


@pytest.fixture
def home(shared_home: Home) -> Home:
    """The same for all of these refusals: the last test looks at the spool that they left."""
    return shared_home


def test_a_missing_video_is_named(home: Home, tmp_path: Path) -> None:
    refused(home, "replay", tmp_path / "none.mp4", said="none.mp4")


def test_an_unreadable_video_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"this is no video")
    refused(home, "replay", tmp_path / "x.mp4", said="x.mp4")


def test_a_pipe_or_a_device_in_place_of_a_video_is_refused_and_not_waited_for(home: Home, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    refused(home, "replay", tmp_path / "pipe.mp4", said="pipe.mp4")
    refused(home, "replay", "/dev/zero", said="/dev/zero")


def test_frames_that_are_too_large_are_refused_before_the_run(home: Home, make_video: VideoMaker) -> None:
    refused(home, "replay", make_video(frames=2, size=(4608, 2592)), said="4608x2592")


def test_an_empty_folder_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    refused(home, "replay", tmp_path / "frames", said="no frames")


def test_a_cut_off_video_ends_with_what_it_gave_and_status_1(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    video = make_video(frames=60, size=(640, 360))
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 4 // 5])
    refused(home, "replay", video, "--out", tmp_path / "out", said="cut off", status=1)
    assert (tmp_path / "out" / "sightings.jsonl").read_text().count("\n") >= 2
    assert (tmp_path / "out" / "summary.json").exists()


def test_a_last_image_of_0_bytes_is_told_and_costs_nothing_else(home: Home, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(8):
        cv2.imwrite(str(frames / f"{number}.jpg"), street(number, 320, 192))
    (frames / "8.jpg").touch()
    (frames / "._7.jpg").write_bytes(b"not a frame")
    for out in ("one", "two"):
        refused(home, "replay", frames, "--out", tmp_path / out, said="frames is damaged: 1 image cannot be", status=1)
    assert (tmp_path / "one" / "sightings.jsonl").read_bytes() == (tmp_path / "two" / "sightings.jsonl").read_bytes()
    summary = json.loads((tmp_path / "one" / "summary.json").read_text())
    assert (summary["frames"], summary["damage"]) == (9, {"images_unreadable": 1})


def test_joined_clips_are_one_drive_and_another_place_has_no_time(home: Home, tmp_path: Path) -> None:
    clips = [(range(15), "a.ts"), (range(15, 30), "b.ts"), (range(90, 100), "c.ts")]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(
        b"".join(
            film(tmp_path / name, (street(n, 320, 192) for n in frames), container="mpegts").read_bytes()
            for frames, name in clips
        )
    )
    done = sealcam(home, "replay", joined, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "the time of 10 frames is not known" in " ".join(done.stderr.split())
    times = [json.loads(line)["t_ms"] for line in (tmp_path / "out" / "sightings.jsonl").read_text().splitlines()]
    assert times[:30] == [100 * n for n in range(30)] and times[30] > times[29] + 1000
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["time_line"] == {"breaks": 2, "guessed": 0, "unknown": 10}


def test_a_video_without_frames_is_named(home: Home, make_video: VideoMaker) -> None:
    video = make_video(frames=30)
    data = video.read_bytes()
    video.write_bytes(data[: data.index(b"mdat") + 4])
    done = sealcam(home, "replay", video)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    assert video.name in done.stderr.strip().splitlines()[-1]


def test_a_track_of_another_day_is_refused(home: Home, make_video: VideoMaker, tmp_path: Path) -> None:
    track = tmp_path / "drive.gpx"
    track.write_text(GPX.format("2026-11-25T10:00"))
    video = make_video(started="2026-11-24T03:04:05Z")
    refused(home, "replay", video, "--gps", track, said="do not overlap")
    assert sealcam(home, "replay", video, "--gps", track, "--video-start", "gps").returncode == 0


def test_what_is_good_of_a_track_is_used_and_the_rest_is_told(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    drive = tracks.but(tracks.drive(30), n7={"text": ""}, n9={"text": "2026-05-04T10:00:02.5Z"})
    files = {"odd.gpx": tracks.gpx(drive)[:-40], "odd.txt": tracks.log(drive[:9], tracks.rmc) + b"$GPRMC,1000"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        done = sealcam(home, "replay", make_video(started="2026-05-04T10:00:02Z"), "--gps", tmp_path / name, "--json")
        assert (done.returncode, done.stderr.count("left out")) == (0, 1), done.stderr
        left_out = json.loads(done.stdout)["track"]["left_out"]
        assert left_out == ({"damaged": 1} if name == "odd.txt" else {"damaged": 1, "no_time": 1, "impossible": 1})


@pytest.mark.parametrize("content", ["", "no xml", "<gpx></gpx>", "<!DOCTYPE x [<!ENTITY a 'a'>]><gpx>&a;</gpx>"])
def test_a_file_that_is_no_track_is_named(home: Home, make_video: VideoMaker, tmp_path: Path, content: str) -> None:
    track = tmp_path / "drive.gpx"
    track.write_text(content)
    refused(home, "replay", make_video(), "--gps", track, said="drive.gpx")


def test_a_missing_track_is_named(home: Home, make_video: VideoMaker, tmp_path: Path) -> None:
    refused(home, "replay", make_video(), "--gps", tmp_path / "none.gpx", said="none.gpx")


def test_an_unknown_key_in_the_configuration_is_named(home: Home, make_video: VideoMaker, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[uplink]\nhosst = 'x'\n")
    refused(home, "replay", make_video(), "--config", tmp_path / "c.toml", said="hosst")
    refused(home, "replay", make_video(), said="SEALCAM_UPLINK_HOSST", SEALCAM_UPLINK_HOSST="x")


@pytest.mark.parametrize("model", ["detector.tflite", "classifier.tflite", "manifest.json"])
def test_a_missing_or_tampered_model_is_refused(home: Home, make_video: VideoMaker, tmp_path: Path, model: str) -> None:
    models = tmp_path / "models"
    shutil.copytree(ARTIFACTS, models)
    data = bytearray((models / model).read_bytes())
    data[len(data) // 2] ^= 1
    if model != "manifest.json":
        (models / model).write_bytes(data)
        refused(home, "replay", make_video(), "--models", models, said=model)
    (models / model).unlink()
    refused(home, "replay", make_video(), "--models", models, said=model)


@pytest.mark.parametrize(("days", "said"), [(-800, "keys renew"), (800, "set this machine's clock")])
def test_a_certificate_out_of_its_time_does_not_stop_the_device(
    make_video: VideoMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, said: str
) -> None:
    """Made in the future, it is what a machine with a clock of years ago sees."""
    import datetime

    import identity.home as homes
    from identity.pki import Authority

    home = Home(tmp_path / "home")
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    real = Authority.create
    with monkeypatch.context() as patch:
        patch.setattr(homes, "Authority", _Old(real, then))
        home.ensure_development()
    broker = {"SEALCAM_UPLINK_HOST": "localhost", "SEALCAM_WARDEN_DELIVER_SECONDS": "1"}
    done = sealcam(home, "replay", make_video(), "--json", **broker)
    assert done.returncode == 0 and said in done.stderr
    summary = json.loads(done.stdout)
    assert summary["frames"] == 12 and summary["sealed"] == summary["waiting"] > 0
    assert not any(summary["restarts"].values())
    assert summary["clock"]["machine_clock_wrong"] is (days > 0)
    if days > 0:  # certificates made by a clock of years ago would be over already
        assert sealcam(home, "keys", "renew").returncode == 2
    by_hand = ("--clock-is-right",) if days > 0 else ()
    assert sealcam(home, "keys", "renew", *by_hand).returncode == 0
    home.check_certificates()


class _Old:
    """Stands in for `Authority`: makes certificates with the dates of long ago."""

    def __init__(self, create: object, then: object) -> None:
        self._create, self._then = create, then

    def create(self, now: object) -> object:
        return _OldIssuer(self._create(self._then), self._then)  # type: ignore[operator]


class _OldIssuer:
    def __init__(self, real: object, then: object) -> None:
        self._real, self._then = real, then

    def issue(self, name: str, role: str, now: object) -> object:
        return self._real.issue(name, role, self._then)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def test_a_missing_camera_is_named(home: Home) -> None:
    refused(home, "run", said="/dev/video99", SEALCAM_CAMERA_DEVICE="/dev/video99")


def test_a_busy_port_is_named(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused(home, "demo", "--headless", "--broker-port", port, said=port)
        refused(home, "demo", "--headless", "--broker-port", "0", "--port", port, said=port)


def test_without_bubblewrap_or_user_namespaces_nothing_starts(
    home: Home, make_video: VideoMaker, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    refusing = tools / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    refusing.chmod(0o755)
    sentence = refused(home, "replay", make_video(), said="user namespaces", PATH=f"{tools}:/usr/bin:/bin")
    assert "sealcam doctor" in sentence


def test_where_the_kernel_refuses_user_namespaces_nothing_starts(home: Home, make_video: VideoMaker) -> None:
    """For real: inside a user namespace in which no further user namespace is allowed."""
    none_allowed = "echo 0 > /proc/sys/user/max_user_namespaces && exec "
    words = " ".join(map(shlex.quote, command("replay", make_video())))
    unshare = ["unshare", "-Ur", "sh", "-c"]
    if subprocess.run([*unshare, f"{none_allowed} true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("user namespaces cannot be limited here")
    environment = {**os.environ, "SEALCAM_HOME": str(home.path)}
    done = subprocess.run(
        [*unshare, none_allowed + words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "user namespaces" in done.stderr.strip().splitlines()[-1]


def test_the_spool_is_intact_after_all_these_refusals(home: Home) -> None:
    with sqlite3.connect(f"file:{home.spool / 'spool.db'}?mode=ro", uri=True) as spool:
        assert spool.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("replay",),
        ("replay", "x.mp4", "--pace", "never"),
        ("replay", "x.mp4", "--video-start", "soon"),
    ],
)
def test_a_wrong_command_line_is_status_2(home: Home, arguments: tuple[str, ...]) -> None:
    done = sealcam(home, *arguments)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_film_beside_subtitles_is_judged_and_subtitles_alone_are_no_film(home: Home, tmp_path: Path) -> None:
    beside, alone = tmp_path / "film.mkv", tmp_path / "alone.srt"
    alone.write_text("1\n00:00:00,000 --> 00:00:02,000\n50 km/h\n")
    with av.open(str(alone)) as words, av.open(str(beside), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        told = container.add_stream_from_template(words.streams.subtitles[0])
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(320, 192, "yuv420p")))
        container.mux(stream.encode())
        for packet in words.demux(words.streams.subtitles[0]):
            if packet.dts is not None:
                packet.stream = told
                container.mux(packet)
    done = sealcam(home, "replay", beside)
    assert done.returncode == 0 and "5 frames" in done.stdout, done.stderr
    refused(home, "replay", alone, said="holds no video stream")
