"""uplink: joins sealed envelopes to the broker, over a connection that dialer made."""

from __future__ import annotations

import encodings.idna  # noqa: F401  (host names load it lazily: here before the run filter)
from pathlib import Path

from device.channel.compartment import Compartment, Handlers
from device.channel.link import Link
from device.channel.messages import SealedEnvelope
from device.uplink.carrier import Carrier
from device.uplink.settings import UplinkSettings
from identity import Home

_LINGER_SECONDS = 3.0  # warden waits for five


def main(me: Compartment) -> None:
    settings = me.settings(UplinkSettings)
    sealer, dialer = me.link("sealer"), me.link("dialer")
    if not settings.host:
        me.ready()
        me.serve({sealer: {SealedEnvelope: lambda _: None}})
        return
    carrier = Carrier(me, sealer, dialer, Home(Path(settings.home)).device, settings.host)
    handlers: dict[Link, Handlers] = {sealer: {SealedEnvelope: carrier.carry}}
    me.ready()
    me.serve(handlers, tick=carrier.tick, tick_seconds=carrier.tick_seconds, watches=carrier.watches)
    if settings.linger:
        carrier.hold()
        me.serve_until(
            lambda: carrier.quiet,
            handlers,
            tick=carrier.tick,
            tick_seconds=lambda: 0.1,
            watches=carrier.watches,
            at_most=_LINGER_SECONDS,
        )
    carrier.close()
