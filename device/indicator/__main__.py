"""indicator: joins verdicts to LED and buzzer, and the tamper switch to verdict."""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from device.channel.compartment import Compartment, run
from device.channel.messages import Message, Tamper, Verdict
from device.indicator.core import SignalPanel, use_factory


class IndicatorSettings(msgspec.Struct, forbid_unknown_fields=True):
    """BCM pin numbers, and the pin factory: `mock` where there are no pins."""

    factory: Literal["mock", "lgpio"]
    red: int
    green: int
    blue: int
    buzzer: int
    tamper: int


def main(me: Compartment) -> None:
    settings = me.settings(IndicatorSettings)
    factory = use_factory(settings.factory)
    if settings.factory == "mock":
        factory.pin(settings.tamper).drive_low()  # a laptop's case counts as shut
    panel = SignalPanel(settings.red, settings.green, settings.blue, settings.buzzer, settings.tamper)
    verdict = me.link("verdict", Verdict)
    opened = panel.opened
    me.ready()

    def show(message: Message) -> None:
        if isinstance(message, Verdict):
            me.handled += 1
            panel.show(message.state)

    def watch_tamper() -> None:
        nonlocal opened
        if panel.opened != opened:
            opened = panel.opened
            verdict.try_send(Tamper(opened, round(time.time() * 1000)))

    me.serve({verdict: show}, tick=watch_tamper)
    panel.close()


if __name__ == "__main__":
    run("indicator", main)
