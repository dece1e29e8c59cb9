"""`sealcam keys`: what was renewed, until when, and what to restart; and names that are shown as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device import cli
from identity import Home, load
from identity.home import CERTIFICATES


@pytest.fixture(autouse=True)
def named_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))


def test_renew_says_what_is_new_until_when_what_stays_and_what_to_restart(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: (home.path / name).read_bytes() for name in CERTIFICATES}
    assert cli.main(["keys", "renew"]) == 0
    out, err = capsys.readouterr()
    until = min(load.certificate_any_time(home.path / name).not_valid_after_utc for name in CERTIFICATES)
    assert f"renewed in {home.path}" in out and f"valid until {until:%Y-%m-%dT%H:%M:%SZ}" in out and err == ""
    for word in ("identities", "enrolled devices", "spool", "sealcam-sink broker", "sealcam-sink serve", "device"):
        assert word in out
    assert all((home.path / name).read_bytes() != content for name, content in before.items())


def test_renew_with_json_prints_the_facts_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keys", "renew", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["certificates_valid_until"].keys() == set(CERTIFICATES) and err == ""


def test_a_home_whose_name_a_terminal_would_obey_is_written_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(tmp_path / "a\x1b[2J"))
    assert cli.main(["keys", "init"]) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err and "a\\x1b[2J" in out and "a\\x1b[2J" in err
