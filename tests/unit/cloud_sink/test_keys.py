"""Enrolled devices come, go and change keys while the receiver runs, without a restart."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud_sink.keys import LOOK_AGAIN_S, EnrolledDevices, sink_keys, tls_context
from identity import Home, KeysError, load


def a_key() -> Ed25519PublicKey:
    return Ed25519PrivateKey.generate().public_key()


def enrol(folder: Path, device_id: str, key: Ed25519PublicKey) -> Path:
    path = folder / f"{device_id}.pub"
    path.write_text(key.public_bytes_raw().hex() + "\n")
    path.chmod(0o600)
    return path


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def later(self) -> None:
        self.now += LOOK_AGAIN_S


OLD, OTHER = a_key(), a_key()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def devices(tmp_path: Path, clock: Clock) -> EnrolledDevices:
    enrol(tmp_path, "cam-one", OLD)
    enrol(tmp_path, "cam-two", OTHER)
    return EnrolledDevices(tmp_path, clock)


def test_a_device_that_is_enrolled_later_is_known_within_a_second(
    devices: EnrolledDevices, tmp_path: Path, clock: Clock
) -> None:
    assert devices.signing_key("cam-new") is None
    key = a_key()
    enrol(tmp_path, "cam-new", key)
    clock.later()
    assert devices.signing_key("cam-new") == key


def test_a_retired_device_is_unknown_within_a_second(devices: EnrolledDevices, tmp_path: Path, clock: Clock) -> None:
    assert devices.signing_key("cam-one") == OLD
    (tmp_path / "cam-one.pub").unlink()
    clock.later()
    assert devices.signing_key("cam-one") is None
    assert devices.names() == ["cam-two"]


def test_a_replaced_key_counts_within_a_second_also_when_the_file_is_changed_in_place(
    devices: EnrolledDevices, tmp_path: Path, clock: Clock
) -> None:
    new = a_key()
    path = tmp_path / "cam-one.pub"
    times = path.stat()
    path.write_text(new.public_bytes_raw().hex() + "\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a careless or hostile copy would
    clock.later()
    assert devices.signing_key("cam-one") == new


def test_a_damaged_key_counts_no_more_and_does_not_keep_a_retired_device_enrolled(
    devices: EnrolledDevices, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "cam-two.pub").write_text("half")
    (tmp_path / "cam-one.pub").unlink()
    clock.later()
    assert devices.signing_key("cam-one") is None
    assert devices.signing_key("cam-two") is None
    enrol(tmp_path, "cam-two", OTHER)
    clock.later()
    assert devices.signing_key("cam-two") == OTHER


def test_a_folder_that_is_gone_enrols_nobody(devices: EnrolledDevices, tmp_path: Path, clock: Clock) -> None:
    tmp_path.rename(tmp_path.with_name("away"))
    clock.later()
    assert devices.signing_key("cam-one") is None


def test_a_flood_of_messages_does_not_make_the_folder_be_read_each_time(
    devices: EnrolledDevices, tmp_path: Path
) -> None:
    (tmp_path / "cam-one.pub").unlink()
    assert devices.signing_key("cam-one") == OLD  # less than a second has passed


def test_at_the_start_a_damaged_key_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cam-one.pub").write_text("half")
    with pytest.raises(KeysError, match="not in hex"):
        EnrolledDevices(tmp_path)


def test_the_folder_is_looked_at_again_after_exactly_a_second(
    devices: EnrolledDevices, tmp_path: Path, clock: Clock
) -> None:
    assert LOOK_AGAIN_S == 1.0
    (tmp_path / "cam-one.pub").unlink()
    clock.now += 0.75
    assert devices.names() == ["cam-one", "cam-two"]
    clock.now += 0.25
    assert devices.names() == ["cam-two"]
    (tmp_path / "cam-two.pub").unlink()
    clock.now += 0.75
    assert devices.names() == ["cam-two"]
    clock.now += 0.25
    assert devices.names() == []


def test_a_damaged_key_is_said_once_and_keeps_nobody_new_out_for_longer(
    devices: EnrolledDevices, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cam-two.pub").write_text("half")
    for _ in range(3):
        clock.later()
        assert devices.names() == ["cam-one"]
    assert caplog.text.count("is refused") == 1
    (tmp_path / "cam-two.pub").unlink()
    enrol(tmp_path, "cam-new", OTHER)
    clock.later()
    assert devices.names() == ["cam-new", "cam-one"]


def test_a_link_in_place_of_a_key_is_noticed_when_it_is_put_there(
    devices: EnrolledDevices, tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "cam-one.pub"
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    clock.later()
    assert devices.signing_key("cam-one") is None


def test_the_receivers_keys_and_its_tls_are_those_of_its_home(home: Home) -> None:
    keys = sink_keys(home.sink)
    assert keys.opening.public == load.sink_public(home.trust / "sink_hpke.pub")
    assert keys.receipts.public_key() == load.public_key(home.trust / "receipt.pub")
    context = tls_context(home.sink)
    assert (context.minimum_version, context.check_hostname) == (ssl.TLSVersion.TLSv1_3, True)
    with pytest.raises(KeysError):
        sink_keys(home.path)
    with pytest.raises(KeysError):
        tls_context(home.path)


def test_a_link_that_leads_nowhere_does_not_blind_the_receiver(
    devices: EnrolledDevices, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "notes").symlink_to(tmp_path / "nowhere")
    clock.later()
    assert devices.names() == ["cam-one", "cam-two"]
    enrol(tmp_path, "cam-new", OTHER)
    clock.later()
    assert devices.names() == ["cam-new", "cam-one", "cam-two"]
