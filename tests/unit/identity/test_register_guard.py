"""Once a register was used, an older register is refused, and so is a missing register."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from identity import Home
from identity.errors import DamagedKeyError, MissingKeyError, RegisterRollbackError, UnrememberedRegisterError
from identity.register_guard import SEEN, check
from tests.support.full_disk import files_up_to
from tests.support.wire_samples import AUTHORITY, STRANGER
from wire import cose, register
from wire.register import RegisterEntry

ENTRY = RegisterEntry(b"\x01" * 8, 14, 52.5, 13.4, 90.0, 0, 2**33)


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    anchors = tmp_path / "authority"
    anchors.mkdir(mode=0o700)
    key = AUTHORITY.public_key()
    anchor = anchors / f"{cose.key_id(key).hex()}.pub"
    anchor.write_text(key.public_bytes_raw().hex())
    anchor.chmod(0o600)
    return tmp_path


def put(trust: Path, issued_at: int, key: object = AUTHORITY) -> None:
    path = trust / "register.cose"
    path.write_bytes(register.issue([ENTRY], key, issued_at=issued_at))  # type: ignore[arg-type]
    path.chmod(0o600)


def test_an_older_register_is_refused_with_the_remedy_and_a_newer_register_is_taken(trust: Path) -> None:
    put(trust, 2_000)
    assert check(trust) == 2_000
    put(trust, 1_999)
    with pytest.raises(RegisterRollbackError, match=r"older.*get the newest.*register\.seen"):
        check(trust)
    with pytest.raises(RegisterRollbackError):  # it stays refused
        check(trust)
    put(trust, 2_000)
    assert check(trust) == 2_000
    put(trust, 3_000)
    assert check(trust) == 3_000


def test_of_two_registers_of_one_second_only_the_one_that_was_used_is_taken(trust: Path) -> None:
    put(trust, 2_000)
    check(trust)
    other = replace(ENTRY, revoked=True)
    (trust / "register.cose").write_bytes(register.issue([other], AUTHORITY, issued_at=2_000))
    with pytest.raises(RegisterRollbackError, match=r"same time.*1970-01-01T00:33:20Z.*register\.seen"):
        check(trust)
    put(trust, 2_000)
    assert check(trust) == 2_000


def test_what_an_earlier_version_remembered_counts(trust: Path) -> None:
    put(trust, 2_000)
    (trust / SEEN).write_bytes(b"2000\n")
    (trust / SEEN).chmod(0o600)
    assert check(trust) == 2_000
    put(trust, 1_999)
    with pytest.raises(RegisterRollbackError, match="older"):
        check(trust)


def test_a_register_that_is_gone_is_refused_but_to_have_none_is_allowed(trust: Path) -> None:
    assert check(trust) is None
    put(trust, 2_000)
    check(trust)
    (trust / "register.cose").unlink()
    with pytest.raises(RegisterRollbackError, match="is gone"):
        check(trust)


def test_a_register_of_a_stranger_is_refused_and_not_remembered(trust: Path) -> None:
    put(trust, 9_000, STRANGER)
    with pytest.raises(DamagedKeyError, match="refused"):
        check(trust)
    put(trust, 2_000)
    assert check(trust) == 2_000


def test_the_remembered_time_is_private_and_damage_to_it_is_reported(trust: Path) -> None:
    put(trust, 2_000)
    check(trust)
    assert stat.S_IMODE((trust / SEEN).stat().st_mode) == 0o600
    for junk in (b"", b"-5\n", b"2e3\n", b"9" * 31, "٣".encode()):
        (trust / SEEN).write_bytes(junk)
        with pytest.raises(DamagedKeyError, match=r"register\.seen"):
            check(trust)


def test_without_trust_anchors_no_register_is_taken(trust: Path) -> None:
    put(trust, 2_000)
    (trust / "authority").rename(trust / "away")
    with pytest.raises(MissingKeyError):
        check(trust)


def test_a_home_does_not_make_a_register_in_place_of_one_that_was_used(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure_development()
    assert check(home.trust) is not None
    (home.trust / "register.cose").unlink()
    home.ensure_development()
    with pytest.raises(RegisterRollbackError, match="is gone"):
        check(home.trust)


def test_a_good_register_on_a_full_disk_is_told_as_that_and_can_be_used(trust: Path) -> None:
    put(trust, 2_000)
    with files_up_to(0), pytest.raises(UnrememberedRegisterError, match=r"register\.seen cannot be written") as told:
        check(trust)
    assert told.value.issued_at == 2_000 and not (trust / SEEN).exists()
    assert check(trust) == 2_000
    put(trust, 1_999)
    with files_up_to(0), pytest.raises(RegisterRollbackError):  # which is never excused
        check(trust)
