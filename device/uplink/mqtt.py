"""Our part of the MQTT client: it takes the socket that it is given, and no packet beyond its cap.

paho-mqtt has no public way to hand it a connected socket. Two of its private methods are overridden here and nowhere
else: `_create_socket_connection`, which it calls for each connection, and `_sock_recv`, through which every byte comes
in. A test pins both. Its threads, its own loop and its wake-up socket pair are never used.
"""

from __future__ import annotations

import socket
import ssl

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

MAX_INCOMING_BYTES = 4096
RECEIVE_MAXIMUM = 16
KEEPALIVE_SECONDS = 15


class GivenSocketClient(Client):
    """A paho client over one connected, non-blocking TLS socket, for that connection's life only."""

    def __init__(self, client_id: str, given: ssl.SSLSocket) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, reconnect_on_failure=False)
        self._given: ssl.SSLSocket | None = given
        self.tls_error: ssl.SSLError | None = None  # paho itself keeps only that the connection is lost
        self.max_inflight_messages_set(RECEIVE_MAXIMUM)
        self.max_queued_messages_set(2 * RECEIVE_MAXIMUM)

    def start(self, host: str) -> MQTTErrorCode:
        """Send CONNECT: a clean session, small packets only. paho wants a `host`; nothing is dialled."""
        asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        asked.MaximumPacketSize = MAX_INCOMING_BYTES
        asked.ReceiveMaximum = RECEIVE_MAXIMUM
        return self.connect(host, 1, KEEPALIVE_SECONDS, clean_start=True, properties=asked)

    @property
    def flooded(self) -> bool:
        """Whether the broker has more messages half delivered than it was allowed."""
        return len(self._in_messages) > RECEIVE_MAXIMUM

    def _create_socket_connection(self) -> socket.socket:
        given, self._given = self._given, None
        if given is None:
            raise ConnectionError("a connection is used once")
        return given

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > MAX_INCOMING_BYTES:
            raise ConnectionError("the broker sent a packet over the agreed size")
        try:
            return super()._sock_recv(bufsize)
        except ssl.SSLError as error:
            self.tls_error = error
            raise
