"""sealer: joins verdicts and health to the spool, and the spool to uplink."""

from __future__ import annotations

import functools
import time
from pathlib import Path

from device.channel.compartment import Compartment, Handlers
from device.channel.link import Link
from device.channel.messages import Health, ReceiptBytes, Verdict
from device.sealer.identity_files import identity_of
from device.sealer.service import SealerService
from device.sealer.settings import SealerSettings
from device.sealer.spool import opened
from identity import Home

_DRAIN_SECONDS = 1.0  # what is on its way here when the run ends is evidence too
_LAST_WORDS_SECONDS = 2.0  # warden waits for five in all


def main(me: Compartment) -> None:
    settings = me.settings(SealerSettings)
    home = Home(Path(settings.home))
    identity = identity_of(home)
    spool = opened(home.spool, identity, settings)
    verdict, health, uplink = me.link("verdict"), me.link("health"), me.link("uplink")
    service = SealerService(
        spool,
        identity,
        bytes.fromhex(settings.run_id),
        verdict=verdict,
        uplink=uplink,
        clock=time.monotonic,
        unix_ms=lambda: round(time.time() * 1000) if clock_is_right else 0,
        offers=settings.uplink,
        on_camera=settings.on_camera,
    )
    handlers: dict[Link, Handlers] = {
        verdict: {
            Verdict: me.timed("seal", service.on_verdict),
            Health: me.timed("seal", lambda message: service.on_health(message, verdict)),
        },
        health: {Health: me.timed("seal", lambda message: service.on_health(message, health))},
        uplink: {ReceiptBytes: service.on_receipt},
    }
    clock_is_right = me.ready().wall
    service.begin()
    tick = functools.partial(service.step, me.facts)
    me.serve(handlers, tick=tick, tick_seconds=lambda: min(0.25, service.tick_seconds()))
    me.drain({verdict: handlers[verdict], health: handlers[health]}, at_most=_DRAIN_SECONDS)
    if settings.on_camera:  # say `stopped`; if it is not delivered in a moment, it goes with the next run
        service.end()
        me.serve_until(
            lambda: service.settled, handlers, tick=tick, tick_seconds=lambda: 0.05, at_most=_LAST_WORDS_SECONDS
        )
    service.finish(me.facts)
    me.report()
    spool.close()
