"""What a replay takes, and what it says at its end: true sentences, with remedies that help, unbroken."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from device import cli
from device.cli.replay import keep_inputs, tell
from device.launcher.session import RunOutcome, make_room
from identity.home import Home
from program.errors import OutputRefusedError
from wire.errors import UsageError


def said(*, out: Path | None = None, unknown_keys: int = 0, width: int = 80, **counts: int) -> str:
    summary: dict[str, Any] = {"frames": 10, "fps": 9.0, "verdicts": {}, "sealed": 0, "receipted": 0, "waiting": 0}
    summary |= {"time_line": {"unknown": 0}, "track": None}
    outcome = RunOutcome(0, "", "", summary | counts, unknown_keys=unknown_keys)
    shown = io.StringIO()
    arguments = argparse.Namespace(json=False, out=out)
    tell(outcome, arguments, Console(file=shown, width=width))
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
