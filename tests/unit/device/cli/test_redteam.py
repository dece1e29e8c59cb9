"""The table of attempts: in a file every name is whole, however narrow the terminal is said to be."""

from __future__ import annotations

import pytest

from device.cli import redteam
from device.redteam.attempts import ALLOWED, ATTEMPTS
from device.redteam.matrix import ALLOWED_BY_POLICY


@pytest.mark.parametrize("columns", ["40", "500"])
def test_names_in_a_file_are_whole(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    redteam._print({compartment: dict.fromkeys(ATTEMPTS, ALLOWED_BY_POLICY) for compartment in ALLOWED})
    table = capsys.readouterr().out
    words = {word.strip() for line in table.splitlines() for word in line.replace("┃", "│").split("│")}
    assert words >= {*ATTEMPTS, *ALLOWED, "by policy"} and "…" not in table
