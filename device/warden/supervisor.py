"""The supervising loop: all ready, then go; restart what falls within its budget; stop when the work is done."""

from __future__ import annotations

import select
import time
from collections import Counter

from device.channel import damage
from device.channel.damage import DamageName
from device.channel.errors import HostileMessageError, PeerClosedError
from device.channel.link import Link
from device.channel.messages import Health
from device.confine import policy as policies
from device.confine import verify
from device.launcher import settings
from device.launcher.child import Child, RestartBudget
from device.launcher.errors import GivenUpError, StartError
from device.launcher.plan import RunPlan
from device.launcher.report import Incident, Notice, Progress, Running
from device.warden import storage
from device.warden.refusals import REFUSALS
from device.warden.stream import MAX_FACT, StreamClock, claim
from device.warden.suspicion import Suspicion
from device.warden.table import COMPARTMENTS, JUDGE, READERS, ROWS, SOURCE, STORE, TRACK
from device.warden.wiring import Wiring
from device.warden.workload import Workload
from wire.manifest import Manifest
from wire.vocabulary import CompartmentName, HealthKind

_STOP_SECONDS = 5.0
_REPORT_SECONDS = 0.2
_SETTLE_SECONDS = 0.6  # two beats
_ROOM_SECONDS = 5.0
_YOUNG_SECONDS = 5.0
_FALLS_UNTIL_FORGOTTEN = 3
_MAX_COUNT = 2**40  # what Health holds
_LEAD_FRAMES = 32  # handled since the last beat, and in the ring
_NAMES = tuple(row.name for row in COMPARTMENTS)


class Supervisor:
    """The device while it runs.

    Args:
        launcher: the link to the command that started us.
    """

    def __init__(self, plan: RunPlan, manifest: Manifest, wiring: Wiring, launcher: Link) -> None:
        self._plan, self._manifest, self._wiring, self._launcher = plan, manifest, wiring, launcher
        self._named = settings.names(plan)
        limits = plan.config.warden
        self.children: dict[CompartmentName, Child] = {}
        self.budgets = {name: RestartBudget(limits.restarts, limits.restart_window_seconds) for name in _NAMES}
        self.suspicion = Suspicion(limits.restart_window_seconds)
        self._workload = Workload(limits.least_judged_share)
        self._falls: Counter[CompartmentName] = Counter()  # in a row, soon after the start
        self.gone: list[Child] = []  # ended children, for their counts and latencies
        self.layers: dict[str, dict[str, bool]] = {}
        self.stopping = False
        self.clock = StreamClock()
        self._went_at = 0.0  # monotonic seconds of the first Go
        self._damage_told: dict[DamageName, tuple[int, bool]] = {}  # the count, and whether it was the last
        self._health = Link(STORE, wiring.health)
        self._due: dict[CompartmentName, float] = {}  # compartments that are to be started again, and when
        self._doubts_told: set[str] = set()
        self._told: set[int] = set()  # process ids that have had their Go
        self._next_report = 0.0
        self._judged_at: float | None = None
        self._finished_at: float | None = None
        self._ended_at: float | None = None
        self._storage = storage.StorageWatch()
        self._began = time.monotonic()

    # --- start ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all, wait until all are ready, check that their inputs fit, and say go. Raises StartError."""
        for name in _NAMES:
            self._start_one(name, 0)
        deadline = time.monotonic() + self._plan.config.warden.start_seconds
        while any(child.facts is None for child in self.children.values()):
            self._turn()
            for child in list(self.children.values()):
                if (how := child.ended()) is not None:
                    child.release()
                    del self.children[child.name]
                    sentence, remedy = child.reason(self._named) or _unexplained(child.name, how)
                    raise StartError(sentence, remedy)
            if time.monotonic() > deadline:
                late = [c.name for c in self.children.values() if c.facts is None]
                raise StartError(
                    f"{', '.join(late)} did not get ready in time", "raise warden.start_seconds or free the machine"
                )
            if self.stopping:
                return
        stream, track = self.children[SOURCE].facts or {}, self.children[TRACK].facts or {}
        self.clock = claim(self._plan, stream, track, round(time.time() * 1000))
        self._go()
        self._launcher.send(Running({c.name: c.pid for c in self.children.values()}, self.layers))
        self._tell_doubts()

    def _start_one(self, name: CompartmentName, start_frame: int) -> None:
        self.children[name] = Child(
            policies.load(name),
            self._wiring.descriptors(name),
            settings.settings(self._plan, self._manifest, start_frame)[name],
            settings.mounts(self._plan),
            show_output=self._plan.config.warden.output == "inherit",
        )

    # --- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until the work is done or Stop comes.

        Raises:
            GivenUpError: a needed compartment's budget is spent, the input failed, or verdicts cannot be stored.
            StartError: a compartment that was restarted lacks a layer."""
        while not self.stopping:
            self._turn()
            self._restart_due()
            for name in _NAMES:
                if name in self.children:
                    self._look_after(name)
            self._tell_doubts()
            self._report()
            self._watch_storage(time.monotonic())
            if self._over(time.monotonic()):
                self._tell_damage()
                return

    def _over(self, now: float) -> bool:
        """Whether the stream is judged to its end and all is stored, and is delivered or had the time to be.

        Raises GivenUpError when verdicts cannot be stored, or the stream has ended and is not judged to its end.
        """
        patience = self._plan.config.warden.deliver_seconds
        unstored = self.fact(JUDGE, "unstored")
        trouble = storage.trouble(self, self._named)
        ended = any(child.done is not None for child in self.generations(SOURCE))
        if not ended or not self.fact(JUDGE, "finished"):  # verdict's word alone does not end a run
            self._ended_at = (self._ended_at or now) if ended else None
            if self._ended_at is not None and now - self._ended_at > 2 * self._plan.config.warden.silent_seconds:
                raise GivenUpError("the stream has ended and was not judged to its end", "see the incidents above")
            return False
        self._finished_at = self._finished_at or now
        if trouble and not self._plan.config.uplink.host:  # no receipt can come and make room
            patience = min(patience, _ROOM_SECONDS)
        if unstored and now - self._finished_at > patience:
            why = trouble.sentence if trouble else "the spool is full or its disk fails"
            raise GivenUpError(
                f"{storage.told({'verdict': unstored})} could not be stored: {why}",
                trouble.remedy if trouble else "let it be delivered (configure [uplink] host), or raise spool.max_mib",
            )
        if unstored:
            return False
        self._judged_at = self._judged_at or now
        return self._delivered() or now - self._judged_at > patience or not self._plan.config.uplink.host

    def _turn(self) -> None:
        """Wait for messages of the compartments and the command, and take them in."""
        by_descriptor = {c.control.fileno(): c for c in self.children.values()}
        poll = select.poll()
        poll.register(self._launcher, select.POLLIN)
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(50):
            if descriptor == self._launcher.fileno():
                self._from_launcher()
                continue
            child = by_descriptor[descriptor]
            try:
                child.listen()
            except HostileMessageError:
                self._blame(child.name)
            except PeerClosedError:
                if child.ended() is None:
                    time.sleep(0.005)  # closed its end, not yet reaped

    def _from_launcher(self) -> None:
        try:
            if self._launcher.receive() is not None:
                self.stopping = True
        except PeerClosedError:
            self.stopping = True

    def _look_after(self, name: CompartmentName) -> None:
        child = self.children[name]
        how = child.ended()
        if how is not None:
            child.release()
            self._fell(name, how)
            return
        self._blame_peers(child)
        if time.monotonic() - child.heard > self._plan.config.warden.silent_seconds:
            child.kill()
            self._incident("restarted", name, "silent")

    def _blame_peers(self, child: Child) -> None:
        """What this compartment says of its peers' messages: counted, reported, and acted on with restarts."""
        if child.beat is None:
            return
        for name in self.suspicion.hear(child.name, child.pid, child.beat.invalid, time.monotonic()):
            if name in self.children:
                self._blame(name)

    def _blame(self, name: CompartmentName) -> None:
        self._incident("invalid_message", name, "dropped")
        self.children[name].kill()

    def _fell(self, name: CompartmentName, how: str) -> None:
        """A compartment has ended although it was not asked to stop."""
        child = self.children.pop(name)
        self.gone.append(child)
        reason = child.reason(self._named)
        if name == SOURCE and reason is not None:
            sentence, remedy = reason
            raise GivenUpError(sentence, remedy)
        if name == SOURCE and child.done is not None:
            return  # its work was done already
        wait = self.budgets[name].spend(time.monotonic())
        self._incident("restarted", name, how)
        if wait is None:
            self._incident("budget_spent", name, how)
            if ROWS[name].needed:
                why, remedy = reason or (how, "see the incidents above")
                raise GivenUpError(
                    f"{name} failed more than {self._plan.config.warden.restarts} times within "
                    f"{self._plan.config.warden.restart_window_seconds:.0f} s ({why})",
                    remedy,
                )
            self._incident("degraded", name, "down")
            wait = self._plan.config.warden.restart_window_seconds
        self._falls[name] = self._falls[name] + 1 if child.facts is None or child.age() < _YOUNG_SECONDS else 0
        if self._falls[name] >= _FALLS_UNTIL_FORGOTTEN:
            self._forget(name)
        self._due[name] = time.monotonic() + wait
        if name == SOURCE:
            for reader in READERS:
                if reader in self.children:
                    self._retire(reader)
                self._due[reader] = self._due[name]

    def _forget(self, name: CompartmentName) -> None:
        """Empty the memory of a compartment that falls soon after each start; what filled it has to send it again."""
        self._falls[name] = 0
        self._wiring.forget(name)
        for other in ROWS[name].tells_again:
            if other in self.children:
                self._retire(other)
                self._due[other] = time.monotonic()

    def _retire(self, name: CompartmentName) -> None:
        child = self.children.pop(name)
        child.kill()
        child.process.wait()
        child.release()
        self.gone.append(child)

    def _restart_due(self) -> None:
        now = time.monotonic()
        due = [name for name in _NAMES if self._due.get(name, now + 1) <= now]
        start_frame = 0
        if SOURCE in due:
            start_frame = max(0, min(self._wiring.last_frame(), self._plausible_frame(now)))
            self._wiring.renew_ring()
        for name in due:
            del self._due[name]
            self._start_one(name, start_frame if name == SOURCE else 0)
        self._go()

    def _plausible_frame(self, now: float) -> int:
        """The highest frame number that can be true: the number in the ring was written by the source that fell.

        No reader alone can raise it; where the camera is faster than it said, both have come further than the clock.
        """
        reached = min(self.fact(reader, "last_frame") for reader in READERS)
        milli_fps = max((c.facts.get("milli_fps", 0) for c in self.generations(SOURCE) if c.facts), default=0)
        by_the_clock = (now - self._began) * milli_fps / 1000.0 if self._plan.pace == "realtime" else 0.0
        return int(max(reached, min(by_the_clock, MAX_FACT))) + _LEAD_FRAMES

    def _go(self) -> None:
        """Let those go that are ready, once the kernel itself says that every layer holds. Raises StartError."""
        for child in self.children.values():
            if child.facts is None or child.pid in self._told:
                continue
            held = verify.enforced(child.policy, child.pid)
            missing = [layer for layer in held if not held[layer]]
            if missing and verify.has_ended(child.pid):
                continue  # it was not let go; its end is noticed as that of any other, or its silence
            if missing:
                raise StartError(f"{child.name} runs without {', '.join(missing)}", "run: sealcam doctor")
            self.layers[child.name] = held
            self._told.add(child.pid)
            self._went_at = self._went_at or time.monotonic()
            elapsed_ms = round((time.monotonic() - self._went_at) * 1000)
            child.go_with(self.clock.go(elapsed_ms))

    def stream_seconds(self, began: float) -> float:
        """From `began` to the moment when the stream was judged to its end (now, if it was not)."""
        return (self._judged_at or time.monotonic()) - began

    def _watch_storage(self, now: float) -> None:
        """Tell the user at once that verdicts are not stored, and why; telemetry is told by sealer itself."""
        trouble = storage.trouble(self, self._named)
        news = self._storage.news(trouble, now)
        if news is None:
            return
        if trouble is not None:
            self._launcher.try_send(Incident("spool_full", STORE, trouble.word))
        self._launcher.try_send(Notice(*news))

    # --- what is known --------------------------------------------------------------------------------------------

    def fact(self, name: CompartmentName, key: str) -> int:
        """The newest value of a compartment's fact, over its restarts; 0 where it gave none."""
        for child in self.generations(name):
            if child.beat is not None and key in child.beat.facts:
                return child.beat.facts[key]
        return 0

    def total(self, name: CompartmentName, key: str) -> int:
        """The sum of a counting fact over a compartment's restarts."""
        return sum(child.beat.facts.get(key, 0) for child in self.generations(name) if child.beat is not None)

    def damage(self) -> dict[DamageName, int]:
        """What capture found wrong with its input, over its restarts. It may be hostile: a count is all it chooses."""
        found: Counter[DamageName] = Counter()
        for child in self.generations(SOURCE):
            found.update(damage.counts(_told(child)))
        return dict(found)

    def told(self, name: CompartmentName, key: str) -> int:
        """The highest value of a fact in any start of a compartment, what it said last included."""
        return max((_told(child).get(key, 0) for child in self.generations(name)), default=0)

    def generations(self, name: CompartmentName) -> list[Child]:
        """Every start of this compartment, the newest first."""
        current = [self.children[name]] if name in self.children else []
        return current + [child for child in reversed(self.gone) if child.name == name]

    def _delivered(self) -> bool:
        """Whether nothing waits for a receipt, by a beat that is younger than the last verdict."""
        settled = self._judged_at is not None and time.monotonic() - self._judged_at > _SETTLE_SECONDS
        return settled and self.fact(STORE, "waiting") == 0

    def _incident(self, kind: HealthKind, name: CompartmentName, detail: str, count: int = 1) -> None:
        at_ms = round(time.time() * 1000) if self.clock.wall else 0  # no time is better than a wrong time
        report = Health(kind, name, min(count, _MAX_COUNT), at_ms, detail)
        self._health.try_send(report)
        self._launcher.try_send(Incident(kind, name, detail))

    def _tell_doubts(self) -> None:
        """Each doubt about time once: of the stream's start where place or time is judged by it, of our own clock."""
        if self.clock.source != "none" and (
            self._plan.gpx or self._plan.kind == "camera" or self.total(JUDGE, "untimed_codes")
        ):
            for doubt in self.clock.doubts:
                self._tell_once("clock_unsure", "warden", doubt)
        if not self.clock.wall:
            self._tell_once("clock_unsure", "warden", "clock_impossible")
        refusal = self.fact("uplink", "refusal")
        if refusal in REFUSALS:
            self._tell_once("degraded", "uplink", REFUSALS[refusal][0])

    def _tell_once(self, kind: HealthKind, name: CompartmentName, detail: str) -> None:
        if detail not in self._doubts_told:
            self._doubts_told.add(detail)
            self._incident(kind, name, detail)

    def _report(self) -> None:
        now = time.monotonic()
        if now < self._next_report:
            return
        self._next_report = now + _REPORT_SECONDS
        self._tell_damage()
        sources = self.generations(SOURCE)
        frame = next((c.beat.handled for c in sources if c.beat), 0)
        frames = next((c.facts.get("frames", 0) for c in sources if c.facts), 0)
        share = 1.0
        if self._plan.pace == "realtime":
            for reader, word in self._workload.look(self, now):
                self._incident("overload", reader, word)
            share = min(self._workload.shares().values(), default=1.0)
        sealed, receipted = self.total(STORE, "sealed"), self.total(STORE, "receipted")
        self._launcher.try_send(Progress(frame, frames, sealed, receipted, share))

    def _tell_damage(self) -> None:
        """Each kind of damage when it is first found, and how much it was at the end: never more, whatever comes."""
        over = any(child.done is not None for child in self.generations(SOURCE))
        for name, count in self.damage().items():
            told, final = self._damage_told.get(name, (0, False))
            if not told or (over and not final and count > told):
                self._damage_told[name] = count, over
                self._incident("input_damaged", SOURCE, name, count)

    # --- stop -----------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Ask all to finish, and wait in the order of the flow; kill what has not ended after five seconds.

        What stores is asked once those have ended that may still send it something.
        """
        order = sorted(self.children, key=_NAMES.index)
        until = _NAMES.index(STORE)
        deadline = time.monotonic() + _STOP_SECONDS
        for names in ([n for n in order if _NAMES.index(n) < until], [n for n in order if _NAMES.index(n) >= until]):
            self._end([self.children[name] for name in names], deadline)

    @staticmethod
    def _end(children: list[Child], deadline: float) -> None:
        for child in children:
            child.ask_to_stop()
        for child in children:
            while child.ended() is None and time.monotonic() < deadline:
                select.select([child.control], [], [], 0.02)
                try:
                    child.listen()
                except (HostileMessageError, PeerClosedError):
                    time.sleep(0.005)
            child.kill()
            child.release()


def _told(child: Child) -> dict[str, int]:
    """A compartment's newest facts: those of its last beat, and what it said when it was done."""
    return {**(child.beat.facts if child.beat is not None else {}), **(child.done or {})}


def _unexplained(name: str, how: str) -> tuple[str, str]:
    """Sentence and remedy for a compartment that ended without a word."""
    return (
        f"{name} ended while starting ({how}) without saying why",
        "set SEALCAM_WARDEN_OUTPUT=inherit to see what it writes itself, and run: sealcam doctor",
    )
