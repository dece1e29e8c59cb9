"""doctor says of each thing that the device needs whether it is there, and a remedy that works where it is not."""

from __future__ import annotations

import errno
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from device import cli
from device.cli import doctor
from device.cli.doctor import installation, surroundings
from device.cli.doctor.check import Check, Looks
from device.config import CameraConfig, Config, IndicatorConfig, ModelsConfig, UplinkConfig
from device.sealer.core import SealedEvent
from device.sealer.spool import Spool
from device.uplink.refusal import Refusal
from device.warden.refusals import words
from identity.home import Home
from identity.pki import VALID_DAYS
from identity.register_guard import SEEN
from wire.envelope import digest


def looks(home: Home, *, named: tuple[str, ...] = (), **sections: msgspec.Struct) -> Looks:
    return Looks(msgspec.structs.replace(Config(), **sections), frozenset(named), home)


def test_each_check_has_a_remedy_where_it_is_not_good(home: Home, tmp_path: Path) -> None:
    for where in (home, Home(tmp_path / "none")):
        checks = [check(looks(where)) for check in doctor.CHECKS]
        assert len({check.name for check in checks}) == len(checks)
        assert [check.name for check in checks if not check.good and not check.remedy] == []


def test_doctor_ends_with_1_where_something_that_is_needed_is_missing(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    assert cli.main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.keys() >= {"machine", "kernel", "python", "checks"}
    assert all(check.keys() >= {"name", "good", "found", "remedy", "required"} for check in told["checks"])
    monkeypatch.setenv("SEALCAM_HOME", str(tmp_path / "none"))
    assert cli.main(["doctor"]) == 1
    assert "MISSING  keys: there is no data home at" in (said := capsys.readouterr().out)
    assert "optional certificates: none without a data home" in said
    assert said.splitlines()[-1] == "not ready: keys (see MISSING above)"


def test_models_that_another_key_signed_are_missing(home: Home) -> None:
    assert installation._models(looks(home)).good
    found = installation._models(looks(home, models=ModelsConfig(release_key="/nonexistent/key.pub")))
    assert not found.good and found.required


def test_keys_without_an_authority_are_told_and_do_not_stop_the_device(home: Home) -> None:
    assert installation._keys(looks(home)).found.startswith(f"{home.device_id()} in {home.path}, 1 trusted")
    next((home.trust / "authority").iterdir()).unlink()
    for name in ("register.cose", SEEN):
        (home.trust / name).unlink()
    found = installation._keys(looks(home))
    assert (found.good, found.required) == (False, False)


@pytest.mark.parametrize(("host", "required"), [("", False), ("broker.example", True)])
@pytest.mark.parametrize(
    ("days", "good", "said"),
    [(0, True, "valid until"), (VALID_DAYS - 5, True, "renew them soon"), (366, False, "expired")],
)
def test_certificates_are_needed_where_a_broker_is_configured(
    host: str, required: bool, days: int, good: bool, said: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime

    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    real = installation.load.certificate
    monkeypatch.setattr(installation.load, "certificate", lambda path: real(path, later))
    monkeypatch.setattr(installation, "_now", lambda: later)
    found = installation._certificates(looks(home, uplink=UplinkConfig(host)))
    assert (found.good, said in found.found) == (good, True), found
    assert good or found.required is required


def test_a_clock_before_what_the_keys_know_is_wrong(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert installation._clock(looks(home)).found
    monkeypatch.setattr(installation.time, "time", lambda: 1_335_000_000.0)  # 2012: no hardware clock, no network
    found = installation._clock(looks(home))
    assert (found.good, found.required) == (False, True)
    assert found.found.startswith("2012-04-21") and "of which the keys or this release know" in found.found


@pytest.mark.parametrize(
    ("free", "good", "required"), [(2**40, True, True), (100 * 2**20, False, False), (5 * 2**20, False, True)]
)
def test_a_disk_that_the_spool_could_fill_is_told(
    free: int, good: bool, required: bool, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    class State:
        f_bavail, f_frsize, f_flag, f_files, f_favail = free // 4096, 4096, 0, 0, 0

    monkeypatch.setattr(installation.os, "statvfs", lambda place: State)
    found = installation._disk(looks(home))
    assert (found.good, found.required) == (good, required)


@pytest.mark.parametrize(("named", "required"), [((), False), (("camera.device",), True)])
def test_a_camera_is_needed_where_somebody_has_named_it(named: tuple[str, ...], required: bool, home: Home) -> None:
    found = surroundings._camera(looks(home, named=named, camera=CameraConfig(device="/dev/video987")))
    assert (found.good, found.required) == (False, required)
    assert "/dev/video987" in found.found


def test_pins_that_are_configured_and_not_there_are_missing(home: Home) -> None:
    assert surroundings._pins(looks(home)).good
    found = surroundings._pins(looks(home, indicator=IndicatorConfig(factory="lgpio", chip="/dev/gpiochip98")))
    assert (found.good, found.required) == (False, True)


@contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            try:
                with server.accept()[0] as taken:
                    answer(taken)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def asked(home: Home, host: str, port: int) -> Check:
    return surroundings._broker(looks(home, uplink=UplinkConfig(host, port)))


def secured(folder: Path, authority: Path | None = None) -> Callable[[socket.socket], object]:
    """A TLS server of a data home; with `authority` it asks for a certificate by that one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    if authority is not None:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED

    def answer(taken: socket.socket) -> None:
        with context.wrap_socket(taken, server_side=True) as over:
            over.recv(1)

    return answer


def as_a_run_says(refusal: Refusal, host: str, port: int) -> tuple[bool, str, str]:
    row = words(refusal, UplinkConfig(host, port))
    assert row is not None
    return False, row.sentence, row.remedy


def test_what_keeps_from_the_broker_is_told_as_a_run_tells_it(home: Home, tmp_path: Path) -> None:
    stranger = Home(tmp_path / "stranger")
    stranger.ensure_development()

    def told(host: str, port: int) -> tuple[bool, str, str]:
        found = asked(home, host, port)
        return found.good, found.found, found.remedy

    assert told("nowhere.invalid", 1) == as_a_run_says(Refusal.NO_NAME, "nowhere.invalid", 1)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert told("localhost", port) == as_a_run_says(Refusal.NOT_LISTENING, "localhost", port)
    for answer, refusal in (
        (lambda taken: taken.sendall(b"220 mail\r\n"), Refusal.NO_TLS),
        (lambda taken: None, Refusal.HANGS_UP),
        (secured(stranger.broker), Refusal.THEIRS_UNTRUSTED),
        (secured(home.broker, stranger.broker / "ca.crt"), Refusal.OURS_UNTRUSTED),
    ):
        with listening(answer) as port:
            assert told("localhost", port) == as_a_run_says(refusal, "localhost", port)


def test_a_broker_that_is_in_order_is_good(home: Home) -> None:
    assert asked(home, "", 1).good
    with listening(secured(home.broker, home.broker / "ca.crt")) as port:
        found = asked(home, "localhost", port)
        assert found.good, found


def test_renewed_keys_are_named_where_a_broker_with_the_old_ones_answers(home: Home) -> None:
    before = secured(home.broker, home.broker / "ca.crt")
    home.renew()
    with listening(before) as port:
        assert "if keys were renewed, restart the broker" in asked(home, "localhost", port).remedy


def test_what_the_system_refuses_one_check_is_its_finding_and_the_others_are_tried(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def _keys(looks: Looks) -> Check:
        raise PermissionError(errno.EACCES, "Permission denied", "/root/home")

    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    monkeypatch.setattr(doctor, "CHECKS", (_keys, installation._disk))
    assert cli.main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("MISSING  keys: /root/home cannot be read or written (Permission denied); remedy: check")
    assert lines[1].startswith("good     disk") and lines[2].startswith("not ready: keys")


def of_the_receiver(home: Home, host: str = "localhost") -> Check:
    return installation._receiver(looks(home, uplink=UplinkConfig(host, 8883)))


def test_a_device_that_connects_elsewhere_and_seals_for_its_own_receiver_is_not_ready(
    home: Home, tmp_path: Path
) -> None:
    assert of_the_receiver(home).good and "of this home" in of_the_receiver(home).found
    other = Home(tmp_path / "other")
    other.ensure_development()
    (home.device / "ca.crt").write_bytes((other.broker / "ca.crt").read_bytes())
    check = of_the_receiver(home)
    assert not check.good and check.required and "nobody there can open what it sends" in check.found
    assert "trust/sink_hpke.pub and trust/receipt.pub" in check.remedy
    assert of_the_receiver(home, "").good  # no broker: nothing is sent
    (home.trust / "sink_hpke.pub").write_bytes((other.trust / "sink_hpke.pub").read_bytes())
    mixed = of_the_receiver(home)
    assert not mixed.good and mixed.required and "two receivers" in mixed.found
    (home.trust / "receipt.pub").write_bytes((other.trust / "receipt.pub").read_bytes())
    assert of_the_receiver(home).good and "of another home" in of_the_receiver(home).found


def test_events_sealed_for_another_key_are_told_before_the_drive(home: Home) -> None:
    spool = Spool(home.spool, device_id=home.device_id(), run_id="r", max_bytes=2**20, sink_key=bytes(32))
    spool.add(SealedEvent(0, b"x", digest(b"x")), None)
    assert of_the_receiver(home).good  # in use: that is no fault
    spool.close()
    check = of_the_receiver(home)
    assert not check.good and not check.required and check.found.startswith("1 event in the spool is sealed for")


def test_another_users_home_is_one_finding(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    for check in installation.OF_THE_HOME:
        found = doctor._tried(check, looks(home))
        assert not found.required and found.found.startswith("not looked at")
