"""The uplink's work: ask dialer for a socket, keep one connection up, carry sealed bytes out and receipts in.

It keeps nothing: an envelope that comes while there is no connection is dropped, because sealer sends it again.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from device.channel.messages import DialFailure
from device.uplink.connection import Connection, Phase
from device.uplink.refusal import BY_DIALLING, Refusal

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.0
LONGEST_REFUSED_SECONDS = 30.0  # where somebody has to do something first: that does not change in a second
ANSWER_SECONDS = 5.0  # for dialer to answer
UP_SECONDS = 5.0  # for TLS and MQTT together, from the socket on
KEEP_ALIVE_SECONDS = 1.0
CALM_SECONDS = 10.0  # without a flood, and one that flooded before is believed to have stopped


class UplinkService:
    """Keeps the device connected to the one broker.

    Args:
        context: TLS client context with the device's certificate.
        host: the name that the broker's certificate must have.
        dial: asks dialer for a connection; the answer is given to `dialled`.
        receipt: called with bytes that claim to be a receipt.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        host: str,
        device_id: str,
        dial: Callable[[], None],
        receipt: Callable[[bytes], None],
        clock: Callable[[], float],
    ) -> None:
        self._context = context
        self._host = host
        self._device_id = device_id
        self._dial = dial
        self._receipt = receipt
        self._clock = clock
        self._connection: Connection | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._act_at = clock()  # when to dial, or until when to wait for an answer or for the connection to be up
        self._asked = False
        self._keep_alive_at = self._up_at = 0.0
        self.connections = 0
        self._refusal = Refusal.NONE  # of the last attempt
        self._delivered_before = 0

    @property
    def up(self) -> bool:
        """Whether envelopes can be published now."""
        return self._connection is not None and self._connection.phase is Phase.UP

    @property
    def refusal(self) -> Refusal:
        """Why nothing is taken now: of the connection that is up, else of the last attempt to make one."""
        up = self._connection is not None and self._connection.phase is Phase.UP
        flooded = self._refusal is Refusal.FLOODS
        return self._connection.refusal if up and self._connection is not None and not flooded else self._refusal

    @property
    def delivered(self) -> int:
        """How many envelopes the broker has acknowledged; an envelope that was sent twice counts twice."""
        return self._delivered_before + (self._connection.delivered if self._connection is not None else 0)

    @property
    def connection(self) -> Connection | None:
        """The connection to poll, None while there is none."""
        return self._connection

    def publish(self, sequence: int, sealed: bytes) -> bool:
        """Carry an envelope to the broker, or drop it. True when it is on its way."""
        return self._connection is not None and self._connection.publish(sequence, sealed)

    def dialled(self, answer: socket.socket | DialFailure) -> None:
        """What dialer answered. A socket that was not asked for is closed."""
        if not self._asked:
            if isinstance(answer, socket.socket):
                answer.close()
            return
        self._asked = False
        if not isinstance(answer, socket.socket):
            self._refusal = BY_DIALLING[answer]
            self._back_off()
            return
        self._act_at = self._clock() + UP_SECONDS
        self._connection = Connection(
            answer, self._context, host=self._host, device_id=self._device_id, receipt=self._receipt
        )

    def serve(self, events: int) -> None:
        """Poll events came on `connection`."""
        if self._connection is not None:
            self._connection.serve(events)

    def tick(self) -> None:
        """Call after each round of events, and at least every `tick_seconds()`."""
        now = self._clock()
        if self._connection is None:
            if now < self._act_at:
                return
            if self._asked:  # dialer did not answer: it was restarted, or hangs
                self._asked = False
                self._refusal = Refusal.NOT_DIALLED
                self._back_off()
                return
            self._asked = True
            self._act_at = now + ANSWER_SECONDS
            self._dial()
            return
        if self.up:
            if self._act_at:
                self._act_at = 0.0
                self._up_at = now
                self.connections += 1
            if self._refusal is not Refusal.FLOODS or now - self._up_at >= CALM_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
                self._refusal = Refusal.NONE
        elif now >= self._act_at:
            self._connection.close(Refusal.SILENT)
        if now >= self._keep_alive_at:
            self._keep_alive_at = now + KEEP_ALIVE_SECONDS
            self._connection.keep_alive()
        if self._connection.phase is Phase.CLOSED:
            self._delivered_before += self._connection.delivered
            self._refusal = self._connection.refusal
            self._connection = None
            self._back_off()

    def tick_seconds(self) -> float:
        """Seconds until there is something to do, unless something comes before."""
        if self._connection is not None:
            return KEEP_ALIVE_SECONDS
        return min(KEEP_ALIVE_SECONDS, max(0.01, self._act_at - self._clock()))

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _back_off(self) -> None:
        self._act_at = self._clock() + self._pause
        longest = LONGEST_REFUSED_SECONDS if self._refusal.lasting else LONGEST_PAUSE_SECONDS
        self._pause = min(2 * self._pause, longest)
