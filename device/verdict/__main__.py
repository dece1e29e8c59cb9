"""verdict: joins sightings, readings and fixes to the judge, and its verdicts to sealer, indicator and the recorder."""

from __future__ import annotations

from device.channel.compartment import Compartment
from device.verdict.service import VerdictService
from device.verdict.settings import VerdictSettings


def main(me: Compartment) -> None:
    service = VerdictService(me, me.settings(VerdictSettings))
    service.begin(me.ready())
    service.record_again()
    me.serve(service.handlers, tick=service.step)
    service.hand_over()
