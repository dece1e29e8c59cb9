"""`sealcam keys`: what was renewed, until when, and what to restart; and names that are shown as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device import cli
from device.sealer.core import SealedEvent
from device.sealer.spool import Spool
from identity import Home, load
from identity.home import CERTIFICATES
from tests.support.full_disk import files_up_to


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


def test_a_lost_key_of_the_receiver_names_what_it_alone_can_open(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["keys", "init"]) == 0
    sink_key = load.sink_public(home.trust / "sink_hpke.pub").digest
    spool = Spool(home.spool, device_id=home.device_id(), run_id="r", max_bytes=2**20, sink_key=sink_key)
    for number in range(2):
        spool.add(SealedEvent(number, b"x", bytes(32)), None)
    spool.close()
    (home.sink / "hpke.key").unlink()
    capsys.readouterr()
    assert cli.main(["keys", "init"]) == 2
    said = capsys.readouterr().err
    assert "2 envelopes in the spool and what the receiver has stored can be opened with the lost key alone" in said
    assert "restore it from a copy" in said and not (home.sink / "hpke.key").exists()


def test_a_new_home_has_its_spool_while_there_is_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(tmp_path / "new"))
    assert cli.main(["keys", "init"]) == 0
    home = Home(tmp_path / "new")
    sink_key = load.sink_public(home.trust / "sink_hpke.pub").digest
    with files_up_to(0):  # the disk is full when the first drive begins
        Spool(home.spool, device_id=home.device_id(), run_id="r", max_bytes=2**20, sink_key=sink_key).close()


def test_enrolling_another_device_says_whose_keys_it_must_seal_for(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Home(tmp_path / "other")
    other.ensure_development()
    key = load.signing_key(other.device / "signing.key").public_key().public_bytes_raw().hex()
    assert cli.main(["enroll", "--id", other.device_id(), "--public-key", key]) == 0
    said = capsys.readouterr().out
    assert str(home.trust / "sink_hpke.pub") in said and "receipt.pub" in said
    assert cli.main(["enroll"]) == 0
    assert "sink_hpke.pub" not in capsys.readouterr().out
    assert cli.main(["keys", "show"]) == 0
    assert "receiver " not in capsys.readouterr().out
    for name in ("sink_hpke.pub", "receipt.pub"):
        (home.trust / name).write_bytes((other.trust / name).read_bytes())
    assert cli.main(["keys", "show"]) == 0
    assert "receiver          of another home" in capsys.readouterr().out


def test_renewal_says_whose_authorities_it_kept(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Home(tmp_path / "other")
    other.ensure_development()
    with (home.broker / "ca.crt").open("ab") as file:
        file.write((other.broker / "ca.crt").read_bytes())
    assert cli.main(["keys", "renew"]) == 0
    assert f"kept: the authorities of others in {home.broker / 'ca.crt'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["keys", "renew"], ["sign", "issue", "--class", "stop", "--lat", "1", "--lon", "1", "--heading", "1"]]
)
def test_a_clock_of_years_ago_is_refused_with_the_way_round(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("identity.clock.time.time", lambda: 1_325_376_000)
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and "2012-01-01" in err and "timedatectl" in err and "--clock-is-right" in err
