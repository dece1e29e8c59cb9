"""The demo's own files on a disk without room: a sentence, and a status that says so."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from rich.console import Console

from demo import command
from demo.cli import main
from demo.scenes import SceneResult
from hardware.rig import drive
from identity import Home
from wire.errors import UsageError

ROW = SceneResult("honest", "VERIFIED", "stop", "stop", (), True, True, True)


def test_a_picture_that_cannot_be_written_is_told_and_is_no_success(tmp_path: Path) -> None:
    said = io.StringIO()
    console = Console(file=said, width=300)
    assert command._drawn([ROW], tmp_path / "table.svg", console)
    assert "honest" in (tmp_path / "table.svg").read_text()
    assert not command._drawn([ROW], Path("/dev/full"), console)
    assert said.getvalue() == (
        "sealcam: /dev/full cannot be written (No space left on device); free some space on its disk\n"
    )


def test_a_drive_that_does_not_fit_is_told_with_what_to_do(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(drive, "render", full)
    with pytest.raises(UsageError, match="cannot be written") as refusal:
        command._render(home, tmp_path, 1, Console(file=io.StringIO()))
    assert refusal.value.remedy == "free some space on its disk"


def test_one_port_for_page_and_broker_is_refused_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--headless", "--port", "8883", "--broker-port", "8883"]) == 2
    assert "--port and --broker-port are both 8883; give each a port of its own" in capsys.readouterr().err
