"""Endurance: the device in realtime for half an hour. Does any compartment's memory grow, or its open descriptors?

`python -m bench.soak [--minutes 30] [--fps 30] [--json FILE] [--drive FOLDER --home HOME]` plays a drive over and over
and looks at each compartment every few seconds. Exit status 1 when one has grown in the second half of the time beyond
`bench.budgets.SOAK`, when one was restarted, or when the run failed. Descriptors are counted where this user may see
them (a compartment's own are hidden from users other than root).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from rich.console import Console
from rich.table import Table

import program
from bench import retimed
from bench.budgets import SOAK
from bench.slope import course_of
from device.channel.messages import Message
from device.config import MODELS, Config
from device.launcher.plan import RunPlan
from device.launcher.report import Progress, Running
from device.launcher.session import Session
from program import outputs
from program.arguments import new_parser, place


@dataclass(frozen=True)
class Glance:
    """A process at a moment: resident memory, open descriptors (None where they are hidden)."""

    at: float
    rss_mib: float
    descriptors: int | None


@dataclass
class SoakWatch:
    """Takes a glance at every compartment each `every` seconds, whenever the device reports progress."""

    every: float
    pids: dict[str, int] = field(default_factory=dict)
    glances: dict[str, list[Glance]] = field(default_factory=lambda: defaultdict(list))
    shares: list[float] = field(default_factory=list)
    _next: float = 0.0

    def __call__(self, message: Message) -> None:
        """Take one report of the session."""
        if isinstance(message, Running):
            self.pids = dict(message.pids) | {"warden": _starter(message.pids["capture"]), "command": os.getpid()}
        now = time.monotonic()
        if not isinstance(message, Progress) or now < self._next:
            return
        self._next = now + self.every
        self.shares.append(message.judged_share)
        for name, pid in self.pids.items():
            if (glance := look(pid, now)) is not None:
                self.glances[name].append(glance)


def look(pid: int, now: float) -> Glance | None:
    """What /proc says of a process; None: it is gone."""
    try:
        told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    except OSError:
        return None
    try:
        descriptors: int | None = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
    except OSError:
        descriptors = None
    return Glance(now, int(told.get("VmRSS", "0 kB").split()[0]) / 1024, descriptors)


def _starter(pid: int) -> int:
    """The process between us and a compartment that we started: warden."""
    while True:
        told = Path(f"/proc/{pid}/stat").read_text()
        parent = int(told.rsplit(")", 1)[1].split()[1])
        if parent in (os.getpid(), 1, 0):
            return pid
        pid = parent


def growth(values: Sequence[float]) -> float:
    """By how much the last quarter lies above the second, by their medians: the first quarter is warming up."""
    quarter = len(values) // 4
    if quarter < 2:
        return 0.0
    return statistics.median(values[-quarter:]) - statistics.median(values[quarter : 2 * quarter])


def grown(glances: Mapping[str, Sequence[Glance]]) -> list[str]:
    """A sentence for each compartment that has grown beyond the budget."""
    found = []
    for name, seen in glances.items():
        if (more := growth([glance.rss_mib for glance in seen])) > SOAK["rss_mib"]:
            found.append(f"{name} has grown by {more:.1f} MiB")
        counts = [float(glance.descriptors) for glance in seen if glance.descriptors is not None]
        if (more := growth(counts)) > SOAK["descriptors"]:
            found.append(f"{name} has {more:.0f} descriptors more")
    return found


def table(glances: Mapping[str, Sequence[Glance]]) -> Table:
    """One row a compartment."""
    shown = Table(title="memory (MiB) and descriptors")
    shown.add_column("compartment")
    for head in ("first", "a quarter on", "last", "growth", "descriptors"):
        shown.add_column(head, justify="right")
    for name, seen in glances.items():
        counts = sorted({glance.descriptors for glance in seen if glance.descriptors is not None})
        told = [seen[0], seen[len(seen) // 4], seen[-1]]
        shown.add_row(
            name,
            *(f"{glance.rss_mib:.1f}" for glance in told),
            f"{growth([glance.rss_mib for glance in seen]):+.1f}",
            f"{counts[0]} to {counts[-1]}" if counts else "hidden",
        )
    return shown


def _run(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        course = course_of(arguments, scratch)
        retimed.resampled(course.folder / "drive.mp4", scratch / "once.mp4", arguments.fps)
        with av.open(str(scratch / "once.mp4")) as container:
            seconds = (container.duration or av.time_base) / av.time_base
        times = max(1, math.ceil(60 * arguments.minutes / seconds))
        retimed.looped(scratch / "once.mp4", scratch / "long.mp4", times)
        watch = SoakWatch(every=max(1.0, 60 * arguments.minutes / 400))
        plan = RunPlan(
            *("video", str(scratch / "long.mp4"), "long.mp4", "", "", "realtime", "file"),
            *(str(course.home.path), str(MODELS), secrets.token_hex(16), Config()),
        )
        outcome = Session(plan, scratch / "out", watch).run()
    faults = grown(watch.glances)
    faults += [f"{name} was restarted {n} times" for name, n in outcome.summary.get("restarts", {}).items() if n]
    faults += [outcome.line] if outcome.exit_status else []
    _tell(watch, outcome.summary, faults, arguments.json)
    return 1 if faults else 0


def _tell(watch: SoakWatch, summary: Mapping[str, Any], faults: Sequence[str], path: Path | None) -> None:
    Console(width=120).print(table(watch.glances))
    told = ("frames", "seconds", "fps", "judged_shares", "dropped_by", "light_frames")
    figures = {key: summary.get(key) for key in told}
    figures["least_share_of_ten_seconds"] = min(watch.shares, default=None)
    print(json.dumps(figures))
    for fault in faults:
        print(f"OVER  {fault}")
    print("OVER" if faults else "PASS  nothing has grown")
    if path is not None:
        rows = {
            name: [(round(seen.at - all_seen[0].at, 1), round(seen.rss_mib, 1), seen.descriptors) for seen in all_seen]
            for name, all_seen in watch.glances.items()
        }
        outputs.write(path, (json.dumps({**figures, "faults": list(faults), "glances": rows}) + "\n").encode())


def main() -> int:
    """Returns the exit status."""
    return program.run("python -m bench.soak", _work)


def _work() -> int:
    parser = new_parser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--json", type=place, metavar="FILE")
    parser.add_argument(
        "--drive", type=place, metavar="FOLDER", help="the output of a demo, instead of a rendered drive"
    )
    parser.add_argument("--home", type=place, help="that demo's data home")
    arguments = parser.parse_args()
    return _run(arguments)


if __name__ == "__main__":
    sys.exit(main())
