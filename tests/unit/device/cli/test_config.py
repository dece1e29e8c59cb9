"""`sealcam config`: a mistake is status 2 and names the key, and each value that holds has its source."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import msgspec
import pytest

from device import cli
from device.config import Config


def test_a_good_file_is_good_and_a_bad_one_names_its_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[spool]\nmax_mib = 7\n")
    assert cli.main(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: good; 1 key set\n"
    file.write_text("[spool]\nmax_mib = 0\n")
    assert cli.main(["config", "check", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"sealcam: [spool] max_mib in {file}, line 2: expected")


def test_what_is_shown_is_a_configuration_with_each_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[spool]\nmax_mib = 7\n")
    monkeypatch.setenv("SEALCAM_UPLINK_HOST", "broker.example")
    assert cli.main(["config", "show", str(file)]) == 0
    shown = capsys.readouterr().out
    for line in (f"max_mib = 7  # {file}", 'host = "broker.example"  # SEALCAM_UPLINK_HOST', "port = 8883  # default"):
        assert line in shown.splitlines()
    held = msgspec.convert(tomllib.loads(shown), Config)
    assert (held.spool.max_mib, held.uplink.host) == (7, "broker.example")
    assert cli.main(["config", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"] == {"uplink.host": "SEALCAM_UPLINK_HOST"}
