"""One connection to the broker, from a connected socket to its end: TLS, then MQTT, envelopes out, receipts in.

Nothing here waits: the owner polls it for `wants()` and calls `serve`. What a hostile broker or network can do ends the
connection (`phase` CLOSED) and raises nothing.
"""

from __future__ import annotations

import enum
import select
import socket
import ssl
import struct
from collections.abc import Callable

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from device.uplink.mqtt import GivenSocketClient
from device.uplink.refusal import Refusal, of_mqtt, of_tls
from wire import topics
from wire.receipt import MAX_RECEIPT_BYTES

# What paho's parser is known to raise on a hostile broker's packets, and what a socket raises.
READS_A_SECOND = 256
"""Packets of a broker that is sent nothing; an honest one has a ping to answer."""
READS_AN_ENVELOPE = 8  # its acknowledgement and its receipt, with room
_BROKEN = (MQTTException, OSError, ValueError, KeyError, IndexError, struct.error)


class Phase(enum.Enum):
    """How far the connection is."""

    SHAKING = "TLS handshake"
    JOINING = "MQTT connect and subscribe"
    UP = "up"
    CLOSED = "closed"


class Connection:
    """The connection of `device_id` over `given`.

    Args:
        given: a connected TCP socket; owned from here on.
        context: TLS client context with the device's certificate.
        host: the name that the broker's certificate must have.
        receipt: called with each payload on the device's receipt topic, at most `MAX_RECEIPT_BYTES` long.
    """

    def __init__(
        self,
        given: socket.socket,
        context: ssl.SSLContext,
        *,
        host: str,
        device_id: str,
        receipt: Callable[[bytes], None],
    ) -> None:
        self.phase = Phase.SHAKING
        self.refusal = Refusal.NONE
        self.delivered = 0  # envelopes that the broker has acknowledged
        self._host = host
        self._topic = topics.envelope_topic(device_id)
        self._receipts = topics.receipt_topic(device_id)
        self._receipt = receipt
        self._shake_wants = select.POLLOUT
        self._in_flight: dict[int, int] = {}  # paho's message id -> sequence
        self._reads_left = READS_A_SECOND
        self._socket: ssl.SSLSocket | None = None
        self._client: GivenSocketClient | None = None
        try:
            given.setblocking(False)
            self._socket = context.wrap_socket(given, server_hostname=host, do_handshake_on_connect=False)
        except (OSError, ValueError):
            given.close()
            self.phase = Phase.CLOSED
            return
        self._client = GivenSocketClient(device_id, self._socket)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect

    def fileno(self) -> int:
        """The descriptor to poll, -1 once closed."""
        return self._socket.fileno() if self._socket is not None else -1

    def wants(self) -> int:
        """The poll events to wait for."""
        if self.phase is Phase.SHAKING:
            return self._shake_wants
        writing = self._client is not None and self._client.want_write()
        return select.POLLIN | (select.POLLOUT if writing else 0)

    def serve(self, events: int) -> None:
        """Do what the poll events allow."""
        if self._socket is None or self._client is None:
            return
        try:
            if self.phase is Phase.SHAKING:
                self._shake(self._socket, self._client)
            if self.phase in (Phase.JOINING, Phase.UP):
                self._exchange(self._socket, self._client, events)
        except _BROKEN:
            self.close()

    def keep_alive(self) -> None:
        """Call once a second or so: pings, and notices a broker that does not answer."""
        self._reads_left = max(self._reads_left, READS_A_SECOND)
        if self._client is not None and self.phase in (Phase.JOINING, Phase.UP):
            try:
                self._must(self._client.loop_misc())
            except _BROKEN:
                self.close()

    def publish(self, sequence: int, sealed: bytes) -> bool:
        """Publish an envelope. False: not up, or this envelope or too many are on their way to the broker."""
        if self._client is None or self.phase is not Phase.UP or sequence in self._in_flight.values():
            return False
        try:
            sent = self._client.publish(self._topic, sealed, qos=1)
        except _BROKEN:
            self.close()
            return False
        if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._in_flight[sent.mid] = sequence
            self._reads_left += READS_AN_ENVELOPE
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def close(self, why: Refusal | None = None) -> None:
        """End it, without ceremony. May be called twice. `why`: HANGS_UP unless said where it was never up."""
        if self.refusal is Refusal.NONE and self.phase in (Phase.SHAKING, Phase.JOINING):
            self.refusal = Refusal.HANGS_UP if why is None else why
        self.phase = Phase.CLOSED
        client, self._client = self._client, None
        connected, self._socket = self._socket, None
        if client is not None:
            client.on_disconnect = None
        if connected is not None:
            connected.close()

    def _shake(self, connected: ssl.SSLSocket, client: GivenSocketClient) -> None:
        try:
            connected.do_handshake()
        except ssl.SSLWantReadError:
            self._shake_wants = select.POLLIN
        except ssl.SSLWantWriteError:
            self._shake_wants = select.POLLOUT
        except ssl.SSLError as error:
            self.close(of_tls(error, Refusal.NO_TLS))
        else:
            self.phase = Phase.JOINING
            self._must(client.start(self._host))

    def _exchange(self, connected: ssl.SSLSocket, client: GivenSocketClient, events: int) -> None:
        """Read and write; in TLS 1.3 the broker's word on our certificate comes only now."""
        try:
            self._read_and_write(connected, client, events)
        finally:
            if client.tls_error is not None:
                self.refusal = of_tls(client.tls_error, self.refusal)

    def _read_and_write(self, connected: ssl.SSLSocket, client: GivenSocketClient, events: int) -> None:
        if events & ~select.POLLOUT:
            self._read(client)
            while self.phase is not Phase.CLOSED and connected.pending():
                self._read(client)
        if client.flooded:
            self.close()
        elif self.phase is not Phase.CLOSED and client.want_write():
            self._must(client.loop_write())

    def _read(self, client: GivenSocketClient) -> None:
        """A packet or a few. A broker that never stops would keep us from everything else, a beat to warden too."""
        if self._reads_left <= 0:
            self.close()
            self.refusal = Refusal.FLOODS
            return
        self._reads_left -= 1
        self._must(client.loop_read())

    def _must(self, outcome: MQTTErrorCode) -> None:
        if outcome != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.close()

    def _on_connect(
        self, client: Client, data: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self.close(of_mqtt(reason))
        else:
            self._must(client.subscribe(self._receipts, qos=1)[0])

    def _on_subscribe(
        self, client: Client, data: object, mid: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        if self.phase is Phase.JOINING and reasons and not any(reason.is_failure for reason in reasons):
            self.phase = Phase.UP
        else:
            self.close(Refusal.NOT_AUTHORISED)

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        if message.topic == self._receipts and 0 < len(message.payload) <= MAX_RECEIPT_BYTES:
            self._receipt(bytes(message.payload))

    def _on_publish(
        self, client: Client, data: object, mid: int, reason: ReasonCode, properties: Properties | None
    ) -> None:
        """The broker's word on one envelope. What it refuses to pass on is not delivered, and is sent again."""
        if self._in_flight.pop(mid, None) is None:
            return
        if reason.is_failure:
            self.refusal = Refusal.TAKES_NO_EVENTS
        else:
            self.refusal = Refusal.NONE
            self.delivered += 1

    def _on_disconnect(
        self, client: Client, data: object, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self.close()
