"""Joins the links to sealer and dialer to the connection to the broker, and notices when nothing passes any more."""

from __future__ import annotations

import select
import time
from pathlib import Path

from device.channel.compartment import Compartment, Watch
from device.channel.link import Link
from device.channel.messages import ReceiptBytes, SealedEnvelope
from device.uplink.dialling import DialEnd
from device.uplink.identity_files import device_id_of
from device.uplink.service import UplinkService
from identity import load

_QUIET_SECONDS = 1.2  # sealer sends what has no receipt each second


class Carrier:
    """Envelopes from sealer to the broker, receipts back.

    Args:
        folder: where the TLS client files are; read now, never again.
        host: the name that the broker's certificate must have.

    Raises:
        KeysError: a TLS file is missing, damaged or open to others.
    """

    def __init__(self, me: Compartment, sealer: Link, dialer: Link, folder: Path, host: str) -> None:
        self._me, self._sealer, self._end = me, sealer, DialEnd(dialer)
        self._passed = time.monotonic()  # when something last passed, in either direction
        self._uplink = UplinkService(
            load.client_context(folder / "tls.key", folder / "tls.crt", folder / "ca.crt", at_any_time=True),
            host=host,
            device_id=device_id_of(folder / "tls.crt"),
            dial=self._end.ask,
            receipt=self._receipt,
            clock=time.monotonic,
        )

    def carry(self, envelope: SealedEnvelope) -> None:
        """Publish one envelope; sealer sends it again if that fails."""
        self._passed = time.monotonic()
        self._me.handled += 1
        if not self._uplink.publish(envelope.sequence, envelope.sealed):
            self._me.dropped["unconnected"] += 1

    def watches(self) -> list[Watch]:
        """What to poll beside the link to sealer: dialer's answers, and the connection."""
        polled: list[Watch] = [
            (self._end.fileno(), select.POLLIN, lambda _: self._dialled()),
        ]
        connection = self._uplink.connection
        if connection is not None and connection.fileno() >= 0:
            polled.append((connection.fileno(), connection.wants(), self._uplink.serve))
        return polled

    def tick(self) -> None:
        """Call after each round of events."""
        self._uplink.tick()
        self._me.facts["connections"] = self._uplink.connections
        self._me.facts["up"] = int(self._uplink.up)
        self._me.facts["delivered"] = self._uplink.delivered
        self._me.facts["refusal"] = self._uplink.refusal

    def tick_seconds(self) -> float:
        """Seconds until there is something to do, unless something comes before."""
        return min(0.25, self._uplink.tick_seconds())

    @property
    def quiet(self) -> bool:
        """Whether there is no connection, or nothing has passed for longer than sealer waits to send again."""
        return not self._uplink.up or time.monotonic() - self._passed >= _QUIET_SECONDS

    def hold(self) -> None:
        """Start the time without traffic at zero."""
        self._passed = time.monotonic()

    def close(self) -> None:
        """End the connection."""
        self._uplink.close()

    def _dialled(self) -> None:
        answer = self._end.receive()
        if answer is not None:
            self._uplink.dialled(answer)

    def _receipt(self, data: bytes) -> None:
        self._passed = time.monotonic()
        self._sealer.try_send(ReceiptBytes(data))  # a receipt that finds no room comes again with the next resending
