"""What a user sees while the device runs: a progress line, incidents and verdicts as they come."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from device.channel.messages import Message, Verdict
from device.launcher.report import Incident, Running
from device.launcher.report import Progress as Report
from wire.classes import class_name
from wire.errors import printable
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


def class_text(class_id: int | None) -> str:
    """A class for people: its English name, or a dash."""
    return class_name(class_id, "-")


class RunView:
    """Shows a run on `console`, which is standard error: standard output is for the command's result."""

    def __init__(self, title: str, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
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
        match message:
            case Running():
                self._progress.update(self._task, description=self._title)
            case Report():
                note = f"sealed {message.sealed}, receipted {message.receipted}"
                self._progress.update(self._task, completed=message.frame, total=message.frames or None, note=note)
            case Incident():
                self._console.print(f"[yellow]{message.kind}[/]: {message.compartment} ({message.detail})")
            case Verdict():
                style = STATE_STYLES[message.state]
                held, seen = class_text(message.class_id), class_text(message.perceived_class_id)
                where = f"frames {message.first_frame}-{message.last_frame}"
                self._console.print(f"[{style}]{message.state:<12}[/] held: {held}; perceived: {seen}; {where}")
