"""How a compartment is started, and when it is let go: once the kernel itself says that every layer holds."""

from __future__ import annotations

import time

from device.confine import policy as policies
from device.confine import verify
from device.launcher import settings
from device.launcher.child import Child
from device.launcher.errors import StartError
from device.launcher.plan import RunPlan
from device.warden.roster import Roster
from device.warden.stream import MAX_FACT, StreamClock
from device.warden.table import JUDGE, READERS, SOURCE
from device.warden.wiring import Wiring
from wire.manifest import Manifest
from wire.vocabulary import CompartmentName

_LEAD_FRAMES = 32  # handled since the last beat, and in the ring


class Starter:
    """Starts the compartments of one run, the first time and again.

    Attributes:
        layers: compartment -> layer -> whether it holds, as the kernel says.
    """

    def __init__(self, plan: RunPlan, manifest: Manifest, wiring: Wiring, roster: Roster) -> None:
        self._plan, self._manifest, self._wiring, self._roster = plan, manifest, wiring, roster
        self.layers: dict[str, dict[str, bool]] = {}
        self._began = time.monotonic()
        self._went_at = 0.0  # monotonic seconds of the first Go

    def start(self, name: CompartmentName) -> None:
        """Start one. A source that is started again goes on where it fell, in a new ring."""
        frame = 0
        if name == SOURCE and self._roster.generations(SOURCE):
            frame = max(0, min(self._wiring.last_frame(), self._plausible_frame(time.monotonic())))
            self._wiring.renew_ring()
        self._roster.running[name] = Child(
            policies.load(name),
            self._wiring.descriptors(name),
            settings.settings(self._plan, self._manifest, frame)[name],
            settings.mounts(self._plan),
            show_output=self._plan.config.warden.output == "inherit",
            samples=self._roster.latencies.add,
        )

    def go(self, clock: StreamClock) -> None:
        """Let those go that are ready. Raises StartError where a layer is missing."""
        for child in self._roster.running.values():
            if child.facts is None or child.told:
                continue
            held = verify.enforced(child.policy, child.pid)
            missing = [layer for layer in held if not held[layer]]
            if missing and verify.has_ended(child.pid):
                continue  # it was not let go; its end is noticed as that of any other, or its silence
            if missing:
                raise StartError(f"{child.name} runs without {', '.join(missing)}", "run: sealcam doctor")
            self.layers[child.name] = held
            child.told = True
            self._went_at = self._went_at or time.monotonic()
            child.go_with(clock.go(round((time.monotonic() - self._went_at) * 1000)))

    def _plausible_frame(self, now: float) -> int:
        """The highest frame number that can be true: the number in the ring was written by the source that fell.

        By what verdict heard of both readers, at the most that it ever said: no reader alone can raise it, nor lower it
        by its word of itself, so that the frames would go round. Where the camera is faster than it said, both have
        come further than the clock.
        """
        reached = min(self._roster.told(JUDGE, f"{reader}_reached") for reader in READERS)
        starts = self._roster.generations(SOURCE)
        milli_fps = max((start.facts.get("milli_fps", 0) for start in starts if start.facts), default=0)
        by_the_clock = (now - self._began) * milli_fps / 1000.0 if self._plan.pace == "realtime" else 0.0
        return int(max(reached, min(by_the_clock, MAX_FACT))) + _LEAD_FRAMES
