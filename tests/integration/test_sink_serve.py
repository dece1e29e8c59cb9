"""The receiver as a process, with a real broker over mutual TLS and a device that publishes real envelopes."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cloud_sink.simulator import PublishedEnvelope, health, verdict
from demo.broker import Broker, free_port
from identity import Home
from identity.pki import VALID_DAYS, Authority
from tests.support.brokers import needs_broker
from tests.support.served_sink import Sender, ServedSink
from wire import topics


@pytest.fixture
def camera(home: Home, broker: Broker) -> Iterator[Sender]:
    client = Sender(home, broker.port)
    yield client
    client.close()


@needs_broker
def test_what_a_device_publishes_is_receipted_shown_and_verified(home: Home, broker: Broker, camera: Sender) -> None:
    sink = ServedSink(home, broker.port)
    with sink.serving() as process:
        messages = [camera.device.seal(event) for event in (health(), verdict("FORGED", class_id=None), verdict())]
        for message in (*messages, messages[1]):
            camera.publish(message)
        receipts = [camera.receipt() for _ in range(4)]
        assert [(got.sequence, got.digest) for got in receipts] == [
            (message.sequence, message.digest) for message in (*messages, messages[1])
        ]
        assert sink.states() == ["FORGED", "VERIFIED"]
        sink.until(lambda: sink.get("/api/stats")["not_stored"] == {"duplicate": 1}, "the duplicate is counted")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    checked = sink.run("verify")
    assert (checked.returncode, checked.stdout) == (0, "3 envelopes checked, 0 problems found\n")
    assert json.loads(sink.run("stats").stdout)["envelopes"] == 3
    exported = [json.loads(line) for line in sink.run("export").stdout.splitlines()]
    assert [row["type"] for row in exported] == ["health", "verdict", "verdict"]
    assert sink.run("erase", "--device", home.device_id()).returncode == 2
    assert sink.run("erase", "--device", home.device_id(), "--yes").returncode == 0
    assert sink.run("export").stdout == ""
    assert sink.run("verify").returncode == 0


@needs_broker
def test_forgeries_get_no_receipt_and_are_counted(home: Home, broker: Broker, camera: Sender) -> None:
    sink = ServedSink(home, broker.port)
    with sink.serving():
        honest, topic = camera.device.seal(verdict()), topics.envelope_topic(home.device_id())
        camera.publish(PublishedEnvelope(topic, b"<script>alert(1)</script>", 0))
        camera.publish(PublishedEnvelope(topic, honest.sealed[:-1] + bytes([honest.sealed[-1] ^ 1]), 0))
        camera.publish(honest)
        camera.publish(camera.device.seal(verdict("FORGED"), sequence=0))
        camera.publish(camera.device.seal(verdict(), sequence=1, previous=honest.digest))
        assert [camera.receipt().sequence for _ in range(2)] == [0, 1]
        expected = {"malformed": 1, "unreadable": 1, "equivocation": 1}
        sink.until(lambda: sink.get("/api/stats")["not_stored"] == expected, "the refusals are counted")
        assert sink.states() == ["VERIFIED", "VERIFIED"]


@needs_broker
def test_a_killed_receiver_gets_what_came_meanwhile_and_loses_nothing(
    home: Home, broker: Broker, camera: Sender
) -> None:
    sink = ServedSink(home, broker.port)
    with sink.serving() as process:
        camera.publish(camera.device.seal(verdict()))
        assert camera.receipt().sequence == 0
        process.kill()
        process.wait()
    for _ in range(5):
        camera.publish(camera.device.seal(verdict("MISSING")))
    with sink.serving():
        awaited = {1, 2, 3, 4, 5}
        while awaited:  # envelope 0 may come again: it was receipted, but perhaps not acknowledged to the broker
            awaited.discard(camera.receipt().sequence)
        assert sink.states() == ["VERIFIED", *["MISSING"] * 5]
        assert sink.get("/api/devices")["devices"][0]["gaps"] == []


@needs_broker
def test_a_broker_that_goes_away_is_reported_and_found_again(home: Home, broker: Broker, camera: Sender) -> None:
    sink = ServedSink(home, broker.port)
    with sink.serving():
        broker.kill()
        sink.until(lambda: sink.get("/api/stats")["broker"] == "unreachable", "the broker is reported away")
        assert sink.get("/api/alerts")["alerts"][0]["title"] == "Broker unreachable"
        broker.start()
        sink.until(lambda: sink.get("/api/stats")["broker"] == "connected", "the broker is found again")
        message = camera.device.seal(verdict())
        camera.publish(message)
        assert camera.receipt().digest == message.digest
    said = (home.path / "sink.err").read_text()
    assert said.count("cannot be reached") == 1
    assert "Traceback" not in said


@needs_broker
def test_an_open_page_hears_of_a_verdict_and_does_not_hold_up_the_end(
    home: Home, broker: Broker, camera: Sender
) -> None:
    sink = ServedSink(home, broker.port)
    with sink.serving() as process, socket.create_connection(("127.0.0.1", sink.port), 10) as page:
        page.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = page.makefile("rb")
        assert next(line for line in stream if line.startswith(b"data:")) == b'data: {"last": 0}\n'
        camera.publish(camera.device.seal(verdict()))
        camera.receipt()
        assert next(line for line in stream if line.startswith(b"data:") and b"0" not in line)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@needs_broker
def test_a_device_that_is_enrolled_while_the_receiver_runs_is_known(home: Home, broker: Broker, camera: Sender) -> None:
    (key_file,) = (home.sink / "devices").iterdir()
    content = key_file.read_bytes()
    key_file.unlink()
    sink = ServedSink(home, broker.port)
    with sink.serving():
        early, late = camera.device.seal(verdict()), camera.device.seal(verdict())
        camera.publish(early)
        sink.until(lambda: sink.get("/api/stats")["not_stored"].get("unknown_device"), "the stranger is refused")
        key_file.write_bytes(content)
        key_file.chmod(0o600)

        def known() -> bool:
            camera.publish(late)
            return bool(sink.states())

        sink.until(known, "the device is known")


def test_a_receiver_without_a_broker_serves_its_page_and_says_so_once(home: Home) -> None:
    sink = ServedSink(home, free_port())
    with sink.serving(ready=False) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"sealcam-sink: page http://127.0.0.1:{sink.port}/\n"
        stats = sink.until(lambda: sink.get("/api/stats"), "the page is served")
        sink.until(lambda: sink.get("/api/stats")["broker"] == "unreachable", "the broker is reported away")
        time.sleep(1.5)  # several attempts
    assert stats["envelopes"] == 0
    said = (home.path / "sink.err").read_text()
    assert said.count("cannot be reached") == 1
    assert said.count("\n") == 1


@needs_broker
def test_two_commands_are_a_broker_and_a_receiver_that_a_device_reaches(home: Home) -> None:
    sink = ServedSink(home, free_port())
    for name in ("acl", "mosquitto.conf"):
        (home.broker / name).unlink(missing_ok=True)
    words = [sys.executable, "-m", "cloud_sink", "broker", "--home", str(home.path), "--port", str(sink.broker_port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as broker:
        try:
            assert broker.stdout is not None
            said = [broker.stdout.readline() for _ in range(3)]
            assert [line.split()[1] for line in said] == ["wrote", "wrote", "starting"]
            assert all((home.broker / name).stat().st_mode & 0o777 == 0o600 for name in ("acl", "mosquitto.conf"))
            with sink.serving():
                assert sink.get("/api/stats")["broker"] == "connected"
        finally:
            broker.terminate()
        assert broker.wait(10) == 0


def _fails(sink: ServedSink, *words: str) -> None:
    ended = sink.run("serve", "--broker", f"127.0.0.1:{sink.broker_port}", "--port", str(sink.port))
    assert ended.returncode == 2
    assert ended.stdout == ""  # no page is announced that will not be there
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert all(word in ended.stderr for word in words), ended.stderr


def test_a_busy_port_ends_with_a_sentence(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        _fails(ServedSink(home, 1, taken.getsockname()[1]), "is taken", "--port")


def test_missing_keys_end_with_the_remedy(home: Home) -> None:
    """A lost key beside its public half cannot be made anew: what was sealed for it could be opened by nobody."""
    (home.sink / "hpke.key").unlink()
    _fails(ServedSink(home, 1), "hpke.key is missing", "restore it from a copy")
    (home.trust / "sink_hpke.pub").unlink()
    _fails(ServedSink(home, 1), "hpke.key is missing", "sealcam keys init")


def test_an_expired_certificate_ends_with_the_remedy(home: Home) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=VALID_DAYS + 2)
    expired = Authority.create(long_ago).issue("sink", "client", long_ago)
    (home.sink / "tls.key").write_bytes(expired.key)
    (home.sink / "tls.crt").write_bytes(expired.certificate)
    _fails(ServedSink(home, 1), "tls.crt expired on", "sealcam keys renew")


def test_a_key_that_others_can_read_is_not_used(home: Home) -> None:
    (home.sink / "receipt.key").chmod(0o644)
    _fails(ServedSink(home, 1), "chmod 600")


def test_a_database_of_another_version_ends_with_a_sentence(home: Home) -> None:
    (home.sink / "sink.db").write_bytes(b"something else entirely, which is not ours to overwrite" * 20)
    ended = ServedSink(home, 1).run("serve")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("\n") == 1


@needs_broker
def test_a_second_receiver_in_the_same_home_is_refused(home: Home, broker: Broker) -> None:
    sink = ServedSink(home, broker.port)
    with sink.serving():
        _fails(ServedSink(home, broker.port), "another sealcam-sink")


@needs_broker
def test_a_broker_that_cannot_prove_who_it_is_is_refused(home: Home, broker: Broker) -> None:
    home.renew()  # a new authority; the running broker still shows a certificate of the old authority
    _fails(ServedSink(home, broker.port), "is not trusted", "--broker", "ca.crt")


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--port", "0"],
        ["serve", "--port", "x"],
        ["serve", "--broker", "nowhere"],
        ["serve", "--broker", "nowhere:99999"],
        ["erase", "--before", "yesterday"],
        ["erase"],
        ["stats"],
        ["verify"],
        ["export"],
        ["fly"],
        [],
    ],
)
def test_bad_usage_ends_with_status_2_and_no_traceback(home: Home, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "cloud_sink", *arguments]
    if arguments and arguments[0] != "fly":
        command += ["--home", str(home.path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
