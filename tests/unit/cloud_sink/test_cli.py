"""`sealcam-sink` as a user calls it: what each command prints, what it refuses, and with which exit status."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud_sink import cli
from cloud_sink import serve as serving
from cloud_sink.cli import main
from cloud_sink.errors import PortTakenError
from cloud_sink.keys import sink_keys
from cloud_sink.mqtt import parse_address
from cloud_sink.serve import Settings
from cloud_sink.simulator import EPOCH_MS, SimulatedFleet, health, verdict
from cloud_sink.store import Store
from identity import Home, load
from tests.support.sink_samples import accepted, asked, changed
from wire.errors import RunError

Output = pytest.CaptureFixture[str]
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def home(home: Home) -> Home:
    """A data home whose device reported three times, a day apart, and another device once."""
    world = SimulatedFleet(sink_keys(home.sink))
    own = world.enrol(home.device_id())
    own.key = load.signing_key(home.device / "signing.key")
    with Store(home.sink / "sink.db") as store:
        receiver = world.receiver(store)
        for event, camera in (
            (health(), own),
            (verdict("FORGED"), own),
            (verdict("VERIFIED"), own),
            (verdict("MISSING"), world.enrol("cam-two")),
        ):
            accepted(receiver, camera.seal(event))
            world.now_ms += DAY_MS
    world_two = home.sink / "devices" / "cam-two.pub"
    world_two.write_text(world.signing_key("cam-two").public_bytes_raw().hex())  # type: ignore[union-attr]
    world_two.chmod(0o600)
    return home


def at(home: Home, *arguments: str) -> list[str]:
    return [*arguments, "--home", str(home.path)]


def left(home: Home) -> list[int]:
    """The rows that are not erased."""
    return [row for (row,) in asked(home.sink / "sink.db", "SELECT id FROM envelope WHERE erased_ms IS NULL")]


# --- stats, verify ----------------------------------------------------------------------------------------------------


def test_stats_are_json(home: Home, capsys: Output) -> None:
    assert main(at(home, "stats")) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["envelopes"] == 4
    assert printed.startswith('{\n  "devices": 2,\n')


def test_the_home_comes_from_the_environment_where_none_is_named(
    home: Home, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(home.path))
    assert main(["stats"]) == 0
    assert json.loads(capsys.readouterr().out)["devices"] == 2
    monkeypatch.setenv("HOME", str(home.path.parent))
    monkeypatch.delenv("SEALCAM_HOME")
    assert main(["stats", "--home", "~/home"]) == 0
    monkeypatch.chdir(home.path.parent)
    assert main(["stats", "--home", "home"]) == 0


def test_what_is_in_order_verifies(home: Home, capsys: Output) -> None:
    assert main(at(home, "verify")) == 0
    assert capsys.readouterr().out == "4 envelopes checked, 0 problems found\n"
    assert main(at(home, "verify", "--json")) == 0
    assert capsys.readouterr().out == ""


def test_problems_are_listed_counted_and_end_with_status_1(home: Home, capsys: Output) -> None:
    changed(home.sink / "sink.db", "UPDATE envelope SET event = zeroblob(9) WHERE id = 2")
    assert main(at(home, "verify")) == 1
    finding, total = capsys.readouterr().out.splitlines()
    assert finding.startswith(f"{home.device_id()}: envelope 1 is not what was stored")
    assert total == "4 envelopes checked, 1 problem found"
    assert main(at(home, "verify", "--json")) == 1
    assert json.loads(capsys.readouterr().out) == {
        "device_id": home.device_id(),
        "problem": "changed",
        "first": 1,
        "last": 1,
        "detail": "",
    }
    changed(home.sink / "sink.db", "UPDATE envelope SET event = zeroblob(9) WHERE id = 3")
    assert main(at(home, "verify")) == 1
    assert "2 problems found" in capsys.readouterr().out


# --- export -----------------------------------------------------------------------------------------------------------


def test_an_export_is_every_event_one_a_line(home: Home, capsys: Output) -> None:
    assert main(at(home, "export")) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["id"], row["type"]) for row in rows] == [(1, "health"), (2, "verdict"), (3, "verdict"), (4, "verdict")]
    assert main(at(home, "export", "--device", "cam-two")) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "MISSING"
    assert main(at(home, "export", "--device", "cam-none")) == 2
    told = capsys.readouterr()
    assert "the device 'cam-none' has never reported" in told.err and told.out == ""


def test_an_export_goes_on_over_the_end_of_a_page(home: Home, capsys: Output) -> None:
    with Store(home.sink / "sink.db") as store, store._transaction() as db:
        db.executemany(
            "INSERT INTO envelope (device_id, sequence, digest, previous, boot_id, sealed, event, received_ms)"
            " SELECT device_id, ?, digest, previous, boot_id, sealed, event, received_ms FROM envelope WHERE id = 1",
            [(number,) for number in range(3, 500)],
        )
    assert main(at(home, "export")) == 0
    ids = [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()]
    assert ids == list(range(1, 502))


def test_an_export_goes_to_a_new_private_file_only(home: Home, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "out.jsonl"
    assert main(at(home, "export", "--out", str(out), "--device", "cam-two")) == 0
    assert capsys.readouterr().out == f"{out}: 1 event\n"
    assert json.loads(out.read_text())["id"] == 4
    assert out.stat().st_mode & 0o777 == 0o600
    before = out.read_bytes()
    assert main(at(home, "export", "--out", str(out))) == 2
    assert "is there already" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert main(at(home, "export", "--out", str(tmp_path / "none" / "out"))) == 2
    assert "cannot write" in capsys.readouterr().err


def test_an_export_that_does_not_fit_leaves_no_half_of_it_and_can_be_made_again(
    home: Home, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"

    def full(archive: object, device_id: object, file: io.TextIOBase) -> None:
        file.write("half a line")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(cli, "_write_export", full)
        assert main(at(home, "export", "--out", str(out))) == 2
    assert f"cannot write {out} (No space left on device); free some space on its disk" in capsys.readouterr().err
    assert not out.exists()
    assert main(at(home, "export", "--out", str(out))) == 0
    changed(home.sink / "sink.db", "UPDATE envelope SET event = zeroblob(9) WHERE id = 4")
    out.unlink()
    assert main(at(home, "export", "--out", str(out))) == 1
    assert "damaged" in capsys.readouterr().err and not out.exists()


# --- erase ------------------------------------------------------------------------------------------------------------


def test_erasing_needs_a_choice_and_a_yes(home: Home, capsys: Output) -> None:
    assert main(at(home, "erase", "--yes")) == 2
    assert "nothing is named that is to be erased" in capsys.readouterr().err
    assert main(at(home, "erase", "--device", home.device_id())) == 2
    assert "content of 3 envelopes" in capsys.readouterr().err
    assert main(at(home, "erase", "--device", "cam-none", "--yes")) == 2
    assert "has never reported" in capsys.readouterr().err
    assert left(home) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--device", "cam-two"], [1, 2, 3]),
        (["--before", "2025-11-26"], [3, 4]),
        (["--before", "2025-11-26T16:00:00"], [3, 4]),
        (["--before", "2025-11-26T16:00:00.001"], [4]),
        (["--before", "2025-11-26T18:00:00+01:00"], [4]),
        (["--before", "2025-11-28", "--device", "cam-two"], [1, 2, 3]),
        (["--before", "2025-11-26", "--device", "cam-two"], [1, 2, 3, 4]),
    ],
)
def test_what_is_chosen_is_erased_and_nothing_else(
    home: Home, capsys: Output, arguments: list[str], kept: list[int]
) -> None:
    assert EPOCH_MS == 1_764_000_000_000  # 2025-11-24T16:00:00Z
    assert main(at(home, "erase", *arguments, "--yes")) == 0
    erased = 4 - len(kept)
    assert capsys.readouterr().out.startswith(f"{erased} envelope{'' if erased == 1 else 's'} erased; ")
    assert left(home) == kept
    times = asked(home.sink / "sink.db", "SELECT erased_ms FROM envelope WHERE erased_ms IS NOT NULL")
    assert all(abs(erased_ms - time.time() * 1000) < DAY_MS for (erased_ms,) in times)


# --- what may go wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["stats"], ["verify"], ["export"], ["erase", "--device", "cam-two"]])
def test_without_a_database_each_command_says_what_to_do(command: list[str], tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "sink").mkdir()
    assert main([*command, "--home", str(tmp_path)]) == 2
    assert "there is no database" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "broker", "stats", "verify", "export", "erase"])
def test_a_home_that_is_not_there_is_told_with_the_command_that_makes_it_there(
    command: str, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALCAM_HOME", str(tmp_path / "mine"))
    assert main([command, "--home", str(tmp_path / "no such")]) == 2
    assert capsys.readouterr().err == (
        f"sealcam-sink: there is no data home at {tmp_path}/no such; make one there with `SEALCAM_HOME='{tmp_path}/no "
        "such' sealcam keys init`, or name yours with SEALCAM_HOME, or --home\n"
    )
    assert main([command]) == 2
    assert f"make one there with `SEALCAM_HOME={tmp_path}/mine sealcam keys init`" in capsys.readouterr().err
    monkeypatch.delenv("SEALCAM_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert main([command]) == 2
    assert "make one there with `sealcam keys init`" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a b", "", "http://cam.example", "cam.example:8620", "-x", "a" * 300])
def test_what_is_no_host_name_is_refused(name: str, capsys: Output) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["serve", f"--name={name}"])
    assert "argument --name: a host name is of letters, digits, dashes and dots" in capsys.readouterr().err


def test_a_remedy_acts_on_the_home_that_was_named(home: Home, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.broker / "tls.crt").write_text("no certificate")
    for name in ("sink/hpke.key", "trust/sink_hpke.pub"):
        (home.path / name).unlink()
    for command, words in (("broker", "sealcam keys renew"), ("serve", "sealcam keys init")):
        assert main(at(home, command)) == 2
        assert capsys.readouterr().err.endswith(f"; run: SEALCAM_HOME={home.path} {words}\n")
        with monkeypatch.context() as mine:
            mine.setenv("SEALCAM_HOME", str(home.path))
            assert main([command]) == 2
        assert capsys.readouterr().err.endswith(f"; run: SEALCAM_HOME={home.path} {words}\n")


def test_a_database_that_cannot_be_read_is_status_1_and_keys_that_cannot_are_status_2(
    home: Home, capsys: Output
) -> None:
    key = home.sink / "receipt.key"
    key.chmod(0o644)
    assert main(at(home, "verify")) == 2
    assert capsys.readouterr().err.startswith("sealcam-sink: ")
    key.chmod(0o600)
    changed(home.sink / "sink.db", "PRAGMA user_version = 9")
    assert main(at(home, "stats")) == 1
    assert "not a database of this Sealcam version" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "sealcam-sink: interrupted\n"),
        (RunError("a sentence"), 1, "sealcam-sink: a sentence\n"),
        (PortTakenError("a sentence"), 2, "sealcam-sink: a sentence\n"),
    ],
)
def test_each_end_has_its_status(
    error: BaseException, status: int, said: str, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def ends(*_: object) -> int:
        raise error

    monkeypatch.setattr(cli, "_stats", ends)
    assert main(at(home, "stats")) == status
    assert capsys.readouterr().err == said


def test_a_reader_that_goes_away_has_what_it_wanted(home: Home) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "cloud_sink", *at(home, "export")]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        *(["serve", "--port", port] for port in ("0", "65536", "x", "-1", "", "\u0663", "1000000")),
        *(["serve", "--broker", address] for address in ("nowhere", ":1", "nowhere:", "nowhere:0", "nowhere:65536")),
        ["erase", "--before", "yesterday"],
        ["export", "--json"],
    ],
)
def test_bad_usage_is_status_2(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: sealcam-sink")


def test_serving_has_its_defaults_and_takes_what_is_named() -> None:
    plain = cli._parser().parse_args(["serve"])
    assert (plain.broker, plain.host, plain.port, plain.name) == (("127.0.0.1", 8883), "127.0.0.1", 8620, [])
    named = ["--broker", "[::1]:1", "--host", "0.0.0.0", "--port", "65535", "--name", "a", "--name", "b"]  # noqa: S104
    chosen = cli._parser().parse_args(["serve", *named])
    assert (chosen.broker, chosen.host, chosen.port) == (("::1", 1), "0.0.0.0", 65535)  # noqa: S104
    assert chosen.name == ["a", "b"]
    assert cli._parser().parse_args(["serve", "--port", "1"]).port == 1
    assert cli._parser().parse_args(["export"]).out is cli._parser().parse_args(["erase"]).before is None


@pytest.mark.parametrize(
    ("command", "phrases"),
    [
        ("", ["COMMAND", "Sealcam's receiver", "Receive, verify and store", "Print counts", "Check every stored"]),
        ("serve", ["Receive, verify", "HOST:PORT", "address of the page", "port of the page", "a host name", "--home"]),
        ("stats", ["Print counts as JSON.", "data home"]),
        ("verify", ["Check every stored envelope", "one JSON object a line"]),
        ("export", ["Write every stored event", "only this device's", "a new file"]),
        ("erase", ["Erase the content", "only this device's", "DATE", "only what was received before", "really do it"]),
    ],
)
def test_each_command_and_option_is_explained(
    command: str, phrases: list[str], capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert [phrase for phrase in phrases if phrase not in told] == []


def test_what_is_logged_is_a_sentence_on_standard_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked_for: dict[str, object] = {}
    monkeypatch.setattr(logging, "basicConfig", asked_for.update)
    main(["stats", "--home", str(tmp_path)])
    assert asked_for == {"format": "sealcam-sink: %(message)s", "level": logging.INFO, "stream": sys.stderr}


def test_serving_gets_what_the_command_line_says_and_says_when_it_is_ready(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def served(settings: Settings, ready: Callable[[str], None]) -> None:
        assert settings == Settings(
            home.sink, ("broker.example", 1), "::1", 2, ("page.example",), "X-Sealcam-User", "/sealcam"
        )
        ready("ready http://[::1]:2/")
        assert out.flushed == ["sealcam-sink: ready http://[::1]:2/\n"]

    class Out(io.StringIO):
        """Standard output into a pipe: what is not flushed is not seen."""

        flushed: list[str] = []  # noqa: RUF012

        def flush(self) -> None:
            self.flushed.append(self.getvalue())

    out = Out()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(serving, "serve", served)
    arguments = ["serve", "--broker", "broker.example:1", "--host", "::1", "--port", "2", "--name", "page.example"]
    proxied = ["--user-header", "X-Sealcam-User", "--path", "/sealcam/"]
    assert main(at(home, *arguments, *proxied)) == 0


@pytest.mark.parametrize(
    ("option", "text"),
    [
        *(("--user-header", text) for text in ("", "X User", "X:User", "1X", "X" * 65)),
        *(("--path", text) for text in ("sealcam", "/a b", "/..", '/"x', "/a//b", "https://x", "/<x>")),
    ],
)
def test_a_header_or_path_that_could_not_be_one_is_refused(option: str, text: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as end:
        main(["serve", option, text])
    assert end.value.code == 2
    assert "is written as" in (said := capsys.readouterr().err) or "letters, digits and dashes" in said


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("broker.example:8883", ("broker.example", 8883)),
        ("[fe80::1]:1", ("fe80::1", 1)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", ":", "host", "host:", ":8883", "host:0", "host:65536", "host:x", "host:\u0663", "[]:1"]
)
def test_what_is_no_address_is_refused_in_eighty_characters(text: str) -> None:
    with pytest.raises(ValueError, match="not HOST:PORT"):
        parse_address(text)
    with pytest.raises(ValueError, match="not HOST:PORT") as refusal:
        parse_address("x" * 200)
    assert "x" * 80 in str(refusal.value) and "x" * 81 not in str(refusal.value)


@pytest.mark.parametrize("text", ["0", "65536", "000165536", "99999999999"])
def test_a_port_is_one_that_can_be_listened_on(text: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as end:
        main(["serve", "--port", text])
    assert end.value.code == 2
    assert "a port is a number from 1 to 65535" in capsys.readouterr().err


def test_a_mistyped_variable_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALCAM_HOEM", "/x")
    main(at(home, "stats"))
    told = capsys.readouterr().err
    assert "sealcam-sink: SEALCAM_HOEM is no variable of Sealcam and does nothing; did you mean SEALCAM_HOME?" in told
