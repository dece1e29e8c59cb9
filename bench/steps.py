"""What a reader that is too slow should give up: frames, small signs, or codes without a sign. The steps' thresholds.

`python -m bench.steps DRIVE_FOLDER [--home HOME] [--json FILE]` looks at every frame of a demo's drive (`drive.mp4`,
`drive.gpx`, `expected.json`) at both operating points, and reads its codes in whole frames and in regions only. Then it
judges the drive again and again with fewer and fewer of these frames, and counts the scenes that end as they should.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import program
from bench.footage import footage, frames
from demo.scenes import judge_scenes
from device.channel.messages import Box, Reading, Readings, Region, Sightings, Verdict
from device.codes.core import CodeReader
from device.config import MODELS
from device.launcher import settings
from device.perception.core import Recogniser
from device.position.core import read_track
from device.verdict.judge import Judge
from device.verdict.trust import load_trust
from identity.home import Home
from models.release.shipped import load_manifest
from program import outputs
from program.arguments import new_parser, place
from wire.manifest import PointName, operating_point

POINTS: tuple[PointName, ...] = ("far", "fast")
SHARES = (1, 2, 3, 4, 5, 6, 8, 10, 15)
"""Each so-manieth frame is judged."""


@dataclass(frozen=True)
class Seen:
    """What one frame gave, at each operating point, and in each way to read its codes."""

    t_ms: int
    size: tuple[int, int]
    boxes: dict[PointName, list[Box]]
    readings: dict[str, list[Reading]]


@dataclass
class _Looking:
    perception: dict[PointName, Recogniser]
    whole: CodeReader
    parts: CodeReader
    seconds: dict[str, list[float]]

    def at(self, frame: Any, number: int, t_ms: int, regions: Sequence[Region]) -> tuple[Seen, list[Region]]:
        boxes: dict[PointName, list[Box]] = {}
        found: list[Region] = []
        for point, perception in self.perception.items():
            began = time.perf_counter()
            looked = perception.look(frame)
            self.seconds[point].append(time.perf_counter() - began)
            boxes[point], found = looked.boxes, looked.regions if point == "far" else found
        readings = {}
        for way, reader in (("whole", self.whole), ("regions", self.parts)):
            began = time.perf_counter()
            readings[way] = reader.read(frame, regions, number, whole=way == "whole")
            self.seconds[way].append(time.perf_counter() - began)
        return Seen(t_ms, (frame.shape[1], frame.shape[0]), boxes, readings), found


def looked_at(video: Path) -> tuple[list[Seen], dict[str, float]]:
    """Every frame, and the median milliseconds of each way to look. Regions are those of the frame before."""
    manifest = load_manifest(MODELS)
    models = [(MODELS / entry.file).read_bytes() for entry in (manifest.detector, manifest.classifier)]
    perception = {
        point: Recogniser(
            models[0],
            models[1],
            settings.perception(manifest, point, threads=1, lockstep=True),
            lambda stage, seconds: None,
        )
        for point in POINTS
    }
    looking = _Looking(perception, CodeReader(), CodeReader(), {way: [] for way in (*POINTS, "whole", "regions")})
    slot: list[Any] = [None]

    def hand_out(width: int, height: int) -> Any:
        slot[0] = np.empty((height, width, 3), np.uint8)
        return slot[0]

    seen: list[Seen] = []
    regions: list[Region] = []
    for number, t_ms in frames(video, hand_out):
        entry, regions = looking.at(slot[0], number, t_ms, regions)
        seen.append(entry)
    return seen, {way: round(float(np.median(samples)) * 1e3, 2) for way, samples in looking.seconds.items()}


def right(
    seen: Sequence[Seen],
    folder: Path,
    home: Home,
    *,
    point: PointName = "far",
    way: str = "whole",
    each: int = 1,
    codes_each: int = 1,
    first: int = 0,
) -> tuple[int, int, list[str]]:
    """(scenes that end as expected, all scenes, those that do not) with each `each`-th frame judged from `first` on."""
    trust = load_trust(home.trust)
    sure = operating_point(load_manifest(MODELS), point).score_high
    judge = Judge(trust.anchors, trust.register, stream="steps", sure_score=sure)
    fixes = read_track((folder / "drive.gpx").read_bytes()).fixes
    judge.start(footage(folder / "drive.mp4").facts.utc_ms or fixes[0].utc_ms, 0)
    verdicts: list[Verdict] = [verdict for fix in fixes for verdict in judge.on_fix(fix)] + judge.on_fixes_end()
    for number, entry in enumerate(seen):
        now = entry.t_ms + 50
        if number % each == first % each:
            told = Sightings(number, entry.t_ms, *entry.size, entry.boxes[point])
            verdicts += judge.on_sightings(told, now)
        if number % codes_each == first % codes_each:
            verdicts += judge.on_readings(Readings(number, entry.t_ms, *entry.size, entry.readings[way]), now)
    verdicts += judge.finish()
    scenes = json.loads((folder / "expected.json").read_text())["scenes"]
    rows = judge_scenes(scenes, verdicts, {verdict.verdict_id for verdict in verdicts}, receipted=True)
    return sum(row.good for row in rows), len(rows), [row.name for row in rows if not row.good]


def _run(arguments: argparse.Namespace) -> None:
    folder, home = arguments.drive, Home(arguments.home) if arguments.home else Home.default()
    seen, took = looked_at(folder / "drive.mp4")
    fps = 1000.0 * (len(seen) - 1) / max(1, seen[-1].t_ms)
    print(f"{len(seen)} frames at {fps:.1f} fps; median ms: {took}")
    rows = []
    for each in SHARES:
        for name, choice in (
            ("far", {"each": each}),
            ("fast", {"each": each, "point": "fast"}),
            ("codes whole", {"codes_each": each}),
            ("codes regions", {"codes_each": each, "way": "regions"}),
            ("both far", {"each": each, "codes_each": each}),
        ):
            results = [right(seen, folder, home, first=first, **choice) for first in range(0, each, max(1, each // 4))]
            good = sum(result[0] for result in results) / sum(result[1] for result in results)
            missed = sorted({scene for result in results for scene in result[2]})
            rows.append({"what": name, "fps": round(fps / each, 2), "right": round(good, 3), "wrong": missed})
            print(f"{name:14} {fps / each:5.1f} fps  {good:6.1%} right  {', '.join(missed)}", flush=True)
    if arguments.json:
        outputs.write(arguments.json, (json.dumps({"median_ms": took, "rows": rows}, indent=1) + "\n").encode())


def main() -> int:
    """Returns the exit status."""
    return program.run("python -m bench.steps", _work)


def _work() -> None:
    parser = new_parser(prog="python -m bench.steps", description=__doc__)
    parser.add_argument("drive", type=place, metavar="DRIVE_FOLDER")
    parser.add_argument("--home", type=place, help="the data home of the demo that rendered the drive")
    parser.add_argument("--json", type=place, metavar="FILE")
    arguments = parser.parse_args()
    _run(arguments)


if __name__ == "__main__":
    sys.exit(main())
