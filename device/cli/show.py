"""What a user sees while the device runs: a progress line, incidents and verdicts as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ClassVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from device.channel.messages import Message, Verdict
from device.config import UplinkConfig
from device.launcher.report import Incident, Notice, Running
from device.launcher.report import Progress as Report
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


class RunView:
    """Shows a run on `console`, which is standard error: standard output is for the command's result."""

    def __init__(self, title: str, console: Console, uplink: UplinkConfig | None = None) -> None:
        """`uplink`: the broker that events are sent to at the end, None where that is not shown."""
        self._console = console
        self._broker = uplink.where if uplink is not None else ""
        self._sending_told = False
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal or console.is_dumb_terminal,  # a file is not drawn on
        )
        self._title = escape(printable(title))
        self._task = self._progress.add_task(f"{self._title}: starting", total=None, note="")

    def __enter__(self) -> RunView:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def watch(self, message: Message) -> None:
        """Take one report of the session."""
        self._SHOWS[type(message)](self, message)

    def _on_running(self, _: Running) -> None:
        self._progress.update(self._task, description=self._title)

    def _on_progress(self, report: Report) -> None:
        note = f"sealed {report.sealed}, receipted {report.receipted}"
        if report.judged_share < TELL_SHARE:
            note = f"judged {report.judged_share:.0%} of the frames, {note}"
        self._progress.update(self._task, completed=report.frame, total=report.frames or None, note=note)
        if self._broker and report.waiting and report.delivering_seconds >= TELL_SENDING_SECONDS:
            self._tell_sending(report.waiting)

    def _tell_sending(self, waiting: int) -> None:
        """All is judged, and what is still done takes more than a moment."""
        sending = f"sending {waiting} {'event' if waiting == 1 else 'events'} to {self._broker}"
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
        self._console.print(f"[{style}]{verdict.state:<12}[/] held: {held}; perceived: {seen}; {where}", soft_wrap=True)

    _SHOWS: ClassVar[dict[type[Message], Callable[[RunView, Any], None]]] = {
        Running: _on_running,
        Report: _on_progress,
        Incident: _on_incident,
        Notice: _on_notice,
        Verdict: _on_verdict,
    }


class DrawingView:
    """Shows how far an annotated video is."""

    def __init__(self, title: str, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(f"draw {escape(printable(title))}", total=None)

    def __enter__(self) -> DrawingView:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def progress(self, drawn: int, frames: int) -> None:
        """`frames`: of the input, 0 where it does not tell."""
        self._progress.update(self._task, completed=drawn, total=frames or None)
