"""Writes what perception and verdict report to `sightings.jsonl` and `verdicts.jsonl`, one JSON object a line."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from device.channel.messages import Sightings, Verdict
from program import outputs
from wire.classes import CLASS_NAMES
from wire.errors import RunError

_MAX_LEAP = 3600  # a frame number that leaps further is not believed: a false number must not silence the rest


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

    Raises OutputRefusedError when the folder cannot be written.
    """

    def __init__(self, folder: Path | None) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self._last_frame = -1
        self._files: dict[str, BinaryIO] = {}
        if folder is None:
            return
        for name in ("sightings", "verdicts"):
            self._files[name] = outputs.create(folder / f"{name}.jsonl", tell=False)

    def on_sightings(self, sightings: Sightings) -> None:
        """What perception saw in a frame that is not recorded yet."""
        if 0 < sightings.frame - self._last_frame <= _MAX_LEAP:
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

    def close(self) -> None:
        for file in self._files.values():
            with contextlib.suppress(OSError):  # what could not be written was told by `take`
                file.close()

    def _write(self, name: str, fields: dict[str, Any]) -> None:
        if name in self._files:
            try:
                self._files[name].write(msgspec.json.encode(fields) + b"\n")
                self._files[name].flush()
            except OSError as error:
                raise unwritten(f"{self._files[name].name}", error) from None


def unwritten(path: str, error: OSError) -> RunError:
    """The error for a file that could not be written while the run went on."""
    return RunError(f"{path} cannot be written ({error.strerror})", "free its disk, or choose another --out")
