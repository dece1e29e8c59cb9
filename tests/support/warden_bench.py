"""Warden's parts around fake children: no process, no link, a clock in the test's hands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from device.channel.messages import Beat
from device.config import Config, WardenConfig
from device.launcher.plan import RunPlan
from device.launcher.report import Incident
from device.warden.restarts import Restarts
from device.warden.roster import Roster
from device.warden.table import COMPARTMENTS
from device.warden.telling import Teller
from device.warden.watching import FaultWatch
from wire.vocabulary import CompartmentName

NAMES = tuple(row.name for row in COMPARTMENTS)
LIMITS = WardenConfig(restarts=2, restart_window_seconds=60.0, silent_seconds=20.0, stalled_seconds=30.0)


def plan(**changes: Any) -> RunPlan:
    fields: dict[str, Any] = {
        "kind": "video", "input": "/v", "shown": "v.mp4", "gpx": "", "gpx_shown": "", "pace": "lockstep",
        "start": "file", "home": "/h", "models": "/m", "run_id": "0" * 32, "config": Config(warden=LIMITS), **changes,
    }  # fmt: skip
    return RunPlan(**fields)


class Heard:
    """A link that takes everything, and whose peer reads as long as `reads`."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.reads = True

    def try_send(self, message: Any) -> bool:
        self.messages.append(message)
        return True

    def unread(self) -> int:
        return 0 if self.reads else 768

    @property
    def incidents(self) -> list[tuple[str, str, str]]:
        return [(m.kind, m.compartment, m.detail) for m in self.messages if isinstance(m, Incident)]


class FakeChild:
    """A compartment that does what the test says of it."""

    _pids = iter(range(1000, 1_000_000))

    def __init__(self, name: CompartmentName) -> None:
        self.name, self.pid = name, next(self._pids)
        self.facts: dict[str, int] | None = {}
        self.done: dict[str, int] | None = None
        self.beat: Beat | None = None
        self.since_done: dict[str, int] | None = None
        self._said: dict[str, int] = {}
        self.told, self.floods, self.heard = True, False, 0.0
        self.how: str | None = None
        self.killed = self.released = False
        self.why: tuple[str, str] | None = None
        self.lived = 100.0
        self.process = SimpleNamespace(wait=lambda: 0)

    def say(self, handled: int = 0, invalid: dict[Any, int] | None = None, **facts: int) -> None:
        self.beat = Beat(handled, {}, invalid or {}, {}, facts)
        if self.done is not None and self.since_done is None:
            self.since_done = dict(facts)
        self._said |= {key: max(value, self._said.get(key, 0)) for key, value in facts.items()}

    @property
    def highest(self) -> dict[str, int]:
        done = self.done or {}
        return {key: max(self._said.get(key, 0), done.get(key, 0)) for key in {*self._said, *done}}

    @property
    def handled(self) -> int:
        return self.beat.handled if self.beat else 0

    @property
    def said(self) -> dict[str, int]:
        return self.beat.facts if self.beat else {}

    @property
    def is_done(self) -> bool:
        return self.done is not None

    def reason(self, names: Any) -> tuple[str, str] | None:
        return self.why

    def age(self) -> float:
        return self.lived

    def ended(self) -> str | None:
        return self.how

    def kill(self) -> None:
        self.killed = True
        self.how = self.how or "sigkill"

    def release(self) -> None:
        self.released = True


class FakeWiring:
    """Notes what is thrown away."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []
        self.discarded: list[str] = []

    def forget(self, name: str) -> None:
        self.forgotten.append(name)

    def discard_from(self, name: str) -> None:
        self.discarded.append(name)


class Warden:
    """Everything but the starting of processes: what is due is started as a fake child."""

    def __init__(self, limits: WardenConfig = LIMITS, pace: str = "lockstep", **changes: Any) -> None:
        self.plan = plan(pace=pace, config=Config(warden=limits), **changes)
        self.roster, self.wiring, self.heard = Roster(), FakeWiring(), Heard()
        parts: Any = (self.heard, self.heard)
        self.teller = Teller(self.plan, self.roster, *parts, {})
        wiring: Any = self.wiring
        self.restarts = Restarts(limits, self.roster, wiring, self.teller, {})
        self.watch = FaultWatch(limits, self.roster, self.restarts, self.teller, parts[0], lockstep=pace == "lockstep")
        for name in NAMES:
            self.start(name)

    def start(self, name: CompartmentName) -> None:
        child: Any = FakeChild(name)
        self.roster.running[name] = child

    def child(self, name: CompartmentName) -> FakeChild:
        child: Any = self.roster.running[name]
        return child

    def look(self, now: float) -> list[CompartmentName]:
        """One turn; who was started again in it. Every compartment has beaten just now."""
        started = self.restarts.due(now)
        for name in started:
            self.start(name)
        self.hear_all(now)
        self.watch.look(now)
        return started

    def hear_all(self, now: float) -> None:
        """Every compartment has beaten just now."""
        for child in self.roster.running.values():
            child.heard = now
