"""sealer: joins verdicts and health to the spool, and the spool to uplink."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from device.channel.compartment import Compartment, Handler, run
from device.channel.link import Link
from device.channel.messages import Health, Message, ReceiptBytes, Verdict
from device.sealer.core import Identity
from device.sealer.service import Service
from device.sealer.spool import Spool
from identity import Home, load
from wire import cose

_LAST_WORDS_SECONDS = 2.0  # warden waits for five


class SealerSettings(msgspec.Struct, forbid_unknown_fields=True):
    """`run_id`: 16 bytes in hex, the same over restarts within a run. `uplink`: whether there is a broker at all."""

    home: str
    run_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
    max_bytes: Annotated[int, Meta(ge=1024 * 1024)]
    uplink: bool
    on_camera: bool = False


def identity_of(home: Home) -> Identity:
    """Read the device's key and the sink's public ones. Raises KeysError."""
    key = load.signing_key(home.device / "signing.key")
    return Identity(
        device_id=home.device_id(),
        signing_key=key,
        key_id=cose.key_id(key.public_key()),
        sink_key=load.sink_public(home.trust / "sink_hpke.pub"),
        receipt_key=load.public_key(home.trust / "receipt.pub"),
    )


def main(me: Compartment) -> None:
    settings = me.settings(SealerSettings)
    home = Home(Path(settings.home))
    identity = identity_of(home)
    spool = Spool(home.spool, device_id=identity.device_id, run_id=settings.run_id, max_bytes=settings.max_bytes)
    verdict, health = me.link("verdict", Verdict, Health), me.link("health", Health)
    uplink = me.link("uplink", ReceiptBytes)
    service = Service(
        spool,
        identity,
        bytes.fromhex(settings.run_id),
        verdict=verdict,
        uplink=uplink,
        clock=time.monotonic,
        unix_ms=lambda: round(time.time() * 1000),
        offers=settings.uplink,
        on_camera=settings.on_camera,
    )
    me.ready()
    service.begin()

    def from_inside(message: Message, sender: Link) -> None:
        began = time.perf_counter()
        service.from_inside(message, sender)
        me.sample("seal", time.perf_counter() - began)
        me.handled += 1

    def tick() -> None:
        service.tick()
        me.facts.update(service.facts())

    handlers: dict[Link, Handler] = {
        verdict: lambda message: from_inside(message, verdict),
        health: lambda message: from_inside(message, health),
        uplink: service.from_uplink,
    }
    me.serve(handlers, tick=tick, tick_seconds=lambda: min(0.25, service.tick_seconds()))
    if settings.on_camera:
        _last_words(me, service, handlers, tick)
    spool.close()


def _last_words(me: Compartment, service: Service, handlers: dict[Link, Handler], tick: Callable[[], None]) -> None:
    """Say `stopped`, and give it a moment to be delivered; if it is not, it goes with the next run."""
    service.end()
    give_up = time.monotonic() + _LAST_WORDS_SECONDS

    def until_settled() -> None:
        tick()
        me.stopping = service.settled or time.monotonic() >= give_up

    me.stopping = False
    me.serve(handlers, tick=until_settled, tick_seconds=lambda: 0.05)


if __name__ == "__main__":
    run("sealer", main)
