"""What a replay takes, and what it says at its end: true sentences, with remedies that help, unbroken."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from device import cli
from device.cli.recording import input_kind, keep_inputs
from device.cli.replay import results_console, tell
from device.launcher.session import RESULTS, RunOutcome, make_room
from identity.home import Home
from program.errors import OutputRefusedError
from wire.errors import UsageError


def said(*, out: Path | None = None, unknown_keys: int = 0, width: int = 80, **counts: int) -> str:
    summary: dict[str, Any] = {"frames": 10, "fps": 9.0, "verdicts": {}, "sealed": 0, "receipted": 0, "waiting": 0}
    summary |= {"time_line": {"unknown": 0}, "track": None, "pictures": None}
    outcome = RunOutcome(0, "", "", summary | counts, reasons={"code_key_unknown": unknown_keys})
    shown = io.StringIO()
    console = Console(file=shown, width=width)
    tell(outcome, argparse.Namespace(json=False, out=out), console, console)
    return shown.getvalue()


@pytest.mark.parametrize(
    ("sealed", "receipted", "waiting", "sentence"),
    [
        (10, 10, 0, "10 of 10 events receipted"),
        (10, 4, 6, "4 of 10 events receipted"),
        (10, 66, 0, "10 events sealed, 56 waited from earlier runs, 66 of both receipted"),
        (10, 5, 61, "10 events sealed, 56 waited from earlier runs, 5 of both receipted"),
        (10, 0, 10, "0 of 10 events receipted"),
        (1, 0, 1, "0 of 1 event receipted"),
        (1, 0, 2, "1 event sealed, 1 waited from earlier runs, 0 of both receipted"),
    ],
)
def test_events_of_earlier_runs_are_counted_apart(sealed: int, receipted: int, waiting: int, sentence: str) -> None:
    first = said(sealed=sealed, receipted=receipted, waiting=waiting).splitlines()[0]
    assert first.endswith(f"; {sentence}")


@pytest.mark.parametrize(("count", "begins"), [(1, "1 code names a road authority"), (8, "8 codes name a road")])
def test_codes_of_another_authority_are_told_and_not_only_forged(count: int, begins: str) -> None:
    lines = said(unknown_keys=count).splitlines()
    assert [line for line in lines if line.startswith(begins) and "SEALCAM_HOME" in line]
    assert "authority" not in said(unknown_keys=0)


@pytest.mark.parametrize("width", [20, 80])
def test_a_path_is_neither_broken_nor_taken_for_markup(width: int, tmp_path: Path) -> None:
    out = tmp_path / ("[red]" + "long " * 30)
    out.mkdir()
    assert "written" not in said(out=out, width=width)  # no file is named that is not there
    for name in RESULTS:
        (out / name).touch()
    assert f"written: {out}/verdicts.jsonl, sightings.jsonl, summary.json" in said(out=out, width=width).splitlines()


def test_an_input_is_never_replaced_by_a_result(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / "same").symlink_to("summary.json")
    keep_inputs(tmp_path, [tmp_path / "other", None])
    for path in (tmp_path / "summary.json", tmp_path / "same", tmp_path / "." / "summary.json"):
        with pytest.raises(UsageError, match="would be replaced"):
            keep_inputs(tmp_path, [path])


def test_old_results_go_only_if_all_of_them_can(tmp_path: Path) -> None:
    for name in ("verdicts.jsonl", "sightings.jsonl"):
        (tmp_path / name).write_text("old")
    (tmp_path / "summary.json").mkdir()
    with pytest.raises(OutputRefusedError, match=r"summary\.json is a folder"):
        make_room(tmp_path)
    assert (tmp_path / "verdicts.jsonl").read_text() == "old"


@pytest.mark.parametrize(
    "words",
    [
        ["replay", ""],
        ["replay", " "],
        ["replay", "x.mp4", "--gps", ""],
        ["replay", "x.mp4", "--out", ""],
        ["replay", "x.mp4", "--config", ""],
        ["run", "--out", ""],
    ],
)
def test_an_empty_name_does_not_mean_the_current_folder(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "the name is empty" in capsys.readouterr().err


def test_an_out_that_is_a_file_is_named(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    (tmp_path / "x.mp4").write_bytes(b"x")
    (tmp_path / "out").write_bytes(b"precious")
    assert cli.main(["replay", str(tmp_path / "x.mp4"), "--out", str(tmp_path / "out")]) == 2
    assert "is no folder; name a folder" in capsys.readouterr().err
    assert (tmp_path / "out").read_bytes() == b"precious"


def test_a_single_thing_is_no_plural() -> None:
    lines = said(frames=1, sealed=1, receipted=0, waiting=1).splitlines()
    assert lines[0] == "1 frame at 9.0 fps; no verdict; 0 of 1 event receipted"


def test_what_was_found_is_a_result_and_what_is_said_about_it_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = {"frames": 10, "fps": 9.0, "verdicts": {"FORGED": 1}, "sealed": 3, "receipted": 0, "waiting": 3}
    summary |= {"time_line": {"unknown": 2}, "track": None, "pictures": None}
    outcome = RunOutcome(1, "it is wrong", "mend it", summary, reasons={"code_key_unknown": 1}, notes=["a note"])
    (tmp_path / "summary.json").touch()
    for as_json in (False, True):
        arguments = argparse.Namespace(json=as_json, out=tmp_path, input=tmp_path / "clip.mp4")
        console = Console(stderr=True)
        tell(outcome, arguments, console, results_console(arguments, console))
        out, err = capsys.readouterr()
        assert err.endswith("sealcam: it is wrong; mend it\n") and "a note" in err
        if as_json:
            assert json.loads(out) == summary and "written: " in err and "1 FORGED" in err
        else:
            assert [line.split()[0] for line in out.splitlines()] == ["10", "written:"] and "written: " not in err


def replay(home: Home, monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    return cli.main(["replay", *map(str, words)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--video-start", "gps"], "--video-start gps: there is no track to begin with; give it with --gps"),
        (["--annotate", "x.avi"], "an annotated video is an MP4 file, whatever its name; write --annotate x.mp4"),
        (["--annotate", "no ending"], "write --annotate 'no ending.mp4'"),
        (["--annotate", "clip.mp4"], "clip.mp4 would be replaced by what is made of it; choose another --annotate"),
        (["--annotate", "link.mp4"], "would be replaced by what is made of it; choose another --annotate"),
        (["--annotate", "none/x.mp4"], "choose another --annotate"),
        (["--annotate", "clip.mp4/x.mp4"], "choose another --annotate"),
        (["--gps", "nowhere.gpx"], "--gps nowhere.gpx is not there"),
        (["--gps", "."], "--gps . is a folder"),
        (["--out", "clip.mp4"], "is no folder; name a folder"),
        (["--out", "clip.mp4/out"], "cannot be written (Not a directory)"),
        (["--config", "."], "the configuration . cannot be read (Is a directory)"),
        (["--offset", "1", "--video-start", "2026-01-01"], "exclude each other"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_would_have_no_effect_or_do_harm_is_refused_before_anything_runs(
    words: list[str],
    said: str,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").write_bytes(b"a clip")
    Path("link.mp4").hardlink_to("clip.mp4")
    assert replay(home, monkeypatch, "clip.mp4", *words) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.count("\n") == 1 and captured.out == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(
        ("clip.mp4", "link.mp4"), b"a clip"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'<?xml version="1.0"?>\n<gpx version="1.1">', "is a track, no video; give the video, and --gps {}"),
        (b"\xef\xbb\xbf <gpx>", "is a track"),
        (b'<?xml version="1.0"?><!-- a logger --><g:gpx xmlns:g="x">', "is a track"),
        (b"$GPRMC,120000,A,", "is a track"),
        (b"\r\n$GNGGA,120000,", "is a track"),
        (b"", "is empty"),
    ],
)
def test_a_track_or_nothing_in_the_place_of_the_video_is_told(
    content: bytes,
    said: str,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "drive"
    path.write_bytes(content)
    assert replay(home, monkeypatch, path) == 2
    assert said.format(path) in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"\x00\x00\x00\x18ftypmp42", b"RIFF", b"<svg>", b"$ANYTHING", b"<?xml?><html>"])
def test_what_is_no_track_is_left_to_the_decoder(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    assert input_kind(tmp_path / "x") == "video"


def test_a_dash_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["replay", "-"], ["replay", "x.mp4", "--out", "-"], ["config", "check", "-"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 2
        assert "a standard stream) is not taken here" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["sign", "classes"], ["keys", "show"]])
def test_a_misspelt_variable_is_told_once_by_a_command_that_reads_no_configuration(
    command: list[str], home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    monkeypatch.setenv("SEALCAM_UPLINK_HOST", "broker.example")
    monkeypatch.setenv("SEALCAM_HOEM", "/x")
    assert cli.main(command) == 0
    assert capsys.readouterr().err == (
        "sealcam: SEALCAM_HOEM is no variable of Sealcam and does nothing; did you mean SEALCAM_HOME?\n"
    )


def test_a_misspelt_variable_is_refused_by_a_command_that_reads_the_configuration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALCAM_HOEM", "/x")
    for words in (["replay", "x"], ["run"], ["doctor"], ["config", "check"]):
        assert cli.main(words) == 2
        assert capsys.readouterr().err.count("did you mean SEALCAM_HOME?") == 1


@pytest.mark.parametrize(
    ("more", "folder", "says"),
    [
        ({}, True, "nobody says at which rate"),
        ({"sets": 2}, True, "their names do not tell in which order"),
        ({"counter": "unknown"}, True, "their names do not tell in which order"),
        ({"counter": "over"}, True, "nobody says at which rate"),
        ({"holes": 1}, False, "the time stamps of the input are missing"),
    ],
)
def test_why_the_time_of_frames_is_not_known_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, object], folder: bool, says: str
) -> None:
    summary = {"frames": 10, "fps": 9.0, "verdicts": {}, "sealed": 3, "receipted": 0, "waiting": 3}
    summary |= {"time_line": {"unknown": 2} | more, "track": None, "pictures": None}
    arguments = argparse.Namespace(json=False, out=None, input=tmp_path if folder else tmp_path / "clip.mp4")
    console = Console(stderr=True, width=400)
    tell(RunOutcome(0, "", "", summary), arguments, console, results_console(arguments, console))
    assert f"the time of 2 frames is not known, so that no code in them is placed: {says}" in capsys.readouterr().err
