"""`sealcam spool show` counts what waits, changes nothing, and says so where it cannot look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device import cli
from device.sealer import inventory
from device.sealer.core import SealedEvent
from device.sealer.spool import Spool
from identity.home import Home


@pytest.fixture
def home(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    return home


def opened(home: Home) -> Spool:
    return Spool(home.spool, device_id=home.device_id(), run_id="0" * 32, max_bytes=2**20, sink_key=bytes(32))


def test_what_waits_is_counted(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["spool", "show"]) == 0
    assert capsys.readouterr().out == f"nothing waits in {home.spool}\n"
    spool = opened(home)
    for sequence, size in enumerate((100, 2000, 300)):
        spool.add(SealedEvent(sequence, bytes(size), bytes([sequence]) * 32), None)
    spool.remove(0, bytes(32))
    spool.close()
    for _ in range(2):  # looking changes nothing
        assert cli.main(["spool", "show", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert {name: told[name] for name in ("device_id", "count", "sealed_bytes", "first", "last", "largest")} == {
            "device_id": home.device_id(), "count": 2, "sealed_bytes": 2300, "first": 1, "last": 2, "largest": 2000,
        }  # fmt: skip
        assert told["next_sequence"] == 3
    assert cli.main(["spool", "show"]) == 0
    assert "2 envelopes, 2.2 KiB; the largest 2.0 KiB" in capsys.readouterr().out


def test_what_a_crash_left_in_the_journal_counts_too(home: Home, tmp_path: Path) -> None:
    spool = opened(home)
    spool.add(SealedEvent(0, bytes(10), bytes(32)), None)
    for name in ("spool.db", "spool.db-journal"):  # as a killed process leaves them
        (tmp_path / name).write_bytes((home.spool / name).read_bytes())
    spool.close()
    assert inventory.look(tmp_path).count == 1


def test_a_spool_in_use_or_damaged_is_one_sentence(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    spool = opened(home)
    assert cli.main(["spool", "show"]) == 2
    assert f"the spool in {home.path} is in use" in capsys.readouterr().err
    spool.close()
    (home.spool / "spool.db").write_bytes(b"no database" * 100)
    assert cli.main(["spool", "show"]) == 2
    assert f"the spool in {home.path} is damaged" in capsys.readouterr().err
