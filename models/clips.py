"""Command line: `python -m models.clips VIDEO... [--json FILE]`: what tracking makes of perception's boxes in videos.

Each video is seen by perception as the device runs it, and judged three times: by the device's two thresholds (a box
from `score_high` on is surely a sign, one from `score_low` on goes on with a track), and by each of them alone. In a
video without signs of the 43 classes every box is false; in one with a sign, more boxes in its verdict are better.
Sign codes are not read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

import program
from device.channel.messages import Box, Readings, Sightings, Verdict
from device.launcher import settings as device_settings
from device.perception.core import Recogniser
from device.verdict.judge import Judge
from models.errors import DataError
from models.release import shipped
from program import outputs
from program.arguments import new_parser, place
from wire.classes import class_name
from wire.manifest import OperatingPoint, PointName, operating_point


@dataclass(frozen=True)
class Frame:
    """One frame's boxes, from `score_low` on."""

    t_ms: int
    width: int
    height: int
    boxes: list[Box]


@dataclass(frozen=True)
class TrackRule:
    """From which scores on a box is reported, and from which it is surely a sign."""

    name: str
    reported: float
    sure: float


def rules(point: OperatingPoint) -> list[TrackRule]:
    """The device's two thresholds, then each of them alone."""
    low, high = point.score_low, point.score_high
    return [
        TrackRule("both thresholds", low, high),
        TrackRule("low alone", low, low),
        TrackRule("high alone", high, high),
    ]


def see(video: Path, folder: Path, name: PointName) -> list[Frame]:
    """Perception's boxes for every frame of a video, at the operating point `name`.

    Raises:
        DataError: the file is not a video.
    """
    manifest = shipped.load_manifest(folder)
    settings = device_settings.perception(manifest, name, threads=1, lockstep=True)
    models = [shipped.content(folder, entry) for entry in (manifest.detector, manifest.classifier)]
    perception = Recogniser(models[0], models[1], settings, lambda stage, seconds: None)
    return [
        Frame(t_ms, picture.shape[1], picture.shape[0], perception.look(picture).boxes)
        for t_ms, picture in tqdm(_decoded(video), desc=video.name, unit="frame", mininterval=2, disable=None)
    ]


def _decoded(video: Path) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Milliseconds since the first frame, and the frame: BGR."""
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise DataError(f"{video}: holds no video", "give a recorded video")
            first: float | None = None
            for number, frame in enumerate(container.decode(video=0)):
                seconds = frame.time if frame.time is not None else number / 30
                first = seconds if first is None else first
                yield round((seconds - first) * 1000), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"{video}: cannot be read as a video ({error})", "give a recorded video") from error


def judged(frames: Sequence[Frame], rule: TrackRule) -> list[Verdict]:
    """The verdicts on what perception saw, by the device's own judge."""
    judge = Judge({}, None, stream="clip", lockstep=True, sure_score=rule.sure)
    verdicts = judge.on_fixes_end()
    for number, frame in enumerate(frames):
        boxes = [box for box in frame.boxes if box.score >= rule.reported]
        verdicts += judge.on_sightings(Sightings(number, frame.t_ms, frame.width, frame.height, boxes))
        verdicts += judge.on_readings(Readings(number, frame.t_ms, []))
    return verdicts + judge.finish()


def figures(frames: Sequence[Frame], rule: TrackRule) -> dict[str, Any]:
    """Boxes a frame before and after tracking, and the verdicts."""
    verdicts = judged(frames, rule)
    before = sum(box.score >= rule.reported for frame in frames for box in frame.boxes)
    return {
        "reported_from": rule.reported,
        "sure_from": rule.sure,
        "boxes_per_frame": before / len(frames),
        "boxes_per_frame_in_verdicts": sum(verdict.sightings for verdict in verdicts) / len(frames),
        "verdicts_per_frame": len(verdicts) / len(frames),
        "verdicts": [_told(verdict) for verdict in verdicts],
    }


def _told(verdict: Verdict) -> dict[str, Any]:
    name = class_name(verdict.class_id, None)
    frames = {"from": verdict.first_frame, "to": verdict.last_frame}
    return {"state": verdict.state, "class": name} | frames | {"boxes": verdict.sightings}


def measure(videos: Sequence[Path], folder: Path, name: PointName) -> dict[str, Any]:
    """All rules on all videos at the operating point `name`; by the video's name, or its path where names repeat."""
    point = operating_point(shipped.load_manifest(folder), name)
    names = [video.name for video in videos]
    result: dict[str, Any] = {}
    for video in videos:
        frames = see(video, folder, name)
        if not frames:
            raise DataError(f"{video}: holds no frame", "give a recorded video")
        found = {"frames": len(frames), "rules": {rule.name: figures(frames, rule) for rule in rules(point)}}
        result[video.name if names.count(video.name) == 1 else str(video)] = found
    return result


def table(result: dict[str, Any]) -> Table:
    """The figures, for people."""
    shown = Table("video", "frames", "rule", "boxes a frame", "in verdicts", "verdicts", box=None)
    for video, found in result.items():
        for name, row in found["rules"].items():
            told = ", ".join(f"{v['class']} {v['from']}-{v['to']}" for v in row["verdicts"]) or "none"
            numbers = (f"{row[key]:.4f}" for key in ("boxes_per_frame", "boxes_per_frame_in_verdicts"))
            shown.add_row(video, str(found["frames"]), name, *numbers, told)
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, and writes JSON; returns the exit status."""
    return program.run("python -m models.clips", lambda: _work(arguments))


def _work(arguments: Sequence[str] | None = None) -> int | None:
    parser = new_parser(prog="python -m models.clips", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("videos", nargs="+", type=place, metavar="VIDEO")
    parser.add_argument("--models", type=place, default=shipped.ARTIFACTS, help="folder of the models")
    parser.add_argument("--point", choices=get_args(PointName), default="far", help="operating point")
    parser.add_argument("--json", type=place, metavar="FILE", help="write the figures there too")
    options = parser.parse_args(arguments)
    result = measure(options.videos, options.models, options.point)
    if options.json is not None:
        outputs.write(options.json, (json.dumps(result, indent=2) + "\n").encode())
    Console(width=max(Console().width, 130)).print(table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
