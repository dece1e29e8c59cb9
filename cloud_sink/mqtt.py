"""The edge to the broker: one thread that receives, lets `Receiver` decide, and publishes receipts.

The broker carries sealed bytes and is trusted with nothing. Delivery is end to end: a message is acknowledged to the
broker only after the decision about it (stored, or refused for good), and the device keeps its envelope until a signed
receipt. Where the database fails, nothing is acknowledged and the connection is made anew after a pause, whereupon
the broker sends the message again.

MQTT 5 (OASIS 2019), QoS 1, persistent session, so that what comes in while the sink is down for a day is kept.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cloud_sink.broker_fault import CLOSED, fault_of
from cloud_sink.errors import BrokerIdentityError, StoreError
from cloud_sink.receiver import Receiver, Refused
from cloud_sink.refusal_log import RefusalLog
from wire import topics
from wire.errors import SealcamError, UsageError

CLIENT_ID = "sealcam-sink"
SESSION_EXPIRY_S = 24 * 3600
KEEPALIVE_S = 20
MAX_PACKET_BYTES = 64 * 1024
IN_FLIGHT = 16
SETTLE_EVERY_S = 1.0
QUIET_S = 5.0  # after the database failed: where nothing comes so long, nothing waits for room
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)  # between attempts to connect; the last pause repeats

Phase = Literal["connecting", "connected", "unreachable", "untrusted", "refused", "store_failed", "stopped"]

_UNKNOWN = float("inf")
_log = logging.getLogger("sealcam-sink")


@dataclass(frozen=True)
class BrokerState:
    """How the connection to the broker stands, and since when (unix milliseconds). `cause`: why, in our words."""

    phase: Phase
    since_ms: int
    cause: str = ""


class Subscriber(threading.Thread):
    """The receiving thread. `changed` is called from it whenever there is something new to show.

    Attributes:
        state: replaced as a whole at every change; may be read from any thread.
        failure: the error that ended the thread, None where it was stopped.
    """

    def __init__(
        self,
        address: tuple[str, int],
        tls: ssl.SSLContext,
        receiver: Receiver,
        *,
        changed: Callable[[], None],
        now_ms: Callable[[], int],
        authority: str = "ca.crt",
    ) -> None:
        """`authority`: the file that says whom `tls` trusts, for what the user is told."""
        super().__init__(name="broker", daemon=True)
        self._address = address
        self._authority = authority
        self._receiver = receiver
        self._refusals = RefusalLog(_log)
        self._changed = changed
        self._now_ms = now_ms
        self._stopping = threading.Event()
        self._store_failed = False
        self._mended_by = 0.0  # while the database failed and nothing was stored since: when to believe it works again
        self._first = True
        self.state = BrokerState("connecting", now_ms())
        self.failure: BaseException | None = None
        self._client = self._make_client(tls)

    def stop(self) -> None:
        """Ask the thread to end; join it after."""
        self._stopping.set()

    def run(self) -> None:
        """The thread: connect, receive until the connection ends, pause, again."""
        try:
            attempt = 0
            while not self._stopping.is_set():
                attempt = 0 if self._converse() else attempt + 1
                self._stopping.wait(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])
            self._settle()
        except BaseException as error:  # noqa: BLE001 -- handed to the main thread, which ends the process with it
            self.failure = error
        finally:
            self._become("stopped")

    def _make_client(self, tls: ssl.SSLContext) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=CLIENT_ID, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True
        )
        client.tls_set_context(tls)
        client.max_queued_messages_set(1000)  # receipts; a dropped receipt is made anew when its envelope comes again
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _converse(self) -> bool:
        """One connection, from its making to its end. Returns whether it was lost after the subscription."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = IN_FLIGHT
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        host, port = self._address
        if self._store_failed and not self._settle():
            return False
        self._store_failed = False
        try:
            self._client.connect(host, port, keepalive=KEEPALIVE_S, clean_start=False, properties=properties)
            return self._receive()
        except SealcamError:
            raise  # our own error, not the broker's
        except (OSError, ValueError, struct.error, IndexError, KeyError) as error:
            # no connection, or a broker that does not keep to the protocol: paho lets those through as they come
            fault = fault_of(error, host, self._authority)
            if fault.foreign and self._first:
                raise BrokerIdentityError(
                    f"the broker at {self.where} is not trusted: {fault.cause}", fault.remedy
                ) from None
            self._become("untrusted" if fault.foreign else "unreachable", fault.cause, fault.remedy)
        finally:
            self._first = False
        return False

    def _receive(self) -> bool:
        subscribed, settled = False, time.monotonic()
        while not self._stopping.is_set() and not self._store_failed:
            if self._client.loop(timeout=0.25) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                if self.state.phase not in ("refused", "store_failed"):
                    self._become("unreachable", *(LOST if subscribed else CLOSED))
                return subscribed
            subscribed = subscribed or self.state.phase == "connected" or 0.0 < self._mended_by < _UNKNOWN
            if self._mended_by and time.monotonic() >= self._mended_by:
                self._mended()
            if time.monotonic() - settled >= SETTLE_EVERY_S:
                settled = time.monotonic()
                self._settle()
        self._client.disconnect()
        self._client.loop(timeout=0.1)
        return False

    def _settle(self) -> bool:
        try:
            if self._receiver.settle():
                self._changed()
        except StoreError as error:
            self._fail_store(error)
            return False
        return True

    def _fail_store(self, error: StoreError) -> None:
        self._store_failed, self._mended_by = True, _UNKNOWN
        self._become("store_failed", str(error))

    def _mended(self) -> None:
        self._mended_by = 0.0
        self._become("connected")

    def _become(self, phase: Phase, cause: str = "", remedy: str = "") -> None:
        if phase == self.state.phase:
            if cause and cause != self.state.cause:
                self.state = BrokerState(phase, self.state.since_ms, cause)
            return
        self.state = BrokerState(phase, self._now_ms(), cause)
        level, sentence = _SAYINGS[phase]
        _log.log(level, sentence.format(where=self.where, cause=cause, remedy=remedy))
        self._changed()

    @property
    def where(self) -> str:
        """The broker's HOST:PORT."""
        host, port = self._address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    # --- paho's callbacks, all in this thread -----------------------------------------------------------------------

    def _on_connect(
        self, client: Client, data: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._become("refused", str(reason).lower())
            client.disconnect()
        else:
            client.subscribe(topics.ENVELOPE_FILTER, qos=1)

    def _on_subscribe(
        self, client: Client, data: object, mid: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        if all(not reason.is_failure for reason in reasons):
            if self._mended_by:  # what was not acknowledged comes again now, and shows whether there is room for it
                self._mended_by = time.monotonic() + QUIET_S
            else:
                self._become("connected")
        else:
            self._become("refused", "it does not let the receiver subscribe")
            client.disconnect()

    def _on_disconnect(
        self, client: Client, data: object, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure and self.state.phase == "connected":
            self._become("unreachable", *LOST)

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        if self._store_failed:
            return  # not acknowledged: it comes again
        try:
            decision = self._receiver.handle(message.topic, bytes(message.payload))
        except StoreError as error:
            self._fail_store(error)
            return
        if isinstance(decision, Refused):
            self._refusals.note(decision.device_id, decision.reason)
        else:
            if self._mended_by:
                self._mended()
            client.publish(topics.receipt_topic(decision.device_id), decision.receipt, qos=1)
            if decision.new:
                self._changed()
        client.ack(message.mid, message.qos)


LOST = ("the connection was lost", "see whether it still runs")
_SAYINGS: dict[Phase, tuple[int, str]] = {
    "connecting": (logging.INFO, "connecting to the broker at {where}"),
    "connected": (logging.INFO, "connected to the broker at {where}"),
    "unreachable": (logging.WARNING, "the broker at {where} cannot be reached: {cause}; {remedy}; trying again"),
    "untrusted": (logging.WARNING, "the broker at {where} is not trusted: {cause}; {remedy}; trying again"),
    "refused": (
        logging.WARNING,
        "the broker at {where} refuses the receiver ({cause}): check its access list (acl) and its log; trying again",
    ),
    "store_failed": (logging.ERROR, "{cause}; nothing is receipted until this is mended; trying again"),
    "stopped": (logging.DEBUG, "no longer connected to the broker"),
}
_HOST = re.compile(r"[0-9A-Za-z_.-]{1,253}")


def parse_address(text: str) -> tuple[str, int]:
    """HOST:PORT, also [IPv6]:PORT. Raises UsageError."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not host:
        raise UsageError(f"{text[:80]!r} is not HOST:PORT", "write it as localhost:8883")
    if len(port) > 5 or not 0 < int(port) < 65536:
        raise UsageError(f"{text[:80]!r} is not HOST:PORT: a port is a number from 1 to 65535", "write localhost:8883")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise UsageError(f"{text[:80]!r} is not HOST:PORT: that is no IPv6 address", "write [::1]:8883") from None
    elif ":" in host:
        raise UsageError(f"{text[:80]!r} is not HOST:PORT: an IPv6 address has brackets", "write [::1]:8883")
    elif not _HOST.fullmatch(host):
        raise UsageError(f"{text[:80]!r} is not HOST:PORT: that is no host's name", "write localhost:8883")
    return host, int(port)
