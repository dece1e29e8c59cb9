"""The supervising loop: all ready, then go; look after them; stop when the work is done.

Each part of it is a module of its own: who runs and what they said (`roster`), how one starts and is let go
(`starting`), who is at fault (`watching`, by `progress` and `blame`), what follows (`restarts`), what is told
(`telling`), and when it is over (`ending`).
"""

from __future__ import annotations

import contextlib
import select
import time

from device.channel.errors import HostileMessageError, PeerClosedError
from device.channel.link import Link
from device.launcher import settings
from device.launcher.errors import StartError
from device.launcher.plan import RunPlan
from device.launcher.report import Running
from device.warden import ending, refusals
from device.warden.ending import Ending
from device.warden.refusals import RefusalWords
from device.warden.restarts import Restarts
from device.warden.roster import Roster
from device.warden.starting import Starter
from device.warden.stream import StreamClock, claim
from device.warden.table import COMPARTMENTS, SOURCE, STORE, TRACK
from device.warden.telling import Teller
from device.warden.watching import FaultWatch
from device.warden.wiring import Wiring
from wire.manifest import Manifest
from wire.vocabulary import CompartmentName

_TURN_MS = 50


class Supervisor:
    """The device while it runs.

    Args:
        launcher: the link to the command that started us.

    Attributes:
        stopping: the command has said Stop, or is gone.
        killed: who did not end by itself when it was asked to.
    """

    def __init__(self, plan: RunPlan, manifest: Manifest, wiring: Wiring, launcher: Link) -> None:
        self._plan, self._launcher = plan, launcher
        self._named = settings.names(plan)
        self.roster = Roster(live=plan.kind == "camera")
        self._teller = Teller(plan, self.roster, Link(STORE, wiring.health), launcher, self._named)
        self.starter = Starter(plan, manifest, wiring, self.roster)
        self.restarts = Restarts(plan.config.warden, self.roster, wiring, self._teller, self._named)
        self._watch = FaultWatch(
            plan.config.warden, self.roster, self.restarts, self._teller, launcher, lockstep=plan.pace == "lockstep"
        )
        self.blame = self._watch.blame
        self._ending = Ending(plan, self.roster, self._named, self._watch.at_fault)
        self.stopping = False
        self.killed: list[CompartmentName] = []

    @property
    def clock(self) -> StreamClock:
        """What is known of the stream's time."""
        return self._teller.clock

    def start(self) -> None:
        """Start all, wait until all are ready, check that their inputs fit, and say go. Raises StartError."""
        for row in COMPARTMENTS:
            self.starter.start(row.name)
        running = self.roster.running
        deadline = time.monotonic() + self._plan.config.warden.start_seconds
        while any(child.facts is None for child in running.values()):
            self._turn()
            self._notice_ends()
            if time.monotonic() > deadline:
                late = [child.name for child in running.values() if child.facts is None]
                raise StartError(
                    f"{', '.join(late)} did not get ready in time",
                    "raise [warden] start_seconds, or end other programs on this machine",
                )
            if self.stopping:
                return
        stream, track = running[SOURCE].facts or {}, running[TRACK].facts or {}
        self._teller.clock = claim(self._plan, stream, track, round(time.time() * 1000))
        self.starter.go(self.clock)
        self._launcher.send(Running({child.name: child.pid for child in running.values()}, self.starter.layers))
        self._teller.look(time.monotonic())

    def run(self) -> None:
        """Until the work is done or Stop comes.

        Raises:
            GivenUpError: a needed compartment's budget is spent, the input failed, or verdicts cannot be stored.
            StartError: a compartment that was restarted lacks a layer."""
        while not self.stopping:
            self._turn()
            for name in self.restarts.due(time.monotonic()):
                self.starter.start(name)
            self.starter.go(self.clock)
            self._watch.look(time.monotonic())
            self._teller.look(time.monotonic(), self._ending.judged_at)
            if self._ending.over(time.monotonic()):
                self._teller.damage()
                self._watch.at_the_end()
                return

    def stop(self) -> None:
        """Ask all to finish, and kill what does not, which is told."""
        self.killed = ending.stop(self.roster.running, self._tell_killed)

    def _tell_killed(self, name: CompartmentName) -> None:
        with contextlib.suppress(PeerClosedError):  # the command is gone
            self._teller.incident("degraded", name, "killed_at_the_end")

    def refusal(self) -> RefusalWords | None:
        """Why the broker takes nothing now; None where it does, or where that is not known yet."""
        return refusals.current(self.roster, self._plan.config.uplink)

    @property
    def fixes_owed(self) -> int:
        """Fixes that position promised and verdict did not get, at the worst time of the run."""
        return self._watch.fixes.worst

    @property
    def judged(self) -> bool:
        """Whether the stream is judged to its end, and all of it is stored."""
        return self._ending.judged_at is not None

    def stream_seconds(self, began: float) -> float:
        """From `began` to the moment when the stream was judged to its end (now, if it was not)."""
        return (self._ending.judged_at or time.monotonic()) - began

    def _notice_ends(self) -> None:
        """Raises StartError: a compartment ended while it started."""
        for name, child in list(self.roster.running.items()):
            if (how := child.ended()) is not None:
                child.release()
                del self.roster.running[name]
                sentence, remedy = child.reason(self._named) or _unexplained(name, how)
                raise StartError(sentence, remedy)

    def _turn(self) -> None:
        """Wait for messages of the compartments and the command, and take them in."""
        by_descriptor = {c.control.fileno(): c for c in self.roster.running.values() if c.is_heard()}
        poll = select.poll()
        poll.register(self._launcher, select.POLLIN)
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(_TURN_MS):
            if descriptor == self._launcher.fileno():
                self._from_launcher()
                continue
            child = by_descriptor[descriptor]
            try:
                child.listen()
            except HostileMessageError:
                self._watch.hostile(child.name)
            except PeerClosedError:
                if child.ended() is None:
                    time.sleep(0.005)  # closed its end, not yet reaped

    def _from_launcher(self) -> None:
        try:
            if self._launcher.receive() is not None:
                self.stopping = True
        except PeerClosedError:
            self.stopping = True


def _unexplained(name: CompartmentName, how: str) -> tuple[str, str]:
    """Sentence and remedy for a compartment that ended without a word."""
    return (
        f"{name} ended while starting ({how}) without saying why",
        "set SEALCAM_WARDEN_OUTPUT=inherit to see what it writes itself, and run: sealcam doctor",
    )
