"""Who is at fault now: ended, silent, without progress, accused, flooding. What follows is `restarts`' to do."""

from __future__ import annotations

from typing import Final

from device.channel.link import Link
from device.config import WardenConfig
from device.launcher.child import Child, RestartBudget
from device.launcher.errors import GivenUpError
from device.warden import fixes_owed
from device.warden.blame import DISPUTES, Blame
from device.warden.progress import STALLS, Counts, FrameProgress, Stall
from device.warden.restarts import Restarts
from device.warden.roster import Roster
from device.warden.table import JUDGE, READERS, SOURCE, STORE, TRACK
from device.warden.telling import Teller
from wire.vocabulary import CompartmentName

_STALL_WINDOWS: Final = 10
"""A stall lasts longer than a restart window, so that they are counted over so many times the limit."""
FALSE_RECEIPTS: Final = 100
"""More of them than this are told: a broker that is no broker of ours, or uplink, makes them up."""

HELD_SECONDS: Final = 3.0


class FaultWatch:
    """Looks at every compartment in each turn.

    Args:
        launcher: the link to the command.
        lockstep: capture waits for the readers.
    """

    def __init__(
        self,
        limits: WardenConfig,
        roster: Roster,
        restarts: Restarts,
        teller: Teller,
        launcher: Link,
        *,
        lockstep: bool,
    ) -> None:
        self._limits, self._roster, self._restarts, self._teller = limits, roster, restarts, teller
        self._launcher, self._read_at = launcher, 0.0
        self.blame = Blame(limits.restarts, limits.restart_window_seconds)
        self._progress = FrameProgress(limits.stalled_seconds, lockstep=lockstep)
        self._stalls = RestartBudget(STALLS, _STALL_WINDOWS * limits.stalled_seconds)
        self.fixes = fixes_owed.FixesOwed(limits.stalled_seconds)
        self._floods_told: set[int] = set()
        self._receipts_told = False

    def look(self, now: float) -> None:
        """Find who is at fault, and have it restarted. Raises GivenUpError."""
        for name in list(self._roster.running):
            child = self._roster.running.get(name)
            if child is not None:
                self._look_after(name, child, now)
        self._look_at_receipts()
        self._look_at_fixes(now)
        self._look_at_progress(now)

    def at_the_end(self) -> None:
        """All is judged: what is still owed is told while there is somebody to tell."""
        if self.fixes.at_the_end(self._roster):
            self._tell_owed()

    def at_fault(self) -> Stall:
        """Who is at fault where the stream has ended and is not judged to its end."""
        return self._progress.at_fault()

    def hostile(self, name: CompartmentName) -> None:
        """What a compartment sent to warden itself is no message, or may not come now: nobody else can have sent it."""
        self._teller.incident("invalid_message", name, "dropped")
        self._roster.running[name].kill()  # noticed as its end, which it pays for

    def _look_after(self, name: CompartmentName, child: Child, now: float) -> None:
        how = child.ended()
        if how is not None:
            child.release()
            self._progress.fell(name)
            self._restarts.fell(name, how, now)
            return
        if name == SOURCE and self._goes_on_after_its_end(child):
            self.hostile(name)
            return
        if child.beat is not None:
            self._hear(name, child, now)
        if child.floods and child.pid not in self._floods_told:
            self._floods_told = {c.pid for c in self._roster.running.values() if c.floods}
            self._teller.incident("invalid_message", name, "flood")
        if name in self._roster.running and now - child.heard > self._limits.silent_seconds:
            child.kill()
            self._teller.incident("restarted", name, "silent")

    def _hear(self, name: CompartmentName, child: Child, now: float) -> None:
        """What this compartment says of its peers: counted, told, and acted on."""
        if child.beat is None:
            return
        for sentence in self.blame.floods(name, child.pid, child.beat.flooded, now):
            if sentence.alone:
                self.hostile(name)
                return
            self._teller.incident("invalid_message", sentence.accused[0], f"flood_said_by_{name}")
        said = self.blame.hear(name, child.pid, child.beat.invalid, now)
        if name == JUDGE:
            said += self.blame.disputes(child.pid, child.beat.facts.get(DISPUTES, 0), now)
        for sentence in said:
            if sentence.alone:
                self.hostile(name)
                return
            if not self._roster.running.keys() & set(sentence.restarts):
                continue  # it is away already: counted, and no event for each word of a peer that goes on
            for accused in sentence.accused:
                self._teller.incident("invalid_message", accused, f"{sentence.what}_by_{name}")
            for suspect in sentence.pair or ():  # of frames that do not go on as well: the accuser with the accused
                self._progress.fell(suspect)
            self._restarts.pair(sentence, "accused", now)

    def _goes_on_after_its_end(self, source: Child) -> bool:
        """Whether capture gave frames after it said that all were given and answered: it contradicts itself."""
        if source.since_done is None:
            return False
        given = sum(source.since_done.get(f"{reader}_given", 0) for reader in READERS)
        now_given = sum(source.said.get(f"{reader}_given", 0) for reader in READERS)
        return now_given > given

    def _look_at_fixes(self, now: float) -> None:
        if self.fixes.at_fault(self._roster, now):
            self._tell_owed()
            self._restarts.pair(self.blame.between(TRACK, JUDGE, now), "fixes_owed", now)

    def _tell_owed(self) -> None:
        self._teller.incident("invalid_message", TRACK, f"fixes_said_by_{JUDGE}")

    def _look_at_receipts(self) -> None:
        """Told once, and held against nobody: uplink passes on what the broker gives it."""
        if not self._receipts_told and self._roster.total(STORE, "false_receipts") > FALSE_RECEIPTS:
            self._receipts_told = True
            self._teller.incident("invalid_message", "uplink", f"receipts_said_by_{STORE}")

    def _command_is_held(self, now: float) -> bool:
        """Whether the command reads nothing (its terminal, or who reads its output, is stopped), by the kernel's word.

        Warden's own link tells: what compartments send to the command cannot fill it.
        """
        if not self._launcher.unread():
            self._read_at = now
        return now - self._read_at > HELD_SECONDS

    def _look_at_progress(self, now: float) -> None:
        if self._command_is_held(now):
            self._progress.excuse(now)  # what is to be recorded is not taken: no compartment's doing
            return
        going: dict[CompartmentName, Counts] = {
            name: child for name, child in self._roster.running.items() if child.told
        }
        stall = self._progress.stalled(going, now)
        if not self._roster.source_is_done():
            stuck = self._progress.stuck(now, self._limits.start_seconds)
            if stuck is not None:
                raise self._given_up(stuck)
        if stall is None:
            return
        if self._stalls.spend(now) is None:
            raise self._given_up(stall)
        if len(stall) == 1:
            self._teller.incident("restarted", stall[0], "stalled")
            self._roster.running[stall[0]].kill()
            return
        first, second = stall
        self._restarts.pair(self.blame.between(first, second, now), "stalled", now)

    def _given_up(self, at_fault: Stall) -> GivenUpError:
        seconds = f"{self._limits.stalled_seconds:.0f} s"
        return GivenUpError(
            f"the frames did not go on for {seconds}, again and again: {' or '.join(at_fault)} is at fault",
            "raise [warden] stalled_seconds if this machine is so slow, or report it with the incidents above",
        )
