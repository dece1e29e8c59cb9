"""The real broker: who may connect, and that a device reaches its own two topics and no others."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from demo.broker import Broker, BrokerError, free_port
from identity import ExpiredCertificateError, Home, files, mosquitto
from identity.errors import BusyPortError, MissingBrokerError
from identity.pki import Authority
from tests.support.brokers import context_of
from tests.support.waiting import until
from wire import topics


@pytest.fixture
def other_device(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second device's TLS identity under the same certificate authority."""
    folder = tmp_path_factory.mktemp("other")
    authority = reopened(home)
    files.write_private(folder / "tls.key", authority[1])
    files.write_private(folder / "tls.crt", authority[0])
    files.write_private(folder / "ca.crt", (home.broker / "ca.crt").read_bytes())
    return folder


def reopened(home: Home) -> tuple[bytes, bytes]:
    """A certificate for `cam-other` by the home's own authority: (certificate, key)."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from identity.pki import Pair

    key = serialization.load_pem_private_key((home.broker / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.load_pem_x509_certificate((home.broker / "ca.crt").read_bytes()).subject
    authority = Authority(Pair(b"", b""), key, name)
    pair = authority.issue("cam-other", "client", datetime.datetime.now(datetime.UTC))
    return pair.certificate, pair.key


class Member:
    """A connected MQTT client that remembers what it got. Its own loop is driven by `until`."""

    def __init__(self, broker: Broker, context: ssl.SSLContext) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.granted: list[int] = []
        self.published: list[int] = []
        self.up = False
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.tls_set_context(context)
        self.client.on_connect = lambda c, d, f, reason, p: setattr(self, "up", not reason.is_failure)
        self.client.on_message = lambda c, d, m: self.got.append((m.topic, bytes(m.payload)))
        self.client.on_subscribe = lambda c, d, mid, reasons, p: self.granted.extend(r.value for r in reasons)
        self.client.on_publish = lambda c, d, mid, reason, p: self.published.append(reason.value)
        self.client.connect("localhost", broker.port)
        self.until(lambda: self.up)

    def until(self, done: Callable[[], bool]) -> None:
        until(done, lambda: self.client.loop(0.05), what="an answer of the broker", seconds=5.0)

    def subscribe(self, topic: str) -> None:
        before = len(self.granted)
        self.client.subscribe(topic, qos=1)
        self.until(lambda: len(self.granted) > before)

    def publish(self, topic: str, payload: bytes) -> int:
        """The broker's reason code: 0 and 16 are good, 135 is "not authorized"."""
        before = len(self.published)
        self.client.publish(topic, payload, qos=1)
        self.until(lambda: len(self.published) > before)
        return self.published[-1]

    def leave(self) -> None:
        self.client.disconnect()


@pytest.fixture
def members(broker: Broker, home: Home, other_device: Path) -> Iterator[tuple[Member, Member, Member]]:
    joined = tuple(Member(broker, context_of(folder)) for folder in (home.device, other_device, home.sink))
    yield joined  # type: ignore[misc]
    for member in joined:
        member.leave()


def test_a_device_reaches_the_sink_and_the_sink_the_device(members: tuple[Member, Member, Member], home: Home) -> None:
    device, _, sink = members
    name = home.device_id()
    sink.subscribe(topics.ENVELOPE_FILTER)
    device.subscribe(topics.receipt_topic(name))
    assert device.publish(topics.envelope_topic(name), b"sealed") == 0
    sink.until(lambda: bool(sink.got))
    assert sink.got == [(topics.envelope_topic(name), b"sealed")]
    assert sink.publish(topics.receipt_topic(name), b"receipt") == 0
    device.until(lambda: bool(device.got))
    assert device.got == [(topics.receipt_topic(name), b"receipt")]


def test_a_device_cannot_publish_as_another_device_nor_issue_receipts(
    members: tuple[Member, Member, Member], home: Home
) -> None:
    device, other, sink = members
    mine, theirs = topics.envelope_topic(home.device_id()), topics.envelope_topic("cam-other")
    sink.subscribe(topics.ENVELOPE_FILTER)
    assert device.publish(theirs, b"forged") == 135
    assert device.publish(topics.receipt_topic(home.device_id()), b"forged") == 135
    assert device.publish("sealcam/v1/x/y", b"") == 135
    assert device.publish(mine, b"first") == 0
    assert other.publish(theirs, b"last") == 0
    sink.until(lambda: len(sink.got) >= 2)
    assert sink.got == [(mine, b"first"), (theirs, b"last")]


def test_a_device_cannot_read_what_is_another_devices(members: tuple[Member, Member, Member], home: Home) -> None:
    device, other, sink = members
    name = home.device_id()
    for topic in ("#", "sealcam/v1/+/receipt", topics.receipt_topic(name), topics.envelope_topic(name), "$SYS/#"):
        other.subscribe(topic)
    other.subscribe(topics.receipt_topic("cam-other"))
    device.publish(topics.envelope_topic(name), b"sealed")
    sink.publish(topics.receipt_topic(name), b"for the first")
    sink.publish(topics.receipt_topic("cam-other"), b"for the other")
    other.until(lambda: bool(other.got))
    assert other.got == [(topics.receipt_topic("cam-other"), b"for the other")] * len(other.got)


def refused(broker: Broker, context: ssl.SSLContext) -> bool:
    """Whether the broker ends the connection before it answers CONNECT. (TLS 1.3 tells a client only on reading.)"""
    connect = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc"
    try:
        with (
            socket.create_connection(("127.0.0.1", broker.port), 5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            tls.sendall(connect)
            return tls.recv(4) == b""
    except OSError:
        return True


def test_without_a_certificate_nobody_gets_in(broker: Broker, home: Home) -> None:
    bare = ssl.create_default_context(cafile=str(home.broker / "ca.crt"))
    assert refused(broker, bare)
    assert not refused(broker, context_of(home.device))


def test_a_certificate_of_another_authority_does_not_get_in(broker: Broker, home: Home, tmp_path: Path) -> None:
    stranger = Home(tmp_path / "stranger")
    stranger.ensure_development()
    context = ssl.create_default_context(cafile=str(home.broker / "ca.crt"))
    context.load_cert_chain(str(stranger.device / "tls.crt"), str(stranger.device / "tls.key"))
    assert refused(broker, context)


def test_an_older_tls_is_refused(broker: Broker, home: Home) -> None:
    context = context_of(home.device)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert refused(broker, context)


def test_a_busy_port_is_one_sentence_and_starts_nothing(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        broker = Broker(home, taken.getsockname()[1])
        with pytest.raises(BusyPortError, match="another port"):
            broker.start()
        assert broker.pid is None


def test_nothing_is_left_running_and_it_comes_back_on_the_same_port(home: Home) -> None:
    broker = Broker(home, free_port())
    with broker:
        first = broker.pid
        assert first is not None
        broker.kill()
        broker.start()
        second = broker.pid
    for pid in (first, second):
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)


def test_a_configuration_that_it_does_not_take_is_one_sentence(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity.mosquitto.ACCESS_LIST", "nonsense\n")
    broker = Broker(home, free_port())
    with pytest.raises(BrokerError, match="mosquitto ended"):
        broker.start()
    assert broker.pid is None


def test_an_expired_certificate_is_an_error_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.pki.VALID_DAYS", 0)
    home = Home(tmp_path / "home")
    home.ensure_development()
    with pytest.raises(ExpiredCertificateError, match="keys renew"):
        Broker(home, free_port()).start()


def test_a_machine_without_mosquitto_gets_the_name_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(MissingBrokerError, match="apt-get install mosquitto"):
        mosquitto.find()
