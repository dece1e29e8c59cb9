"""What a command found or made is on standard output, with `--json` as JSON alone. Tried over every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo import command as demo
from device import cli
from identity import Home
from tests.support.commands import leaves

LEAVES = dict(leaves(cli.parser((demo, *cli.COMMANDS))))
ISSUE = ["--class", "stop", "--lat", "52.5", "--lon", "13.4", "--heading", "270"]
QUICK: dict[tuple[str, ...], list[str]] = {
    ("doctor",): [],
    ("sign", "issue"): ISSUE,
    ("sign", "print"): ["code.txt", "--out", "panel.svg"],
    ("sign", "read"): ["panel.png"],
    ("sign", "verify"): ["code.txt"],
    ("sign", "classes"): [],
    ("sign", "register", "build"): ["code.txt", "--out", "list.json"],
    ("sign", "register", "sign"): ["given.json"],
    ("sign", "register", "show"): [],
    ("keys", "init"): [],
    ("keys", "show"): [],
    ("keys", "renew"): [],
    ("enroll",): [],
    ("config", "check"): [],
    ("config", "show"): [],
    ("spool", "show"): [],
}
"""Command -> arguments with which it ends well, at once."""
RUNS = {("demo",), ("replay",), ("run",), ("redteam",)}
"""What starts compartments: tried in the integration tests."""


@pytest.fixture(autouse=True)
def given(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sign", "issue", *ISSUE]) == 0
    Path("code.txt").write_text(capsys.readouterr().out)
    assert cli.main(["sign", "print", "code.txt", "--out", "panel.png"]) == 0
    assert cli.main(["sign", "register", "build", "code.txt", "--out", "given.json"]) == 0
    capsys.readouterr()


def test_every_command_is_tried() -> None:
    assert QUICK.keys() | RUNS == LEAVES.keys()


@pytest.mark.parametrize("path", QUICK, ids=" ".join)
def test_a_result_is_on_standard_output_and_nothing_else_is_said(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*path, *QUICK[path]]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("\n") and "\n\n" not in out and err == ""


@pytest.mark.parametrize("path", QUICK, ids=" ".join)
def test_with_json_there_is_nothing_but_json(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    if "--json" not in LEAVES[path].format_help():
        assert path[:2] == ("sign", "register"), "a command whose result is no file has --json"
        return
    assert cli.main([*path, *QUICK[path], "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) and err == ""
