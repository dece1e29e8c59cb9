"""How the device slopes: cameras of 10 to 60 frames a second before one core, two, and two with a burner beside them.

`python -m bench.slope [--rates 10,15,30,60] [--json FILE] [--drive FOLDER --home HOME]` replays the same drive in
realtime at each rate, after a lockstep run under the same load that says what the machine can judge. Without `--drive`
a short drive is rendered. Exit status 1 when a budget (`bench.budgets.SLOPE`) is not kept. Ratios of two runs: other
load on the machine must be the same in both.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console
from rich.table import Table

import program
from bench import retimed
from bench.budgets import SLOPE
from bench.recovery import Course, prepare
from demo.scenes import judge_scenes
from identity.home import Home
from program import outputs
from program.arguments import new_parser, place
from wire.errors import RunError, UsageError

RATES = (10, 15, 30, 60)
_BURNER = "while True: pass"


@dataclass(frozen=True)
class Load:
    """What the device runs on: processor cores, and programs beside it that want them."""

    cores: int
    burners: int

    @property
    def words(self) -> str:
        beside = f" and {self.burners} burners" if self.burners > 1 else " and a burner" if self.burners else ""
        return f"{self.cores} core{'s' if self.cores > 1 else ''}{beside}"


LOADS = (Load(1, 0), Load(2, 0), Load(2, 2))


@dataclass(frozen=True)
class Slope:
    """One camera before one machine. Times in milliseconds; `age`: from when a frame was taken until it is judged."""

    load: str
    fps: int
    lockstep_fps: float
    judged_fps: float
    codes_fps: float
    share: float
    light_frames: int
    work_ms: float
    age_p50: float
    age_p95: float
    right: int
    scenes: int
    wrong: list[str]
    status: int

    @property
    def throughput(self) -> float:
        """Judged frames a second, beside what could be judged of that camera."""
        return self.judged_fps / min(float(self.fps), self.lockstep_fps)

    @property
    def age_in_frames(self) -> float:
        """Age in times of what perception takes for a frame."""
        return self.age_p50 / self.work_ms

    @property
    def good(self) -> bool:
        """Whether every budget is kept."""
        return (
            self.throughput >= SLOPE["throughput"] and self.age_in_frames < SLOPE["age"] and self.right == self.scenes
        )


@contextlib.contextmanager
def _under(load: Load, cores: Sequence[int]) -> Iterator[list[str]]:
    """The words that begin a command which shall run under this load."""
    chosen = ",".join(map(str, cores[: load.cores]))
    pinned = ["taskset", "-c", chosen]
    burners = [subprocess.Popen([*pinned, sys.executable, "-c", _BURNER]) for _ in range(load.burners)]
    try:
        yield pinned
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def _replay(pinned: list[str], course: Course, video: Path, pace: str, out: Path) -> tuple[dict[str, Any], int]:
    words = [*pinned, sys.executable, "-m", "demo", "replay", str(video), "--gps", str(course.folder / "drive.gpx")]
    environment = {**os.environ, "SEALCAM_HOME": str(course.home.path)}
    done = subprocess.run(
        [*words, "--pace", pace, "--out", str(out), "--json"], env=environment, capture_output=True, text=True
    )
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        raise RunError(
            f"the replay ended with status {done.returncode}: {done.stderr.strip()[-300:]}", "replay it by hand"
        ) from None


def _right(course: Course, out: Path, frames: int) -> tuple[int, int, list[str]]:
    """(scenes that end as expected, scenes, the others' names); frame numbers are taken back to the drive's own."""
    lines = [json.loads(line) for line in (out / "verdicts.jsonl").read_text().splitlines()]
    scale = course.frames / max(1, frames)
    verdicts: list[Any] = [
        SimpleNamespace(**line | {"last_frame": round(line["last_frame"] * scale)}) for line in lines
    ]
    scenes = course.expected["scenes"]
    rows = judge_scenes(scenes, verdicts, {verdict.verdict_id for verdict in verdicts}, receipted=True)
    return sum(row.good for row in rows), len(rows), [row.name for row in rows if not row.good]


def measure(course: Course, rates: Sequence[int], cores: Sequence[int], scratch: Path) -> Iterator[Slope]:
    """Every rate under every load that the machine has the cores for."""
    videos = {rate: scratch / f"at{rate}.mp4" for rate in rates}
    counts = {rate: retimed.resampled(course.folder / "drive.mp4", path, rate) for rate, path in videos.items()}
    for load in (load for load in LOADS if load.cores <= len(cores)):
        with _under(load, cores) as pinned:
            reference, _ = _replay(pinned, course, course.folder / "drive.mp4", "lockstep", scratch / "lockstep")
            for rate in rates:
                out = scratch / f"out{rate}"
                summary, status = _replay(pinned, course, videos[rate], "realtime", out)
                yield _slope(load, rate, reference, summary, status, _right(course, out, counts[rate]))


def _slope(
    load: Load,
    rate: int,
    reference: dict[str, Any],
    summary: dict[str, Any],
    status: int,
    judged: tuple[int, int, list[str]],
) -> Slope:
    took = summary["latency_ms"]
    age = took.get("perception_age", {"p50": 0.0, "p95": 0.0})
    return Slope(
        load=load.words,
        fps=rate,
        lockstep_fps=reference["fps"],
        judged_fps=summary["fps"],
        codes_fps=round(summary["judged_shares"]["codes"] * summary["frames"] / max(0.001, summary["seconds"]), 2),
        share=summary["judged_share"],
        light_frames=summary["light_frames"]["perception"],
        work_ms=round(took["detect"]["p50"] + took["classify"]["p50"], 2),
        age_p50=age["p50"],
        age_p95=age["p95"],
        right=judged[0],
        scenes=judged[1],
        wrong=judged[2],
        status=status,
    )


def table(measured: Sequence[Slope]) -> Table:
    """One row a camera and load."""
    shown = Table(title="realtime: what a camera of each rate comes to")
    heads = ("machine", "camera fps", "lockstep fps", "judged fps", "of what can be", "codes fps", "at fast")
    for head in (*heads, "age p50/p95 ms", "age in frames", "right", "status", ""):
        shown.add_column(head, justify="left" if head == "machine" else "right")
    for row in measured:
        shown.add_row(
            row.load,
            str(row.fps),
            f"{row.lockstep_fps:.1f}",
            f"{row.judged_fps:.1f}",
            f"{row.throughput:.0%}",
            f"{row.codes_fps:.1f}",
            str(row.light_frames),
            f"{row.age_p50:.0f}/{row.age_p95:.0f}",
            f"{row.age_in_frames:.2f}",
            f"{row.right}/{row.scenes}",
            str(row.status),
            "PASS" if row.good else "OVER " + ", ".join(row.wrong),
        )
    return shown


def _run(arguments: argparse.Namespace) -> int:
    rates = sorted({int(rate) for rate in arguments.rates.split(",")})
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        course = course_of(arguments, scratch)
        measured: list[Slope] = []
        for row in measure(course, rates, cores, scratch):
            measured.append(row)
            print(f"{row.load}: {row.fps} fps: {row.judged_fps} judged", file=sys.stderr, flush=True)
    Console(width=160).print(table(measured))
    if arguments.json:
        rows = [
            asdict(row) | {"throughput": round(row.throughput, 3), "age_in_frames": round(row.age_in_frames, 3)}
            for row in measured
        ]
        found = {"budgets": SLOPE, "good": all(row.good for row in measured), "rows": rows}
        outputs.write(arguments.json, (json.dumps(found, indent=1) + "\n").encode())
    return 0 if all(row.good for row in measured) else 1


def course_of(arguments: argparse.Namespace, scratch: Path) -> Course:
    """The drive that was given, else one that is rendered now."""
    if arguments.drive is None:
        return prepare(scratch / "course")
    if arguments.home is None:
        raise UsageError("--drive needs --home", "give the data home of the demo that rendered the drive")
    expected = json.loads((arguments.drive / "expected.json").read_text())
    frames = max(scene["last_frame"] for scene in expected["scenes"]) + 1
    return Course(Home(arguments.home), arguments.drive, expected, frames)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = new_parser(prog="python -m bench.slope", description=__doc__)
    made.add_argument("--rates", default=",".join(map(str, RATES)), help="camera rates, frames a second")
    made.add_argument("--json", type=place, metavar="FILE")
    made.add_argument("--drive", type=place, metavar="FOLDER", help="the output of a demo, instead of a rendered drive")
    made.add_argument("--home", type=place, help="that demo's data home")
    return made


def main() -> int:
    """Returns the exit status."""
    return program.run("python -m bench.slope", lambda: _run(parser().parse_args()))


if __name__ == "__main__":
    sys.exit(main())
