"""One run of the device from the outside: warden, dialer, the recorder's links, and a clean end whatever happens."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec

from device.channel import link as links
from device.channel import topology
from device.channel.errors import HostileMessageError, PeerClosedError
from device.channel.link import Link
from device.channel.messages import CodeBoxes, Message, Sightings, Stop, Verdict
from device.launcher.admission import Admission
from device.launcher.annotating import OverlayRecord
from device.launcher.dialling import DIALER, DialService
from device.launcher.errors import AT_FAULT
from device.launcher.plan import RunPlan
from device.launcher.recorder import RunRecorder
from device.launcher.report import Finished, Incident, Notice, Progress, Running
from program.claim import ClaimedFolder
from program.ending import ENDING_SIGNALS, StopWish, StopWord, end_at_once
from wire.errors import RunError, UsageError, line


@dataclass
class RunOutcome:
    """How a run went.

    Attributes:
        exit_status: 0 good, 1 the run found something wrong, 2 bad usage or input.
        sentence, remedy: what the user is told when the status is not 0.
        summary: what `summary.json` holds, empty where nothing ran.
        interrupted: ended early by a signal (Ctrl-C, SIGTERM, SIGHUP); what was made so far is kept.
        notes: lines that the user reads before the sentence.
        reasons: how many verdicts give each reason.
    """

    exit_status: int
    sentence: str
    remedy: str
    summary: dict[str, Any]
    incidents: list[Incident] = field(default_factory=list)
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Sentence and remedy as the user reads them; empty when all is good."""
        return line(self.sentence, self.remedy)


SUMMARY: Final = "summary.json"
RESULTS: Final = ("verdicts.jsonl", "sightings.jsonl", SUMMARY)
"""The files of a run in its folder."""
_MESSAGES_A_TURN = 256
_MOST_INCIDENTS = 1000
_LAST_MESSAGES = 4096  # more cannot wait in a link's queue
_STOP_SECONDS = 15.0

Watcher = Callable[[Message], None]


class Session:
    """Runs a plan to its end.

    Args:
        out: where the results go. A folder that the caller has not claimed is claimed, and cleared of older results.
        watcher: called with each Running, Progress, Incident, Notice and Verdict message as it comes.
        drawn: collects what an annotated video shows.
    """

    def __init__(
        self,
        plan: RunPlan,
        out: Path | ClaimedFolder | None,
        watcher: Watcher,
        drawn: OverlayRecord | None = None,
    ) -> None:
        self._plan = plan
        self._claim = make_room(out) if isinstance(out, Path) else None
        try:
            self._recorder = RunRecorder(
                self._claim or out, lambda error: watcher(Notice(error.sentence, error.remedy))
            )
        except BaseException:
            self._release()
            raise
        self._admission = Admission(self._record)
        self._finished: Finished | None = None
        self._incidents: list[Incident] = []
        self._stop = self._interrupted = False
        self._wish = StopWish()
        self._takes: dict[type[Message], tuple[Callable[[Any], None], ...]] = {
            Running: (watcher,),
            Progress: (self._on_progress, watcher),
            Incident: (self._on_incident, watcher),
            Notice: (watcher,),
            Finished: (self._on_finished,),
            Sightings: (self._admission.look,),
            CodeBoxes: (self._admission.look,),
            Verdict: (self._on_verdict,),
        }
        self._watcher, self._drawn = watcher, drawn

    def run(self) -> RunOutcome:
        """Start, watch, end. The first ending signal ends the run early, with what was made so far kept; the next one
        ends this process, and with it all that it started."""
        before = {s: signal.signal(s, self._on_signal) for s in _ending_signals()}
        try:
            return self._run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._recorder.close()
            self._release()

    def _release(self) -> None:
        if self._claim is not None:
            self._claim.release()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._wish.signal() is StopWord.AT_ONCE:
            end_at_once("sealcam")
        self._stop = self._interrupted = True

    def _run(self) -> RunOutcome:
        try:
            plan = msgspec.json.encode(self._plan)
        except UnicodeEncodeError as error:  # the file system takes any bytes
            raise UsageError(f"the name {error.object} is not UTF-8 text", "rename it") from None
        ours, theirs = links.pair()
        handed, records, dial = {"launcher": theirs}, [], theirs
        for link in topology.links():
            if link.second not in (topology.RECORDER, DIALER):
                continue
            near, handed[f"{link.first}.{link.first_end}"] = links.pair()
            if link.second == DIALER:
                dial = near
            else:
                records.append(Link(link.first, near, *topology.sent(link.first, link.first_end)))
        warden = self._start_warden(plan, handed)
        for end in handed.values():
            end.close()
        launcher = Link("warden", ours, Running, Progress, Incident, Notice, Finished)
        try:
            show = self._plan.config.warden.output == "inherit"
            with DialService(dial, self._plan.config.uplink, show_output=show) as dialer:
                self._watch(warden, launcher, records, dialer)
            for record in records * (_LAST_MESSAGES // _MESSAGES_A_TURN):
                self._drain(record)
            return self._outcome(warden, dialer)
        finally:
            _end(warden)

    @staticmethod
    def _start_warden(content: bytes, handed: dict[str, socket.socket]) -> subprocess.Popen[bytes]:
        plan = os.memfd_create("sealcam-plan", os.MFD_CLOEXEC)
        os.write(plan, content)
        os.lseek(plan, 0, os.SEEK_SET)
        numbers = {"plan": plan, **{name: end.fileno() for name, end in handed.items()}}
        try:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "device.warden",
                    "--parent",
                    str(os.getpid()),
                    "--descriptors",
                    ",".join(f"{name}={number}" for name, number in numbers.items()),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=list(numbers.values()),
                start_new_session=True,
            )
        finally:
            os.close(plan)

    def _watch(self, warden: subprocess.Popen[bytes], launcher: Link, records: list[Link], dialer: DialService) -> None:
        stop_by = float("inf")
        while self._finished is None and time.monotonic() < stop_by:
            if self._stop and stop_by == float("inf"):
                stop_by = time.monotonic() + _STOP_SECONDS
                launcher.try_send(Stop())
            dialer.keep_alive()
            ready, _, _ = select.select([launcher, *records], [], [], 0.1)
            try:
                for link in ready:
                    self._drain(link)
            except PeerClosedError:
                return
            if warden.poll() is not None and not ready:
                return

    def _drain(self, link: Link) -> None:
        """Take what waits on a link, at most so much that the others get their turn."""
        for _ in range(_MESSAGES_A_TURN):
            try:
                message = link.receive()
            except HostileMessageError:
                self._admission.refuse_garbage(link.peer)
                continue
            except PeerClosedError:
                if link.peer == "warden":
                    raise
                return
            if message is None:
                return
            self._take(message)

    def _take(self, message: Message) -> None:
        """Each message to who is there for it: the record, the incidents, and whoever watches."""
        for take in self._takes.get(type(message), ()):
            take(message)

    def _record(self, looked: Sightings | CodeBoxes) -> None:
        """What a reader saw in a frame that the stream has."""
        if isinstance(looked, Sightings):
            self._recorder.on_sightings(looked)
        if self._drawn is not None:
            self._drawn.take(looked)

    def _on_verdict(self, verdict: Verdict) -> None:
        if verdict.verdict_id not in self._recorder.verdicts and self._admission.verdict(verdict):
            self._recorder.on_verdict(verdict)
            self._watcher(verdict)

    def _on_progress(self, progress: Progress) -> None:
        self._admission.announced(progress.frame)

    def _on_incident(self, incident: Incident) -> None:
        if len(self._incidents) < _MOST_INCIDENTS:
            self._incidents.append(incident)

    def _on_finished(self, finished: Finished) -> None:
        self._finished = finished

    def _outcome(self, warden: subprocess.Popen[bytes], dialer: DialService) -> RunOutcome:
        finished = self._finished
        if finished is None:
            _end(warden, seconds=0.0 if self._stop else 10.0)
            status = warden.wait()
            self._recorder.finish({"complete": False, "verdicts": self._recorder.states(), "run_id": self.run_id})
            raise RunError(
                f"warden ended unexpectedly (status {status})", "run it again, and report it if it happens twice"
            )
        summary = dict(finished.summary)
        self._admission.finish(summary.get("frames", 0))
        self._admission.hold_to(summary.get("judged", 0), summary.get("restarts", {}))
        if summary:
            for name, count in self._admission.garbage.items():
                summary["invalid_messages"][name] = summary["invalid_messages"].get(name, 0) + count
            if self._admission.refused:
                summary["not_recorded"] = dict(self._admission.refused)
            if dialer.layers:
                summary["layers"]["dialer"] = dialer.layers
                summary["restarts"]["dialer"] = dialer.restarts
            summary |= {"verdicts": self._recorder.states(), "run_id": self.run_id}
            self._recorder.finish(summary)
        status, sentence, remedy = finished.exit_status, finished.sentence, finished.remedy
        found = [*self._recorder.failures, *self._refused()]
        if not status and found:
            status, sentence, remedy = 1, found[0].sentence, found[0].remedy
        return RunOutcome(
            status,
            sentence,
            remedy,
            summary,
            self._incidents,
            self._interrupted,
            finished.notes,
            Counter(reason for verdict in self.verdicts for reason in verdict.reasons),
        )

    def _refused(self) -> list[RunError]:
        """What compartments wanted recorded and may not: no honest compartment does that."""
        return [RunError(sentence, AT_FAULT) for sentence in self._admission.sentences()]

    @property
    def run_id(self) -> str:
        """This run's id in hex: the envelopes' boot id."""
        return self._plan.run_id

    @property
    def verdicts(self) -> list[Verdict]:
        """Every verdict so far, in order."""
        return list(self._recorder.verdicts.values())


def make_room(out: Path) -> ClaimedFolder:
    """A folder for the results of this run alone, without those of an earlier run. Raises OutputRefusedError.

    A run that ends before it has results must not leave the old ones there to be taken for its own; and those of a run
    that is still at work are no old ones, so the folder is claimed first.
    """
    folder = ClaimedFolder(out)
    try:
        folder.clear(RESULTS, "the results of an earlier run are replaced")
    except BaseException:
        folder.release()
        raise
    return folder


def _ending_signals() -> list[signal.Signals]:
    """SIGHUP stays ignored where it is: nohup asks for that."""
    return [s for s in ENDING_SIGNALS if s != signal.SIGHUP or signal.getsignal(s) is not signal.SIG_IGN]


def _end(warden: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """Leave nothing running: the compartments die with warden, and warden ends here at the latest."""
    try:
        warden.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(warden.pid, signal.SIGKILL)
        warden.wait()
