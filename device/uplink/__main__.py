"""uplink: joins sealed envelopes to the broker, over a connection that dialer made."""

from __future__ import annotations

import encodings.idna  # noqa: F401  (host names load it lazily, when no file can be opened any more)
import select
import time
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.x509.oid import NameOID
from msgspec import Meta

from device.channel.compartment import Compartment, Watch, run
from device.channel.messages import Dialled, Message, ReceiptBytes, SealedEnvelope
from device.uplink.dialling import DialEnd
from device.uplink.service import Uplink
from identity import DamagedKeyError, Home, load
from wire import topics

_QUIET_SECONDS = 1.2  # sealer sends what has no receipt each second
_LINGER_SECONDS = 3.0  # warden waits for five


class UplinkSettings(msgspec.Struct, forbid_unknown_fields=True):
    """The data home, whose TLS client files alone are to be seen here, and the one broker (no host: there is none).

    `linger`: whether to go on for a moment when it is stopped, so that sealer's last words get through.
    """

    home: str
    host: Annotated[str, Meta(max_length=253)]
    port: Annotated[int, Meta(ge=0, le=65535)]
    linger: bool = False


def device_id_of(path: Path) -> str:
    """The device id, which is the common name of its TLS certificate. Raises KeysError."""
    names = load.certificate(path).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else ""
    if not topics.is_device_id(name):
        raise DamagedKeyError(f"{path} does not name a device", "run: sealcam keys renew")
    return name


def main(me: Compartment) -> None:
    settings = me.settings(UplinkSettings)
    sealer, dialer = me.link("sealer", SealedEnvelope), me.link("dialer", Dialled)
    if not settings.host:
        me.ready()
        me.serve({sealer: lambda _: None})
        return
    folder = Home(Path(settings.home)).device
    end = DialEnd(dialer)

    passed = time.monotonic()  # when something last passed, in either direction

    def receipt(data: bytes) -> None:
        nonlocal passed
        passed = time.monotonic()
        sealer.try_send(ReceiptBytes(data))  # one that sealer has no room for comes again with the next resending

    uplink = Uplink(
        load.client_context(folder / "tls.key", folder / "tls.crt", folder / "ca.crt"),
        host=settings.host,
        device_id=device_id_of(folder / "tls.crt"),
        dial=end.ask,
        receipt=receipt,
        clock=time.monotonic,
    )
    me.ready()

    def carry(message: Message) -> None:
        nonlocal passed
        if isinstance(message, SealedEnvelope):
            passed = time.monotonic()
            me.handled += 1
            if not uplink.publish(message.sequence, message.sealed):
                me.dropped += 1

    def watches() -> list[Watch]:
        polled: list[Watch] = [(end.fileno(), select.POLLIN, lambda _: uplink.dialled(end.receive()))]
        connection = uplink.connection
        if connection is not None and connection.fileno() >= 0:
            polled.append((connection.fileno(), connection.wants(), uplink.serve))
        return polled

    def tick() -> None:
        uplink.tick()
        me.facts["connections"] = uplink.connections
        me.facts["up"] = int(uplink.up)
        me.facts["delivered"] = uplink.delivered

    me.serve({sealer: carry}, tick=tick, tick_seconds=lambda: min(0.25, uplink.tick_seconds()), watches=watches)
    if settings.linger:
        stopped = passed = time.monotonic()

        def until_quiet() -> None:
            tick()
            now = time.monotonic()
            me.stopping = not uplink.up or now - passed >= _QUIET_SECONDS or now - stopped >= _LINGER_SECONDS

        me.stopping = False
        me.serve({sealer: carry}, tick=until_quiet, tick_seconds=lambda: 0.1, watches=watches)
    uplink.close()


if __name__ == "__main__":
    run("uplink", main)
