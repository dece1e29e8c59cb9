"""Codes are taken as a user has them: as text, in a file, as a picture; what cannot be taken is told with what can."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from device import cli
from identity import Home

ISSUE = ["sign", "issue", "--class", "stop", "--lat", "52.52001", "--lon", "13.40495", "--heading", "270"]


@pytest.fixture(autouse=True)
def named_home(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def code(capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(ISSUE) == 0
    return capsys.readouterr().out.removesuffix("\n")


@pytest.mark.parametrize("form", ["{}", "{}\n", "\n {} \r\n\n", "\ufeff{}\n", "# codes of 2026\n{}\n"])
def test_a_text_file_is_taken_by_every_command_that_takes_codes(
    code: str, form: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "stop.txt").write_text(form.format(code), encoding="utf-8")
    verified = cli.main(["sign", "verify", "stop.txt"])
    said = capsys.readouterr().out
    assert "authentic, in force" in said and verified == ("#" in form)
    printed = cli.main(["sign", "print", "stop.txt", "--out", "panel.png"])
    built = cli.main(["sign", "register", "build", "stop.txt", "--out", "list.json"])
    assert (printed, built) == ((2, 2) if "#" in form else (0, 0))
    if "#" in form:
        assert "stop.txt, line 1 is refused" in capsys.readouterr().err


def test_a_picture_is_taken_by_every_command_that_takes_codes(
    code: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["sign", "print", code, "--out", "panel.png"]) == 0
    assert cli.main(["sign", "verify", "panel.png"]) == 0
    assert cli.main(["sign", "print", "panel.png", "--out", "again.svg"]) == 0
    assert cli.main(["sign", "register", "build", "panel.png", "--out", "list.json"]) == 0
    assert len(json.loads((tmp_path / "list.json").read_text())) == 1


@pytest.mark.parametrize("command", ["verify", "read", "print", "register build"])
@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_a_drawing_of_a_panel_is_told_and_not_read_as_a_text(
    code: str, kind: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sign", "print", code, "--out", f"panel.{kind}"]) == 0
    capsys.readouterr()
    out = ["--out", "x.svg"] if command == "print" else ["--out", "x.json"] if "build" in command else []
    assert cli.main(["sign", *command.split(), f"panel.{kind}", *out]) == 2
    said = capsys.readouterr().err
    assert f"panel.{kind} is a drawing ({kind.upper()})" in said and "as PNG" in said


@pytest.mark.parametrize("content", [b"hello", b"\x00\x01", b"sr1:lower", b'[{"sign_id": 1}]'])
def test_another_file_is_told_with_what_can_be_given(
    content: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "other").write_bytes(content)
    assert cli.main(["sign", "verify", "other"]) == 2
    said = capsys.readouterr().err
    assert "SR1:" in said and "text file" in said and "PNG" in said


@pytest.mark.parametrize(("typed", "status"), [(b"", 2), (b"\n\n", 2), (b"hello\n", 1), (b"\xff\n", 1)])
def test_standard_input_without_a_code_is_no_traceback(
    typed: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed), "utf-8", "strict"))
    assert cli.main(["sign", "verify", "-"]) == status


def test_several_codes_are_no_panel_and_are_all_verified(
    code: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "two.txt").write_text(f"{code}\n{code}\n")
    assert cli.main(["sign", "print", "two.txt", "--out", "x.svg"]) == 2
    assert "holds 2 codes" in capsys.readouterr().err
    assert cli.main(["sign", "verify", "two.txt"]) == 0
    assert capsys.readouterr().out.count("authentic") == 2


@pytest.mark.parametrize(
    "words",
    [
        ["sign", "print", "codes.svg", "--out", "codes.svg"],
        ["sign", "register", "build", "codes.svg", "--out", "link"],
        ["sign", "register", "sign", "list.json", "--out", "list.json"],
        ["sign", "register", "sign", "list.json", "--key", "my.key", "--out", "my.key"],
    ],
    ids=" ".join,
)
def test_a_result_never_takes_the_place_of_an_input(
    words: list[str], code: str, home: Home, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "codes.svg").write_text(code)
    (tmp_path / "link").hardlink_to(tmp_path / "codes.svg")
    assert cli.main(["sign", "register", "build", "codes.svg", "--out", "list.json"]) == 0
    (tmp_path / "my.key").write_bytes(home.authority_key.read_bytes())
    (tmp_path / "my.key").chmod(0o600)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert cli.main(words) == 2
    assert "would be replaced by what is made of it; choose another --out" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_panel_is_private_does_not_follow_a_link_and_an_older_one_is_told(
    code: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "panel.svg").symlink_to("precious")
    assert cli.main(["sign", "print", code, "--out", "panel.svg"]) == 2
    assert (tmp_path / "precious").read_text() == "precious"
    (tmp_path / "panel.svg").unlink()
    (tmp_path / "panel.svg").write_text("old")
    capsys.readouterr()
    assert cli.main(["sign", "print", code, "--out", "panel.svg"]) == 0
    assert capsys.readouterr().err == "panel.svg: the file that was there is replaced\n"
    assert (tmp_path / "panel.svg").stat().st_mode & 0o777 == 0o600


def test_a_name_that_a_terminal_would_obey_is_written_out_in_a_result(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sign", "print", code, "--out", "a\x1b[2J\n.svg"]) == 0
    assert capsys.readouterr().out.startswith("a\\x1b[2J\\n.svg: QR")


def test_without_pydyf_every_other_panel_is_printed(
    code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pydyf", None)
    assert cli.main(["sign", "print", code, "--out", "panel.svg"]) == 0
    assert cli.main(["sign", "print", code, "--out", "panel.pdf"]) == 2
    assert "pydyf, which writes PDF, cannot be loaded; end the name in .svg or .png" in capsys.readouterr().err
