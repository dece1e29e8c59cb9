"""indicator: joins verdicts to LED and buzzer, and the tamper switch to verdict."""

from __future__ import annotations

import time

from device.channel.compartment import Compartment
from device.channel.messages import Tamper, Verdict
from device.indicator.core import open_panel
from device.indicator.settings import IndicatorSettings


def main(me: Compartment) -> None:
    panel = open_panel(me.settings(IndicatorSettings))
    verdict = me.link("verdict")
    opened = panel.opened
    clock_is_right = me.ready().wall

    def show(message: Verdict) -> None:
        me.handled += 1
        panel.show(message.state)

    def watch_tamper() -> None:
        nonlocal opened
        if panel.opened != opened:
            opened = panel.opened
            verdict.try_send(Tamper(opened, round(time.time() * 1000) if clock_is_right else 0))

    me.serve({verdict: {Verdict: show}}, tick=watch_tamper)
    panel.close()
