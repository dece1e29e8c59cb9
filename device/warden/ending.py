"""When a run is over, and how its compartments are ended: in the order of the flow, nothing on its way is lost."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from typing import Final

from device.channel.errors import HostileMessageError, PeerClosedError
from device.launcher.child import Child
from device.launcher.errors import GivenUpError, UnstoredError
from device.launcher.plan import RunPlan
from device.warden import refusals, storage, workload
from device.warden.roster import Roster
from device.warden.table import COMPARTMENTS, JUDGE, READERS, STORE
from wire.vocabulary import CompartmentName

STOP_SECONDS: Final = 6.0
"""For those that give and judge, and then again for what stores: in all less than the command waits for warden."""
_SETTLE_SECONDS: Final = 0.6  # two beats
_ROOM_SECONDS: Final = 5.0
_AWAY_SECONDS: Final = 3.0  # for a broker that was not reached in this run: uplink tries about once a second
_NAMES: Final = tuple(row.name for row in COMPARTMENTS)


class Ending:
    """Whether a run is over. Times are monotonic seconds.

    Args:
        named: what this run calls its inputs.
        at_fault: who is, where the stream has ended and is not judged to its end.

    Attributes:
        judged_at: when all was judged and stored, None before.
    """

    def __init__(
        self,
        plan: RunPlan,
        roster: Roster,
        named: Mapping[str, str],
        at_fault: Callable[[], tuple[CompartmentName, ...]],
    ) -> None:
        self._plan, self._roster, self._named, self._at_fault = plan, roster, named, at_fault
        self._ended_at: float | None = None
        self._judged = -1
        self._finished_at: float | None = None
        self.judged_at: float | None = None

    def over(self, now: float) -> bool:
        """Whether the stream is judged to its end and all is stored, and is delivered or had the time to be.

        Raises UnstoredError when verdicts cannot be stored, GivenUpError when the stream has ended unjudged.
        """
        patience = self._plan.config.warden.deliver_seconds
        ended = self._roster.source_is_done()
        if not ended or not self._roster.fact(JUDGE, "finished"):  # verdict's word alone does not end a run
            judged = sum(workload.judged(self._roster, reader) for reader in READERS)
            goes_on, self._judged = judged > self._judged, max(judged, self._judged)
            self._ended_at = None if not ended else now if goes_on else self._ended_at or now
            if self._ended_at is not None and now - self._ended_at > 2 * self._plan.config.warden.silent_seconds:
                raise GivenUpError(
                    f"the stream has ended and was not judged to its end: {' or '.join(self._at_fault())} is at fault",
                    "run it again, and report it with the incidents above",
                )
            return False
        self._finished_at = self._finished_at or now
        unstored = self._roster.fact(JUDGE, "unstored")
        trouble = storage.trouble(self._roster, self._named)
        if trouble and not self._plan.config.uplink.host:  # no receipt can come and make room
            patience = min(patience, _ROOM_SECONDS)
        if unstored and now - self._finished_at > patience:
            raise _not_stored(unstored, trouble, patience)
        if unstored or not self._store_is_up(now - self._finished_at, patience):
            return False
        self.judged_at = self.judged_at or now
        waited = now - self.judged_at
        return self._delivered(now) or waited > self._delivery_patience() or not self._plan.config.uplink.host

    def _store_is_up(self, waited: float, patience: float) -> bool:
        """Whether what stores runs, or had the time to: for one that has just been killed reports wait."""
        store = self._roster.running.get(STORE)
        return (store is not None and store.told) or waited > patience

    def _delivery_patience(self) -> float:
        """Seconds to wait for receipts: not for long where the broker is known to give none."""
        refusal = refusals.current(self._roster, self._plan.config.uplink)
        reached = self._roster.total("uplink", "connections") > 0
        longest = self._plan.config.warden.deliver_seconds
        return longest if refusal is None or (reached and not refusal.lasting) else min(longest, _AWAY_SECONDS)

    def _delivered(self, now: float) -> bool:
        """Whether nothing waits for a receipt that could come, by a beat that is younger than the last verdict."""
        settled = self.judged_at is not None and now - self.judged_at > _SETTLE_SECONDS
        return settled and self._roster.fact(STORE, "waiting") <= self._roster.fact(STORE, "held")


def _not_stored(unstored: int, trouble: storage.Trouble | None, patience: float) -> UnstoredError:
    told = storage.told({"verdict": unstored})
    if trouble is None:  # the spool refuses nothing: then it is not its disk
        return UnstoredError(
            f"{STORE} has not confirmed {told} within {patience:.0f} s, and names no cause",
            "raise [warden] deliver_seconds if this machine is slow, or report it with the incidents above",
        )
    return UnstoredError(trouble.sentence, trouble.remedy)


def stop(
    running: Mapping[CompartmentName, Child], killed: Callable[[CompartmentName], None] = lambda name: None
) -> list[CompartmentName]:
    """Ask all to finish, and wait in the order of the flow; kill what has not ended after six seconds.

    What stores is asked once those have ended that may still send it something, and has six seconds of its own.

    Args:
        killed: called with who did not end, at once: what stores can still be told.

    Returns:
        Who did not end.
    """
    order = sorted(running, key=_NAMES.index)
    until = _NAMES.index(STORE)
    found: list[CompartmentName] = []
    for names in ([n for n in order if _NAMES.index(n) < until], [n for n in order if _NAMES.index(n) >= until]):
        late = _end([running[name] for name in names], time.monotonic() + STOP_SECONDS)
        for name in late:
            killed(name)
        found += late
    return found


def _end(children: list[Child], deadline: float) -> list[CompartmentName]:
    """Ask these to finish; kill those that have not at the deadline, and return their names."""
    for child in children:
        child.ask_to_stop()
    late: list[CompartmentName] = []
    for child in children:
        while child.ended() is None and time.monotonic() < deadline:
            select.select([child.control], [], [], 0.02)
            try:
                child.listen()
            except (HostileMessageError, PeerClosedError):
                time.sleep(0.005)
        if child.ended() is None and child.told:  # else it is still loading, and has nothing in hand
            late.append(child.name)
        child.kill()
        child.release()
    return late
