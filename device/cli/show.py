"""What a user sees while the device runs: a progress line, incidents and verdicts as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from device.channel.messages import Message, Verdict
from device.config import UplinkConfig
from device.launcher.report import Incident, Notice, Running
from device.launcher.report import Progress as Report
from program.wording import counted
from wire.classes import class_name
from wire.errors import line, printable
from wire.vocabulary import StateName

STATE_STYLES: dict[StateName, str] = {
    "VERIFIED": "bold green",
    "CODE_ONLY": "green",
    "UNVERIFIED": "blue",
    "SUSPECT": "yellow",
    "MISSING": "yellow",
    "DAMAGED": "yellow",
    "MISPLACED": "bold red",
    "FORGED": "bold red",
    "CONTRADICTED": "bold red",
}
OVERLOAD_WORDS: Mapping[str, str] = {
    "few_judged": "too many frames are skipped, signs may be missed",
    "lightened": "does less for each frame, to skip fewer",
}
TELL_SHARE = 0.95
TELL_SENDING_SECONDS = 0.8


def class_text(class_id: int | None) -> str:
    """A class for people: its English name, or a dash."""
    return class_name(class_id, "-")


def say(console: Console, line: str) -> None:
    """One line as it is: a name with brackets is no markup, and a path is not broken at the edge of the screen."""
    console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


class ProgressView:
    """A bar at the bottom of a terminal, as long as the block lasts; nothing where `console` is no terminal.

    Args:
        title: what is being done. It may hold a name from a stranger.
        results: where results go that come while the bar is shown, `console` if None. On one terminal with the bar they
            go through `console`, so that they stand above it.
    """

    def __init__(self, title: str, console: Console, results: Console | None = None) -> None:
        self._console = console
        if results is None or (results.is_terminal and console.is_interactive):
            results = console
        self._results = results
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
            disable=not console.is_interactive,  # a file is not drawn on
            redirect_stdout=False,  # a file that standard output goes to gets it all the same
        )
        self._title = escape(printable(title))
        self._task = self._progress.add_task(self._title, total=None, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def progress(self, done: int, total: int, note: str = "") -> None:
        """How far it is. `total`: 0 where it is not known."""
        self._progress.update(self._task, description=self._title, completed=done, total=total or None, note=note)


class RunView(ProgressView):
    """Shows a run: its verdicts are results, what goes wrong and how far it is goes to `console`, standard error."""

    def __init__(
        self, title: str, console: Console, results: Console | None = None, uplink: UplinkConfig | None = None
    ) -> None:
        """`uplink`: the broker that events are sent to at the end, None where that is not shown."""
        super().__init__(title, console, results)
        self._broker = uplink.where if uplink is not None else ""
        self._sending_told = False
        self._progress.update(self._task, description=f"{self._title}: starting")

    def watch(self, message: Message) -> None:
        """Take one report of the session."""
        self._SHOWS[type(message)](self, message)

    def _on_running(self, _: Running) -> None:
        self._progress.update(self._task, description=self._title)

    def _on_progress(self, report: Report) -> None:
        note = f"sealed {report.sealed}, receipted {report.receipted}"
        if report.judged_share < TELL_SHARE:
            note = f"judged {report.judged_share:.0%} of the frames, {note}"
        self.progress(report.frame, report.frames, note)
        if self._broker and report.waiting and report.delivering_seconds >= TELL_SENDING_SECONDS:
            self._tell_sending(report.waiting)

    def _tell_sending(self, waiting: int) -> None:
        """All is judged, and what is still done takes more than a moment."""
        sending = f"sending {counted(waiting, 'event')} to {self._broker}"
        self._progress.update(self._task, description=escape(sending))
        if not self._sending_told:
            self._sending_told = True
            say(self._console, f"{sending}; Ctrl-C ends the wait and keeps what has no receipt")

    def _on_incident(self, incident: Incident) -> None:
        detail = (
            OVERLOAD_WORDS.get(incident.detail, incident.detail) if incident.kind == "overload" else incident.detail
        )
        self._console.print(f"[yellow]{incident.kind}[/]: {incident.compartment} ({detail})", soft_wrap=True)

    def _on_notice(self, notice: Notice) -> None:
        text = f"sealcam: {line(notice.sentence, notice.remedy)}"
        self._console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def _on_verdict(self, verdict: Verdict) -> None:
        style = STATE_STYLES[verdict.state]
        held, seen = class_text(verdict.class_id), class_text(verdict.perceived_class_id)
        where = f"frames {verdict.first_frame}-{verdict.last_frame}"
        self._results.print(f"[{style}]{verdict.state:<12}[/] held: {held}; perceived: {seen}; {where}", soft_wrap=True)

    _SHOWS: ClassVar[dict[type[Message], Callable[[RunView, Any], None]]] = {
        Running: _on_running,
        Report: _on_progress,
        Incident: _on_incident,
        Notice: _on_notice,
        Verdict: _on_verdict,
    }
