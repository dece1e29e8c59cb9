"""The uplink against a hostile broker and a hostile dialer: bounded, closed, never crashed."""

from __future__ import annotations

import inspect
import itertools
import os
import socket
import ssl
from pathlib import Path

import paho.mqtt.client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTErrorCode

from device.channel.link import Link, pair
from device.channel.messages import Dial, Dialled, encode
from device.dialer.core import answer, connect
from device.uplink.connection import Connection, Phase
from device.uplink.dialling import DialEnd
from device.uplink.mqtt import MAX_INCOMING_BYTES, GivenSocketClient
from device.uplink.service import ANSWER_SECONDS, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, UP_SECONDS, UplinkService

CONNACK = b"\x20\x03\x00\x00\x00"


def client() -> tuple[GivenSocketClient, socket.socket]:
    """A client whose "TLS socket" is one end of a plain pair, and the broker's end."""
    ours, brokers = socket.socketpair()
    return GivenSocketClient("cam-1", ours), brokers  # type: ignore[arg-type]


def test_paho_still_has_the_two_hooks_that_are_overridden() -> None:
    base = paho.mqtt.client.Client
    assert list(inspect.signature(base._create_socket_connection).parameters) == ["self"]
    assert list(inspect.signature(base._sock_recv).parameters) == ["self", "bufsize"]


def test_the_given_socket_is_used_and_no_socket_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made, brokers = client()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a socket was made")

    monkeypatch.setattr(socket, "create_connection", never)
    monkeypatch.setattr(paho.mqtt.client, "_socketpair_compat", never)
    monkeypatch.setattr(socket.socket, "connect", never)
    assert made.start("broker.example") == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert brokers.recv(100)[4:8] == b"MQTT"
    brokers.sendall(CONNACK)
    assert made.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert made.is_connected()
    made.publish("sealcam/v1/cam-1/envelope", b"sealed", qos=1)
    assert brokers.recv(100).endswith(b"sealed")


def test_a_connection_is_used_once() -> None:
    made, _ = client()
    made.start("broker.example")
    with pytest.raises(ConnectionError):
        made.reconnect()


@pytest.mark.parametrize("length", [b"\x81\x20", b"\xff\xff\xff\x7f"])
def test_a_packet_over_the_cap_ends_the_connection_before_it_is_read(length: bytes) -> None:
    made, brokers = client()
    made.start("broker.example")
    brokers.sendall(CONNACK + b"\x30" + length + bytes(MAX_INCOMING_BYTES + 1))
    made.loop_read()
    assert made.loop_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST


@given(st.binary(max_size=120), st.sampled_from([0x20, 0x30, 0x32, 0x34, 0x40, 0x62, 0x90, 0xE0, 0xF0]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_packet_of_a_hostile_broker_raises(body: bytes, command: int, connected: bool) -> None:
    made, brokers = client()
    made.start("broker.example")
    brokers.sendall((CONNACK if connected else b"") + bytes([command, len(body)]) + body)
    for _ in range(3):
        made.loop_read()
        made.loop_misc()
    brokers.close()


def test_messages_half_delivered_beyond_the_agreed_number_are_noticed() -> None:
    made, brokers = client()
    made.start("broker.example")
    brokers.sendall(CONNACK)
    made.loop_read()
    for mid in range(1, 20):
        brokers.sendall(b"\x34\x06\x00\x01t" + mid.to_bytes(2, "big") + b"\x00")  # QoS 2, never released
        made.loop_read()
    assert made.flooded


# --- the connection -----------------------------------------------------------------------------------------------


def test_a_broker_that_does_not_speak_tls_is_left() -> None:
    ours, brokers = socket.socketpair()
    context = ssl.create_default_context()
    connection = Connection(ours, context, host="localhost", device_id="cam-1", receipt=lambda _: None)
    connection.serve(connection.wants())
    assert connection.phase is Phase.SHAKING
    brokers.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    connection.serve(connection.wants())
    assert connection.phase is Phase.CLOSED
    assert connection.fileno() == -1
    assert not connection.publish(1, b"sealed")
    connection.serve(1)
    connection.keep_alive()
    connection.close()


# --- the way to dialer --------------------------------------------------------------------------------------------


@pytest.fixture
def listener() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0))
    return made


def dial_end() -> tuple[DialEnd, Link, socket.socket]:
    ours, dialers = pair()
    link = Link("dialer", ours, Dialled)
    return DialEnd(link), link, dialers


def test_dialer_connects_and_the_connected_socket_arrives(listener: socket.socket) -> None:
    end, link, dialers = dial_end()
    end.ask()
    assert dialers.recv(100) == encode(Dial())
    answer(dialers, connect(*listener.getsockname()))
    got = end.receive()
    assert isinstance(got, socket.socket) and got.getpeername() == listener.getsockname()
    assert not got.get_inheritable()
    accepted, _ = listener.accept()
    got.sendall(b"x")
    assert accepted.recv(1) == b"x"
    assert link.invalid == 0


def test_no_broker_is_an_answer_too(listener: socket.socket) -> None:
    end, link, dialers = dial_end()
    address = listener.getsockname()
    listener.close()
    answer(dialers, connect(*address))
    assert end.receive() == "not_listening"
    assert end.receive() is None
    assert link.invalid == 0


@pytest.mark.parametrize("host", ["", "no.such.host.invalid", "x" * 300, "a..b", "\udcff"])
def test_a_host_that_cannot_be_found_is_no_error(host: str) -> None:
    assert connect(host, 1, 0.2) == "no_name" or host == ""


def test_a_hostile_dialer_is_counted_and_nothing_of_it_is_kept(tmp_path: Path, listener: socket.socket) -> None:
    end, link, dialers = dial_end()
    before = len(list(Path("/proc/self/fd").iterdir()))
    regular = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    unconnected = socket.socket()
    local, other = socket.socketpair()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    good = socket.create_connection(listener.getsockname())
    attacks = [
        (encode(Dialled(ok=True)), []),
        (encode(Dialled(ok=True)), [regular]),
        (encode(Dialled(ok=True)), [unconnected.fileno()]),
        (encode(Dialled(ok=True)), [local.fileno()]),
        (encode(Dialled(ok=True)), [udp.fileno()]),
        (encode(Dialled(ok=True)), [listener.fileno()]),
        (encode(Dialled(ok=True)), [good.fileno(), good.fileno(), good.fileno()]),
        (encode(Dialled(ok=False)), [good.fileno()]),
        (encode(Dialled(ok=True, failure="no_name")), [good.fileno()]),
        (encode(Dialled(ok=False)), []),  # no connection, and no reason
        (encode(Dial()), [good.fileno()]),
        (b"\xff" * 100, [good.fileno()]),
    ]
    for number, (data, descriptors) in enumerate(attacks, 1):
        socket.send_fds(dialers, [data], descriptors)
        assert end.receive() == "failed"
        assert link.invalid == number
    for opened in (unconnected, local, other, udp, good):
        opened.close()
    os.close(regular)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# --- when it dials ------------------------------------------------------------------------------------------------


class HandClock:
    now = 50.0


def uplink(clock: HandClock, asked: list[float]) -> UplinkService:
    return UplinkService(
        ssl.create_default_context(),
        host="localhost",
        device_id="cam-1",
        dial=lambda: asked.append(clock.now),
        receipt=lambda _: None,
        clock=lambda: clock.now,
    )


def test_it_backs_off_from_a_fifth_of_a_second_to_one() -> None:
    clock, asked = HandClock(), list[float]()
    made = uplink(clock, asked)
    while len(asked) < 6:
        before = len(asked)
        made.tick()
        if len(asked) > before:
            made.dialled("failed")
        clock.now = round(clock.now + 0.05, 3)
    pauses = [round(b - a, 2) for a, b in itertools.pairwise(asked)]
    assert pauses == [FIRST_PAUSE_SECONDS, 0.4, 0.8, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]


def test_a_dialer_that_does_not_answer_is_asked_again() -> None:
    clock, asked = HandClock(), list[float]()
    made = uplink(clock, asked)
    made.tick()
    clock.now += ANSWER_SECONDS
    made.tick()
    clock.now += FIRST_PAUSE_SECONDS
    made.tick()
    assert len(asked) == 2


def test_a_socket_that_uplink_did_not_ask_for_is_closed() -> None:
    made = uplink(HandClock(), [])
    given, _ = socket.socketpair()
    made.dialled(given)
    assert given.fileno() == -1 and made.connection is None


def test_a_broker_that_says_nothing_is_left_and_envelopes_are_dropped_meanwhile() -> None:
    clock, asked = HandClock(), list[float]()
    made = uplink(clock, asked)
    made.tick()
    given, silent = socket.socketpair()
    made.dialled(given)
    made.tick()
    assert made.connection is not None and not made.up
    assert not made.publish(1, b"sealed")
    clock.now += UP_SECONDS
    made.tick()
    assert made.connection is None
    silent.close()
