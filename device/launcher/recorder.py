"""Writes what perception and verdict report to `sightings.jsonl` and `verdicts.jsonl`, one JSON object a line."""

from __future__ import annotations

import errno
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from device.channel.messages import Sightings, Verdict
from device.launcher.outputs import ReservedFile, WholeLines
from program.claim import ClaimedFolder
from program.errors import OutputRefusedError
from wire.classes import CLASS_NAMES
from wire.errors import RunError, remedy_of


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a line of `verdicts.jsonl` has it."""
    fields: dict[str, Any] = msgspec.to_builtins(verdict)
    del fields["type"]
    known = verdict.class_id is not None
    fields["class_name"] = CLASS_NAMES[verdict.class_id] if known and verdict.class_id is not None else None
    return fields


def sighting_fields(sightings: Sightings) -> dict[str, Any]:
    """A frame's boxes as a line of `sightings.jsonl` has them; pixels with two decimals, scores with four."""
    return {
        "frame": sightings.frame,
        "t_ms": sightings.t_ms,
        "boxes": [
            {
                "x": round(b.x, 2),
                "y": round(b.y, 2),
                "w": round(b.w, 2),
                "h": round(b.h, 2),
                "score": round(b.score, 4),
                "class_id": b.class_id,
                "class_score": round(b.class_score, 4),
            }
            for b in sightings.boxes
        ],
    }


class RunRecorder:
    """Counts always, writes when it is given a folder. A frame or verdict that comes again is recorded once.

    A file that can no longer be written ends with its last whole line, and nothing is added to it later: a file with a
    hole in it would look complete. The run goes on.

    Args:
        folder: it is claimed here until `close`, or is the caller's own claim, who releases it.
        tell: is given the error at once when a file can no longer be written.

    Attributes:
        failures: those errors, in order.

    Raises OutputRefusedError when the folder cannot be written from the start, or another run writes into it.
    """

    def __init__(
        self, folder: Path | ClaimedFolder | None, tell: Callable[[RunError], None] = lambda error: None
    ) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.failures: list[RunError] = []
        self._tell = tell
        self._last_frame = -1
        self._files: dict[str, WholeLines] = {}
        self._summary: ReservedFile | None = None
        self._claim: ClaimedFolder | None = None
        if folder is None:
            return
        if isinstance(folder, Path):
            folder = self._claim = ClaimedFolder(folder)
        try:
            self._summary = ReservedFile(folder.path / "summary.json")
            for name in ("sightings", "verdicts"):
                self._files[name] = WholeLines(folder.path / f"{name}.jsonl")
        except OSError as error:
            self._give_up()
            remedy = remedy_of(error.errno or 0, "choose another --out")
            raise OutputRefusedError(f"{folder.path} cannot be written ({error.strerror})", remedy) from None

    def on_sightings(self, sightings: Sightings) -> None:
        """What perception saw in a frame that is not recorded yet. Frames come in order, after gaps of any length: that
        they were announced `admission` has seen, so that no false number can silence the rest."""
        if sightings.frame > self._last_frame:
            self._last_frame = sightings.frame
            self._write("sightings", sighting_fields(sightings))

    def on_verdict(self, verdict: Verdict) -> None:
        """A verdict, unless it is recorded already."""
        if verdict.verdict_id not in self.verdicts:
            self.verdicts[verdict.verdict_id] = verdict
            self._write("verdicts", verdict_fields(verdict))

    def states(self) -> dict[str, int]:
        """State -> number of verdicts."""
        return dict(Counter(v.state for v in self.verdicts.values()))

    def finish(self, summary: dict[str, Any]) -> None:
        """Everything is on the disk when this returns, the summary as the last; or `failures` says what is not."""
        for name in list(self._files):
            self._attempt(name, self._files[name].finish)
        file, self._summary = self._summary, None
        if file is not None:
            text = json.dumps(summary, indent=2, sort_keys=True) + "\n"
            self._attempt("summary", lambda: file.replace(text.encode()))

    def close(self) -> None:
        """Close what is open. Without `finish` before it there is no new summary."""
        self._give_up()

    def _write(self, name: str, fields: dict[str, Any]) -> None:
        if name in self._files:
            self._attempt(name, lambda: self._files[name].add(msgspec.json.encode(fields)))

    def _attempt(self, name: str, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            lines = self._files.pop(name, None)
            if lines is not None:
                lines.close()
            failure = unwritten(error, "; nothing more is recorded in it" if lines is not None else "")
            self.failures.append(failure)
            self._tell(failure)

    def _give_up(self) -> None:
        for lines in self._files.values():
            lines.close()
        self._files.clear()
        if self._summary is not None:
            self._summary.drop()
            self._summary = None
        if self._claim is not None:
            self._claim.release()


def unwritten(error: OSError, then: str) -> RunError:
    """The error for a file that could not be written while the run went on. `then`: what that means."""
    if error.errno == errno.ESTALE:
        return RunError(
            f"{error.filename} has not what was written: {error.strerror}",
            "let no other program work in that folder, and run it again",
        )
    remedy = remedy_of(error.errno or 0, "free its disk")
    return RunError(
        f"{error.filename} cannot be written ({error.strerror}){then}", f"{remedy}, or choose another --out"
    )
