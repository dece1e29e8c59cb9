"""What a user sees: a name from a stranger is obeyed by no terminal, an overload is told in words."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

from device import cli
from device.channel.messages import Message, Verdict
from device.cli.show import OVERLOAD_WORDS, ProgressView, RunView
from device.config import UplinkConfig
from device.launcher.report import Incident, Notice, Progress
from device.warden.workload import Word

ESCAPE = "\x1b]0;title\x07\x1b[2J"


@pytest.mark.parametrize("name", [f"{ESCAPE}.mp4", "[/red].mp4", "[link=http://evil.example]x.mp4", "a\u202e4pm.exe"])
def test_the_progress_line_shows_a_name_as_it_is(name: str) -> None:
    shown = io.StringIO()
    with RunView(f"replay {name}", Console(file=shown, force_terminal=True, width=200)):
        pass
    said = shown.getvalue()
    assert not any(part in said for part in ("\x1b]", "\x1b[2J", "\x07", "\u202e"))
    assert name.startswith("\x1b") or name.replace("\u202e", "\\u202e") in said


@pytest.mark.parametrize("name", [f"{ESCAPE}.mp4".encode(), b"\xff.mp4"])
def test_what_is_wrong_with_a_file_is_said_without_what_a_terminal_obeys(
    name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(tmp_path / "home"))
    path = Path(os.fsdecode(bytes(tmp_path) + b"/" + name))
    if not name.startswith(b"\x1b"):
        path.write_bytes(b"")  # it is there, but its name cannot be handed over
    assert cli.main(["replay", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("sealcam: ") and said.rstrip("\n").isprintable()


def shown(*messages: Message) -> str:
    """What a terminal of 200 columns was sent."""
    screen = io.StringIO()
    with RunView("camera", Console(file=screen, force_terminal=True, width=200)) as view:
        for message in messages:
            view.watch(message)
        view._progress.refresh()
    return screen.getvalue()


def sending(*reports: Progress, host: str = "broker.example", terminal: bool = False) -> str:
    screen = io.StringIO()
    with RunView("x", Console(file=screen, force_terminal=terminal, width=200), uplink=UplinkConfig(host)) as view:
        for report in reports:
            view.watch(report)
        view._progress.refresh()
    return screen.getvalue()


def test_a_wait_for_receipts_is_told_once_with_the_broker_and_how_to_end_it() -> None:
    reports = [Progress(90, 90, 10, 0, waiting=10, delivering_seconds=s) for s in (0.2, 1.0, 2.0)]
    assert sending(reports[0]) == ""
    told = "sending 10 events to broker.example:8883; Ctrl-C ends the wait and keeps what has no receipt\n"
    assert sending(*reports) == told
    assert "sending 1 event to" in sending(Progress(9, 9, 1, 0, waiting=1, delivering_seconds=1.0))
    assert "sending 10 events to" in sending(*reports, terminal=True)
    assert sending(*reports, host="") == sending(Progress(9, 9, 1, 1, delivering_seconds=1.0)) == ""


def test_a_share_of_judged_frames_is_shown_while_frames_are_skipped() -> None:
    assert "judged 31% of the frames" in shown(Progress(90, 0, 1, 0, 0.31))
    assert "judged" not in shown(Progress(90, 0, 1, 0, 0.99))


@pytest.mark.parametrize("detail", OVERLOAD_WORDS)
def test_an_overload_is_a_line_in_words(detail: str) -> None:
    said = shown(Incident("overload", "perception", detail))
    assert "overload" in said and OVERLOAD_WORDS[detail] in said and detail not in said


def test_every_word_of_an_overload_has_its_line() -> None:
    assert set(OVERLOAD_WORDS) == set(get_args(Word))


def test_what_must_be_known_at_once_is_a_line_of_its_own_and_nothing_that_a_terminal_obeys() -> None:
    shown = io.StringIO()
    with RunView("replay x", Console(file=shown, width=60)) as view:
        view.watch(
            Notice(f"the disk of the spool in /h[red]{ESCAPE} is full: verdicts are not stored", "free some space")
        )
        view.watch(Notice("the spool takes events again", ""))
    lines = [line for line in shown.getvalue().splitlines() if line.startswith("sealcam: ")]
    assert lines == [
        "sealcam: the disk of the spool in /h[red]\\x1b]0;title\\x07\\x1b[2J is full: verdicts are not stored; "
        "free some space",
        "sealcam: the spool takes events again",
    ]


def test_verdicts_are_results_and_the_rest_is_not_also_while_a_bar_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict("v1", "FORGED", None, 14, 0.5, 1, 9, 0, 8, None, None, ["code_forged"])
    bar = io.StringIO()
    with RunView("x", Console(file=bar, force_terminal=True, width=100), Console()) as view:
        view.watch(verdict)
        view.watch(Incident("overload", "perception", "few_judged"))
    assert capsys.readouterr().out == "FORGED       held: -; perceived: stop; frames 1-9\n"
    assert "overload" in bar.getvalue() and "FORGED" not in bar.getvalue()


def test_a_file_gets_no_bar_and_no_empty_line() -> None:
    for view in (RunView, ProgressView):
        shown = io.StringIO()
        with view("x", Console(file=shown)) as bar:
            bar.progress(1, 2)
        assert shown.getvalue() == ""
