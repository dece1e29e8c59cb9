"""The receiving thread, one callback after the other, against a broker that does as the test says."""

from __future__ import annotations

import errno
import logging
import socket
import sqlite3
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from cloud_sink import mqtt
from cloud_sink.archive import Archive
from cloud_sink.errors import BrokerIdentityError, StoreError
from cloud_sink.mqtt import BrokerState, Subscriber, parse_address
from cloud_sink.receiver import Receiver
from cloud_sink.simulator import PretendDevice, PublishedEnvelope, SimulatedFleet, verdict
from cloud_sink.store import Store
from wire import receipt
from wire.errors import IssueError, UsageError

FINE, LOST = MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_CONN_LOST
GOOD = ReasonCode(PacketTypes.CONNACK, identifier=0)
BAD = ReasonCode(PacketTypes.CONNACK, identifier=135)
GRANTED = ReasonCode(PacketTypes.SUBACK, identifier=1)
DENIED = ReasonCode(PacketTypes.SUBACK, identifier=135)
Step = Callable[[], MQTTErrorCode]


class PretendClient:
    """paho's client as far as it is used: notes what it is asked, and each `loop` is the next of `steps`."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.connected: dict[str, Any] = {}
        self.error: BaseException | None = None
        self.steps: list[Step] = []

    def connect(self, host: str, port: int, **more: Any) -> None:
        self.connected = {"host": host, "port": port, **more}
        if self.error is not None:
            raise self.error

    def loop(self, timeout: float) -> MQTTErrorCode:
        self.calls.append(("loop", timeout))
        return self.steps.pop(0)() if self.steps else LOST

    def subscribe(self, topic: str, qos: int) -> None:
        self.calls.append(("subscribe", topic, qos))

    def disconnect(self) -> None:
        self.calls.append(("disconnect",))

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        self.calls.append(("publish", topic, payload, qos))

    def ack(self, mid: int, qos: int) -> None:
        self.calls.append(("ack", mid, qos))

    def asked(self, what: str) -> list[tuple[Any, ...]]:
        return [call for call in self.calls if call[0] == what]


class Waits:
    """The thread's stop event: it notes how long the thread would pause, and is set after `pauses` of them."""

    def __init__(self, pauses: int) -> None:
        self.waited: list[float] = []
        self._pauses = pauses

    def is_set(self) -> bool:
        return len(self.waited) >= self._pauses

    def set(self) -> None:
        self._pauses = 0

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


class Bench:
    """A subscriber with everything around it in the test's hands."""

    def __init__(self, store: Store) -> None:
        self.world = SimulatedFleet()
        self.camera: PretendDevice = self.world.enrol("cam-one")
        self.changes = 0
        self.store = store
        self.subscriber = Subscriber(
            ("broker.example", 8883),
            ssl.create_default_context(),
            self.world.receiver(store),
            changed=self._changed,
            now_ms=lambda: self.world.now_ms,
        )
        self.real = self.subscriber._client
        self.client = PretendClient()
        self.subscriber._client = self.client  # type: ignore[assignment]

    def _changed(self) -> None:
        self.changes += 1

    @property
    def phase(self) -> str:
        return self.subscriber.state.phase

    def connect(self, reason: ReasonCode = GOOD) -> MQTTErrorCode:
        self.subscriber._on_connect(self.client, None, None, reason, None)  # type: ignore[arg-type]
        return FINE

    def subscribed(self, *reasons: ReasonCode) -> MQTTErrorCode:
        self.subscriber._on_subscribe(self.client, None, 1, list(reasons), None)  # type: ignore[arg-type]
        return FINE

    def lost(self, reason: ReasonCode) -> None:
        flags = DisconnectFlags(False)
        self.subscriber._on_disconnect(self.client, None, flags, reason, None)  # type: ignore[arg-type]

    def deliver(self, message: PublishedEnvelope | bytes, topic: str = "sealcam/v1/cam-one/envelope") -> MQTTErrorCode:
        came = MQTTMessage(mid=7, topic=topic.encode())
        came.payload, came.qos = (message if isinstance(message, bytes) else message.sealed), 1
        self.subscriber._on_message(self.client, None, came)  # type: ignore[arg-type]
        return FINE


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Store(tmp_path / "sink.db", busy_timeout_s=0.01) as store:
        yield Bench(store)


@pytest.fixture
def locked(bench: Bench) -> Iterator[sqlite3.Connection]:
    """Another program holds the database."""
    with closing(sqlite3.connect(bench.store.path, isolation_level=None)) as hoarder:
        hoarder.execute("BEGIN IMMEDIATE")
        yield hoarder


# --- the client -------------------------------------------------------------------------------------------------------


def test_the_client_keeps_its_session_acknowledges_by_hand_and_calls_back(bench: Bench) -> None:
    client: Client = bench.real
    assert client.protocol is MQTTProtocolVersion.MQTTv5
    assert client._client_id == b"sealcam-sink"
    assert client._manual_ack is True
    assert client.max_queued_messages == 1000
    assert client._ssl_context is not None
    callbacks = (client.on_connect, client.on_subscribe, client.on_message, client.on_disconnect)
    own = bench.subscriber
    assert callbacks == (own._on_connect, own._on_subscribe, own._on_message, own._on_disconnect)
    assert (own.name, own.daemon, own.state, own.failure) == (
        *("broker", True),
        BrokerState("connecting", bench.world.now_ms),
        None,
    )


def test_it_connects_with_these_bounds(bench: Bench) -> None:
    assert bench.subscriber._converse() is False
    properties = bench.client.connected.pop("properties")
    assert bench.client.connected == {"host": "broker.example", "port": 8883, "keepalive": 20, "clean_start": False}
    assert properties.SessionExpiryInterval == 86_400
    assert (properties.ReceiveMaximum, properties.MaximumPacketSize) == (16, 65_536)


# --- from connecting to connected -------------------------------------------------------------------------------------


def test_a_connection_is_subscribed_and_counts_as_connected_when_that_is_granted(bench: Bench) -> None:
    bench.connect()
    assert bench.client.calls == [("subscribe", "sealcam/v1/+/envelope", 1)]
    assert (bench.phase, bench.changes) == ("connecting", 0)
    bench.world.now_ms += 5
    bench.subscribed(GRANTED)
    assert (bench.subscriber.state, bench.changes) == (BrokerState("connected", bench.world.now_ms), 1)
    bench.world.now_ms += 5
    bench.subscribed(GRANTED)
    assert (bench.subscriber.state.since_ms, bench.changes) == (bench.world.now_ms - 5, 1)


def test_a_connection_that_is_refused_is_left(bench: Bench) -> None:
    bench.connect(BAD)
    assert (bench.phase, bench.client.calls) == ("refused", [("disconnect",)])


@pytest.mark.parametrize("reasons", [(DENIED,), (GRANTED, DENIED), (DENIED, GRANTED)])
def test_a_subscription_that_is_refused_in_part_is_left(bench: Bench, reasons: tuple[ReasonCode, ...]) -> None:
    bench.subscribed(*reasons)
    assert (bench.phase, bench.client.calls) == ("refused", [("disconnect",)])


def test_only_a_connection_that_was_there_can_be_lost(bench: Bench) -> None:
    bench.lost(BAD)
    assert bench.phase == "connecting"
    bench.subscribed(GRANTED)
    bench.lost(GOOD)
    assert bench.phase == "connected"
    bench.lost(BAD)
    assert bench.phase == "unreachable"


# --- messages ---------------------------------------------------------------------------------------------------------


def test_what_is_stored_is_receipted_then_acknowledged_and_shown(bench: Bench) -> None:
    message = bench.camera.seal(verdict())
    bench.deliver(message)
    (_, topic, payload, qos), acknowledged = bench.client.calls
    assert (topic, qos, acknowledged) == ("sealcam/v1/cam-one/receipt", 1, ("ack", 7, 1))
    proof = receipt.verify(payload, bench.world.keys.receipts.public_key())
    assert proof == receipt.Receipt("cam-one", 0, message.digest)
    assert bench.changes == 1


def test_a_duplicate_is_receipted_again_and_is_no_news(bench: Bench) -> None:
    message = bench.camera.seal(verdict())
    bench.deliver(message)
    bench.deliver(message)
    assert [call[0] for call in bench.client.calls] == ["publish", "ack", "publish", "ack"]
    assert bench.changes == 1


def test_what_is_refused_is_acknowledged_without_a_receipt(bench: Bench) -> None:
    bench.deliver(b"rubbish")
    assert (bench.client.calls, bench.changes) == ([("ack", 7, 1)], 0)


def test_what_cannot_be_stored_is_not_acknowledged_and_nothing_after_it_is_looked_at(
    bench: Bench, locked: sqlite3.Connection
) -> None:
    message = bench.camera.seal(verdict())
    bench.deliver(message)
    assert (bench.phase, bench.client.calls) == ("store_failed", [])
    locked.execute("ROLLBACK")
    bench.deliver(message)
    assert bench.client.calls == []
    assert Archive(bench.store.path).last_row() == 0


def test_counts_are_written_down_and_shown_when_there_are_any(bench: Bench) -> None:
    assert bench.subscriber._settle() is True
    assert bench.changes == 0
    bench.deliver(b"rubbish")
    assert bench.subscriber._settle() is True
    assert bench.changes == 1
    assert [row.reason for row in Archive(bench.store.path).tallies()] == ["malformed"]


# --- one connection ---------------------------------------------------------------------------------------------------


def test_a_connection_that_came_as_far_as_its_subscription_counts_as_one(bench: Bench) -> None:
    bench.client.steps = [bench.connect, lambda: bench.subscribed(GRANTED), lambda: FINE]
    assert bench.subscriber._converse() is True
    assert bench.phase == "unreachable"
    assert set(bench.client.asked("loop")) == {("loop", 0.25)}
    bench.client.steps = [bench.connect]
    assert bench.subscriber._converse() is False


def test_a_refusal_stays_one_when_the_connection_ends_with_it(bench: Bench) -> None:
    bench.client.steps = [lambda: bench.connect(BAD)]
    assert bench.subscriber._converse() is False
    assert bench.phase == "refused"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(111, "x"), "nothing listens there; start it (sealcam-sink broker)"),
        (socket.gaierror(-2, "x"), "broker.example has no address here: the name cannot be resolved"),
        (UnicodeError("x"), "broker.example has no address here: the name cannot be resolved"),
        (TimeoutError("x"), "it does not answer"),
        (ConnectionResetError(104, "x"), "it closes the connection at once"),
        (ssl.SSLEOFError(8, "x"), "it closes the connection at once"),
        (OSError(errno.EHOSTUNREACH, "x"), "no route to host"),
        (OSError("x"), "the connection fails"),
        (ValueError("x"), "it does not keep to MQTT 5"),
        (struct.error("x"), "it does not keep to MQTT 5"),
        (IndexError("x"), "it does not keep to MQTT 5"),
        (KeyError("x"), "it does not keep to MQTT 5"),
    ],
)
def test_a_broker_that_is_away_or_keeps_to_no_protocol_is_unreachable_for_a_cause(
    bench: Bench, error: Exception, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench.client.error = error
    assert bench.subscriber._converse() is False
    assert bench.phase == "unreachable" and cause.startswith(bench.subscriber.state.cause)
    assert f"the broker at broker.example:8883 cannot be reached: {cause}" in caplog.text
    assert "trying again" in caplog.text and type(error).__name__ not in caplog.text


def test_another_cause_of_the_same_trouble_is_shown_and_not_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for error in (ConnectionRefusedError(), TimeoutError()):
        bench.client.error = error
        bench.subscriber._converse()
    assert bench.subscriber.state.cause == "it does not answer"
    assert len(caplog.records) == 1


def test_another_error_is_a_bug_and_ends_the_thread_with_it(bench: Bench) -> None:
    bench.client.error = ZeroDivisionError()
    bench.subscriber.run()
    assert bench.subscriber.failure is bench.client.error
    assert bench.phase == "stopped"


def refused_certificate(verify_code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code = verify_code
    return error


def not_tls() -> ssl.SSLError:
    error = ssl.SSLError(1, "x")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


FOREIGN = [
    (
        refused_certificate(19),
        "its certificate is not by the authority in ca.crt; if keys were renewed, restart the broker",
    ),
    (refused_certificate(10), "its certificate has expired; check the clock"),
    (refused_certificate(9), "its certificate is not valid yet; check the clock"),
    (refused_certificate(62), "its certificate does not name broker.example; name it with --broker"),
    (refused_certificate(64), "its certificate does not name broker.example; name it with --broker"),
    (not_tls(), "it answers, and does not speak TLS; name its TLS port"),
]


@pytest.mark.parametrize(("error", "says"), FOREIGN)
def test_a_foreign_broker_ends_the_start_with_its_remedy(bench: Bench, error: ssl.SSLError, says: str) -> None:
    bench.client.error = error
    with pytest.raises(BrokerIdentityError) as refused:
        bench.subscriber._converse()
    assert str(refused.value).startswith("the broker at broker.example:8883 is not trusted: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(("error", "says"), FOREIGN)
def test_a_foreign_broker_that_comes_later_is_told_and_ends_nothing(
    bench: Bench, error: ssl.SSLError, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench.client.error = ConnectionRefusedError()
    bench.subscriber._converse()
    bench.client.error = error
    assert bench.subscriber._converse() is False
    assert bench.phase == "untrusted" and says in caplog.text


def test_a_client_certificate_that_is_refused_is_looked_for_in_the_brokers_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """In TLS 1.3 the connection just ends."""
    assert bench.subscriber._converse() is False
    assert bench.phase == "unreachable" and "tls.crt in sink/" in caplog.text


def test_a_failing_database_ends_the_connection_and_is_tried_before_the_next(
    bench: Bench, locked: sqlite3.Connection
) -> None:
    bench.client.steps = [lambda: bench.subscribed(GRANTED), lambda: bench.deliver(bench.camera.seal(verdict()))]
    assert bench.subscriber._converse() is False
    assert bench.phase == "store_failed"
    assert bench.client.calls[-2:] == [("disconnect",), ("loop", 0.1)]
    bench.client.connected = {}
    assert bench.subscriber._converse() is False
    assert bench.client.connected == {}  # not before the database is mended
    locked.execute("ROLLBACK")
    bench.client.steps = [lambda: bench.subscribed(GRANTED)]
    assert bench.subscriber._converse() is True
    assert bench.client.connected["host"] == "broker.example"
    assert [row.reason for row in Archive(bench.store.path).tallies()] == ["not_stored"]


def test_counts_are_written_down_each_second_while_connected(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        now = 100.0

        @classmethod
        def monotonic(cls) -> float:
            return cls.now

    def after(seconds: float) -> Step:
        def step() -> MQTTErrorCode:
            Clock.now += seconds
            written.append(len(Archive(bench.store.path).tallies()))
            return FINE

        return step

    written: list[int] = []
    monkeypatch.setattr(mqtt, "time", Clock)
    bench.deliver(b"rubbish")
    bench.client.steps = [after(0.5), after(0.25), after(0.25), after(0.0)]
    bench.subscriber._converse()
    assert written == [0, 0, 0, 1]
    bench.deliver(b"rubbish", topic="nobody")
    written.clear()
    bench.client.steps = [after(0.75), after(0.0), after(0.25), after(0.0)]
    bench.subscriber._converse()
    assert written == [1, 1, 1, 2]


# --- the thread -------------------------------------------------------------------------------------------------------


def test_pauses_grow_up_to_five_seconds_and_begin_anew_after_a_connection(bench: Bench) -> None:
    assert mqtt.PAUSES_S == (0.2, 0.5, 1.0, 2.0, 5.0)
    waits = Waits(9)
    bench.subscriber._stopping = waits  # type: ignore[assignment]
    converse = bench.subscriber._converse
    ends = iter([False] * 6 + [True, False, False])

    def ended() -> bool:
        converse()
        return next(ends)

    bench.subscriber._converse = ended  # type: ignore[method-assign]
    bench.subscriber.run()
    assert waits.waited == [0.5, 1.0, 2.0, 5.0, 5.0, 5.0, 0.2, 0.5, 1.0]


def test_a_thread_that_is_asked_to_stop_says_goodbye_and_writes_its_counts_down(bench: Bench) -> None:
    def stop() -> MQTTErrorCode:
        bench.deliver(b"rubbish")
        bench.subscriber.stop()
        return FINE

    bench.client.steps = [lambda: bench.subscribed(GRANTED), stop]
    bench.subscriber.run()
    assert bench.client.calls[-2:] == [("disconnect",), ("loop", 0.1)]
    assert [row.reason for row in Archive(bench.store.path).tallies()] == ["malformed"]
    assert (bench.phase, bench.subscriber.failure) == ("stopped", None)


@pytest.mark.parametrize(
    ("phase", "level"),
    [
        ("connected", logging.INFO),
        ("unreachable", logging.WARNING),
        ("untrusted", logging.WARNING),
        ("refused", logging.WARNING),
        ("store_failed", logging.ERROR),
        ("stopped", logging.DEBUG),
    ],
)
def test_each_change_is_said_once_and_as_loud_as_it_is(
    bench: Bench, phase: Any, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        bench.subscriber._become(phase, "the cause", "the remedy")
    (record,) = caplog.records
    assert (record.levelno, bench.changes) == (level, 1)
    assert ("the cause" in record.message) is (phase not in ("connected", "stopped"))
    assert ("the remedy" in record.message) is (phase in ("unreachable", "untrusted"))


# --- our own errors, and addresses ------------------------------------------------------------------------------------


def test_an_error_of_our_own_is_not_taken_for_the_brokers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = SimulatedFleet()
    with Store(tmp_path / "sink.db") as store:
        receiver: Receiver = fleet.receiver(store)
        subscriber = Subscriber(
            ("127.0.0.1", 1),
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            receiver,
            changed=lambda: None,
            now_ms=lambda: fleet.now_ms,
        )

        def connect(*arguments: Any, **options: Any) -> None:
            raise IssueError("sequence: out of range")

        monkeypatch.setattr(subscriber._client, "connect", connect)
        subscriber.run()
    assert isinstance(subscriber.failure, IssueError)


NO_ADDRESS = ("nowhere", "nowhere:99999", ":8883", "host:", "host:x", "a b:1", "::1:8883", "[x]:1", "mqtt://a:1", "a:0")


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_a_wrong_address_is_answered_with_how_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not HOST:PORT.*; write .*8883"):
        parse_address(text)


# --- a database that is full, and then is not ------------------------------------------------------------------------


def no_room_for_envelopes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts fit still, an envelope does not: as on a full disk whose last pages are the database's own."""

    def full(arrival: object) -> None:
        raise StoreError("cannot write: database or disk is full", "free it")

    monkeypatch.setattr(bench.store, "add", full)


def test_the_alarm_stays_while_each_new_connection_finds_the_database_full(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    no_room_for_envelopes(bench, monkeypatch)
    message = bench.camera.seal(verdict())
    for _ in range(3):
        bench.client.steps = [lambda: bench.subscribed(GRANTED), lambda: bench.deliver(message)]
        assert bench.subscriber._converse() is False
        assert bench.phase == "store_failed"
    assert [call for call in bench.client.calls if call[0] in ("publish", "ack")] == []
    said = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1 and "nothing is receipted until this is mended" in said[0]


def test_the_alarm_ends_with_the_first_envelope_that_is_stored_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as meanwhile:
        no_room_for_envelopes(bench, meanwhile)
        message = bench.camera.seal(verdict())
        bench.client.steps = [lambda: bench.subscribed(GRANTED), lambda: bench.deliver(message)]
        bench.subscriber._converse()
    phases: list[str] = []

    def again() -> MQTTErrorCode:
        phases.append(bench.phase)
        bench.deliver(message)
        phases.append(bench.phase)
        return FINE

    bench.client.steps = [lambda: bench.subscribed(GRANTED), again]
    assert bench.subscriber._converse() is True
    assert phases == ["store_failed", "connected"]


def test_the_alarm_ends_too_where_nothing_comes_any_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(mqtt.time, "monotonic", lambda: now[0])
    with monkeypatch.context() as meanwhile:
        no_room_for_envelopes(bench, meanwhile)
        bench.client.steps = [
            lambda: bench.subscribed(GRANTED),
            lambda: bench.deliver(bench.camera.seal(verdict())),
        ]
        bench.subscriber._converse()
    phases: list[str] = []

    def wait(seconds: float) -> MQTTErrorCode:
        phases.append(bench.phase)
        now[0] += seconds
        return FINE

    bench.client.steps = [
        lambda: bench.subscribed(GRANTED),
        lambda: wait(mqtt.QUIET_S - 0.5),
        lambda: wait(0.5),
        lambda: wait(0.5),
    ]
    bench.subscriber._converse()
    assert phases == ["store_failed", "store_failed", "connected"]
