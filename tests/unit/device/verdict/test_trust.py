"""The trust folder: what is there is taken, what is damaged stops the device, and without it nothing is trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.verdict.trust import Trust, load_trust
from identity.errors import DamagedKeyError
from tests.support.verdict_drive import ANCHORS, AUTHORITY, STRANGER, entry
from wire import register


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one road authority's key."""
    (tmp_path / "authority").mkdir()
    (key_id,) = ANCHORS
    anchor = tmp_path / "authority" / f"{key_id.hex()}.pub"
    anchor.write_text(AUTHORITY.public_key().public_bytes_raw().hex())
    anchor.chmod(0o600)
    return tmp_path


def put(folder: Path, key: object = AUTHORITY) -> None:
    path = folder / "register.cose"
    path.write_bytes(register.issue([entry(90.0)], key))  # type: ignore[arg-type]
    path.chmod(0o600)


def test_without_a_folder_or_its_keys_nothing_is_trusted(tmp_path: Path) -> None:
    assert load_trust(None) == Trust({}, None)
    assert load_trust(tmp_path / "none") == Trust({}, None)
    put(tmp_path)
    assert load_trust(tmp_path) == Trust({}, None)


def test_keys_are_taken_with_and_without_a_register(folder: Path) -> None:
    trust = load_trust(folder)
    assert (list(trust.anchors), trust.register) == (list(ANCHORS), None)
    put(folder)
    trust = load_trust(folder)
    assert list(trust.anchors) == list(ANCHORS)
    assert trust.register is not None
    assert list(trust.register.entries) == [entry(90.0).sign_id]


def test_a_register_of_a_stranger_stops_the_device(folder: Path) -> None:
    put(folder, STRANGER)
    with pytest.raises(DamagedKeyError, match="is refused"):
        load_trust(folder)
