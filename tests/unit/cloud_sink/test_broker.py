"""The broker's configuration is written once, told, private, and nobody's changes to it are lost."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import threading
from pathlib import Path

import pytest

from cloud_sink import broker
from cloud_sink.broker import BrokerFiles
from cloud_sink.cli import main
from cloud_sink.errors import AlreadyServingError, BrokerEndedError, SetupError
from cloud_sink.lock import only_one
from identity import Home, MissingKeyError, mosquitto
from wire.errors import SealcamError

OTHER = "is not as this version writes it: changed by hand, or of an earlier version"
Output = pytest.CaptureFixture[str]


@pytest.fixture
def empty(home: Home) -> Home:
    for name in ("mosquitto.conf", "acl"):
        (home.broker / name).unlink(missing_ok=True)
    return home


def written(home: Home) -> dict[str, str]:
    return {name: (home.broker / name).read_text() for name in ("mosquitto.conf", "acl")}


def test_what_is_written_is_told_and_private(empty: Home) -> None:
    said: list[str] = []
    assert broker.write(empty.broker, 8999, overwrite=False, say=said.append) == BrokerFiles(
        empty.broker / "mosquitto.conf", 8999
    )
    assert said == [f"wrote {empty.broker / name} (mode 0600)" for name in ("mosquitto.conf", "acl")]
    assert "listener 8999 127.0.0.1" in (text := written(empty)["mosquitto.conf"])
    for line in (
        "allow_anonymous false",
        "require_certificate true",
        "tls_version tlsv1.3",
        f"acl_file {empty.broker}/acl",
    ):
        assert line in text
    assert written(empty)["acl"] == mosquitto.ACCESS_LIST
    assert {(empty.broker / name).stat().st_mode & 0o777 for name in written(empty)} == {0o600}


def test_what_says_the_same_is_kept(empty: Home) -> None:
    broker.write(empty.broker, 8883, overwrite=False, say=lambda _: None)
    before = (empty.broker / "acl").stat().st_ino
    said: list[str] = []
    broker.write(empty.broker, 8883, overwrite=False, say=said.append)
    assert [line.split()[0] for line in said] == ["kept", "kept"]
    assert (empty.broker / "acl").stat().st_ino == before


@pytest.mark.parametrize("changed", ["mosquitto.conf", "acl"])
def test_what_somebody_changed_is_kept_and_used_and_overwritten_with_a_flag_only(empty: Home, changed: str) -> None:
    broker.write(empty.broker, 9100, overwrite=False, say=lambda _: None)
    (empty.broker / changed).write_text("# mine\n")
    said: list[str] = []
    files = broker.write(empty.broker, None, overwrite=False, say=said.append)
    assert f"kept {empty.broker / changed}, which {OTHER}; --overwrite starts over" in said
    assert files.port == (None if changed == "mosquitto.conf" else 9100)
    assert written(empty)[changed] == "# mine\n"
    said.clear()
    broker.write(empty.broker, 9101, overwrite=True, say=said.append)
    assert f"overwrote {empty.broker / changed} (mode 0600)" in said and "# mine" not in written(empty)[changed]
    assert "listener 9101 127.0.0.1" in written(empty)["mosquitto.conf"]


def by_hand(text: str) -> str:
    return text.replace("listener 9100", "listener 9200").replace("max_connections 64", "max_connections 500")


def test_a_port_is_not_written_into_what_somebody_changed(empty: Home) -> None:
    broker.write(empty.broker, 9100, overwrite=False, say=lambda _: None)
    configuration = empty.broker / "mosquitto.conf"
    configuration.write_text(by_hand(configuration.read_text()))
    with pytest.raises(SetupError, match=r"changed by hand.*port 9300; write the port there .*--overwrite"):
        broker.write(empty.broker, 9300, overwrite=False, say=lambda _: None)
    assert "listener 9200 " in written(empty)["mosquitto.conf"] and "500" in written(empty)["mosquitto.conf"]


@pytest.mark.parametrize("log", mosquitto.LOGS)
def test_our_own_configuration_keeps_its_port_and_takes_another_that_is_asked_for(
    empty: Home, log: mosquitto.LogName
) -> None:
    ours = mosquitto.files(empty.broker, 9100, log=log)
    for path, text in ours.items():
        path.write_text(text)
        path.chmod(0o600)
    said: list[str] = []
    assert broker.write(empty.broker, None, overwrite=False, say=said.append).port == 9100
    assert broker.write(empty.broker, 9300, overwrite=False, say=said.append).port == 9300
    assert f"renewed {empty.broker / 'mosquitto.conf'} (mode 0600)" in said
    assert "listener 9300 127.0.0.1" in written(empty)["mosquitto.conf"]


def test_a_taken_port_ends_it_before_anything_is_written_and_names_the_option(empty: Home, capsys: Output) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["broker", "--home", str(empty.path), "--port", port]) == 2
    said = capsys.readouterr().err
    assert f"port {port} of 127.0.0.1 cannot be used" in said and "--port" in said and "--broker" in said
    assert not (empty.broker / "mosquitto.conf").exists()


def test_without_certificates_nothing_is_written_and_the_remedy_makes_them(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    with pytest.raises(MissingKeyError, match="sealcam keys init"), broker.alone(tmp_path / "broker"):
        pass
    assert list((tmp_path / "broker").iterdir()) == []


def test_a_machine_without_mosquitto_gets_a_sentence_and_no_file_but_can_write_them(
    empty: Home, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert main(["broker", "--home", str(empty.path)]) == 2
    assert "apt-get install mosquitto" in capsys.readouterr().err
    assert not (empty.broker / "acl").exists()
    assert main(["broker", "--home", str(empty.path), "--write-only"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"sealcam-sink: start it with: mosquitto -c {empty.broker / 'mosquitto.conf'}"
    )


@pytest.mark.parametrize("log", mosquitto.LOGS)
@pytest.mark.parametrize("user", [0, 1000])
def test_a_home_that_was_moved_or_copied_gets_its_own_paths_and_keeps_its_port(
    empty: Home, log: mosquitto.LogName, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as as_another:
        as_another.setattr("os.geteuid", lambda: user)
        before = mosquitto.files(Path("/elsewhere/home with blanks/broker"), 18950, log=log)
    configuration = empty.broker / "mosquitto.conf"
    for path, text in before.items():
        (empty.broker / path.name).write_text(text)
        (empty.broker / path.name).chmod(0o600)
    said: list[str] = []
    assert broker.write(empty.broker, None, overwrite=False, say=said.append) == BrokerFiles(configuration, 18950)
    assert said[:2] == [
        f"{configuration} was written for /elsewhere/home with blanks/broker; it is written for this home now",
        f"renewed {configuration} (mode 0600)",
    ]
    assert written(empty)["mosquitto.conf"] == mosquitto.files(empty.broker, 18950, log="connections")[configuration]


def test_what_an_earlier_version_wrote_is_ours_and_is_renewed(empty: Home) -> None:
    configuration = empty.broker / "mosquitto.conf"
    wanted = mosquitto.files(empty.broker, 18950, log="connections")[configuration]
    size = wanted.partition("max_packet_size ")[2].partition("\n")[0]
    earlier = wanted.replace("max_inflight", f"message_size_limit {size}\nmax_inflight", 1)
    configuration.write_text(earlier)
    configuration.chmod(0o600)
    said: list[str] = []
    broker.write(empty.broker, None, overwrite=False, say=said.append)
    assert said[0] == f"renewed {configuration} (mode 0600)" and configuration.read_text() == wanted


def test_what_somebody_changed_and_names_files_of_another_home_is_told(empty: Home) -> None:
    configuration = empty.broker / "mosquitto.conf"
    elsewhere = mosquitto.files(Path("/old/broker"), 9100, log="errors")[Path("/old/broker/mosquitto.conf")]
    configuration.write_text(by_hand(elsewhere).replace("/old/broker/acl", f"{empty.broker}/acl"))
    configuration.chmod(0o600)
    said: list[str] = []
    broker.write(empty.broker, None, overwrite=False, say=said.append)
    names = ", ".join(f"/old/broker/{name}" for name in ("ca.crt", "tls.crt", "tls.key"))
    assert f"look whether that is meant: {configuration} names {names}, outside {empty.broker}" in said
    said.clear()
    assert broker.write(empty.broker, None, overwrite=True, say=said.append).port == 9200  # starting over moves nobody
    assert not any("outside" in line for line in said)


def test_a_second_broker_of_a_home_is_refused_before_anything_is_written(empty: Home, capsys: Output) -> None:
    with broker.alone(empty.broker):
        for option in ("--write-only", "--overwrite"):
            assert main(["broker", "--home", str(empty.path), "--port", "9300", "--write-only", option]) == 2
    assert f"another sealcam-sink broker works in {empty.broker} already; end it first" in capsys.readouterr().err
    assert not (empty.broker / "mosquitto.conf").exists()


def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> BrokerFiles:
    """A program in mosquitto's place."""
    program = tmp_path / "mosquitto"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(mosquitto, "find", lambda: str(program))
    return BrokerFiles(tmp_path / "mosquitto.conf", 8883)


def test_mosquitto_gets_the_configuration_and_the_lock_and_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock"
    files = started(
        tmp_path,
        monkeypatch,
        f'echo "$@" > {tmp_path}/words; flock --nonblock {lock} true || echo held > {tmp_path}/lock.said',
    )
    with only_one(lock, AlreadyServingError("taken", "wait")) as held:
        broker.run(files, held, say=lambda _: None)
    assert (tmp_path / "words").read_text() == f"-c {files.configuration}\n"
    assert (tmp_path / "lock.said").read_text() == "held\n"


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ("exit 13", SetupError, r"cannot work with .*mosquitto.conf .*status is 13\); correct .* --overwrite"),
        ("kill -9 $$", BrokerEndedError, "ended by signal 9"),
    ],
)
def test_a_broker_that_ends_badly_gets_a_sentence_and_a_status_of_ours(
    script: str, error: type[SealcamError], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = started(tmp_path, monkeypatch, script)
    with only_one(tmp_path / "lock", AlreadyServingError("taken", "wait")) as held, pytest.raises(error, match=said):
        broker.run(files, held, say=lambda _: None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_broker_first_and_is_no_failure(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: Home
) -> None:
    up = tmp_path / "up"
    os.mkfifo(up)
    started(
        tmp_path,
        monkeypatch,
        f"trap 'echo ended > {tmp_path}/ended; exit 0' TERM; echo > {up}; while :; do sleep 0.05; done",
    )
    monkeypatch.setattr(mosquitto, "check_port", lambda *_: None)
    pid = os.getpid()

    def end() -> None:
        up.read_text()
        os.kill(pid, number)

    thread = threading.Thread(target=end)
    thread.start()
    assert main(["broker", "--home", str(empty.path)]) == 0
    thread.join()
    assert (tmp_path / "ended").read_text() == "ended\n"


@pytest.mark.parametrize("place", ["a\nlistener 1883", "trailing "])
def test_a_path_that_would_be_read_as_something_else_is_refused(tmp_path: Path, place: str) -> None:
    from identity import KeysError

    with pytest.raises(KeysError, match="plain path"):
        mosquitto.files(tmp_path / place, 8883, log="errors")


def test_the_line_that_starts_it_can_be_typed_whatever_the_home_is_called(tmp_path: Path, capsys: Output) -> None:
    home = Home(tmp_path / "my h\u00e9im's & home")
    home.ensure_development()
    assert main(["broker", "--home", str(home.path), "--write-only"]) == 0
    said = capsys.readouterr().out.splitlines()[-1].partition("start it with: ")[2]
    assert shlex.split(said) == ["mosquitto", "-c", str(home.broker / "mosquitto.conf")]
