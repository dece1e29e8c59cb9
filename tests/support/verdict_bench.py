"""A bench for verdict's service: real links and a real memory around it, every peer's end in the test's hands."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from device.channel import link as links
from device.channel import memory, topology
from device.channel.link import Link
from device.channel.messages import Go, Health, Message, Readings, Sightings, Verdict
from device.confine import policy as policies
from device.verdict.service import VerdictService
from device.verdict.settings import VerdictSettings
from tests.support.verdict_drive import UTC_S


class Bench:
    """The service with real links and a real memory; `hears` holds what `sealer` is sent."""

    def __init__(self, descriptor: int, *, lockstep: bool = True, sure_score: float = 0.5, track: bool = False) -> None:
        self.descriptor = descriptor
        self.ends: dict[str, Link] = {}
        self.links: dict[str, Link] = {}
        self.paused: list[tuple[str, bool]] = []
        self.samples: list[tuple[str, float]] = []
        self.reported: list[dict[str, int]] = []
        self.me: Any = SimpleNamespace(
            descriptor=lambda name: os.dup(descriptor),
            link=self._link,
            sample=lambda stage, seconds: self.samples.append((stage, seconds)),
            pause=lambda link: self.paused.append((link.peer, True)),
            resume=lambda link: self.paused.append((link.peer, False)),
            report=lambda: self.reported.append(dict(self.me.facts)),
            facts={},
            handled=0,
        )
        settings = VerdictSettings(None, "test", lockstep, {"far": sure_score}, track)
        self.service = VerdictService(self.me, settings)
        self.service.begin(Go(UTC_S * 1000))

    def _link(self, peer: str) -> Link:
        ours, theirs = links.pair()
        self.ends[peer] = Link("verdict", theirs, Verdict, Health)
        end = topology.end_of(policies.load("verdict"), peer)
        self.links[peer] = Link(peer, ours, permits=end.receives, sends=end.sends)
        return self.links[peer]

    def say(self, message: Message, peer: str | None = None) -> None:
        named = {Sightings: "perception", Readings: "codes"}
        self.service.handlers[self.links[peer or named[type(message)]]][type(message)](message)

    def heard_by(self, peer: str) -> list[Message]:
        """What this peer was sent since it was last asked."""
        heard = []
        while (message := self.ends[peer].receive()) is not None:
            heard.append(message)
        return heard

    def hears(self) -> list[Message]:
        self.service.step()
        return self.heard_by("sealer")

    def remembers(self) -> bytes:
        """What a successor would find."""
        return memory.Memory(os.dup(self.descriptor)).load()
