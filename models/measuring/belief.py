"""What the device's judge believes of perception's boxes at any rate of looks: in videos, and in passes of things.

A video is judged as perception sees it, and again with looks left out, as a slower device would see it. Of a pass it is
known what is passed (`models.measuring.passes`): a real sign that is believed counts for the recall, anything else that
is believed is a false positive. Sign codes are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from device.channel.messages import Box, Readings, Sightings, Verdict
from device.launcher import settings as device_settings
from device.perception.core import Recogniser
from device.verdict.decision.table import ACTED_ON
from device.verdict.judge import Judge
from models.measuring import intervals
from models.measuring.passes import LOOKS_PER_S, Pass
from models.release import shipped
from wire.manifest import OperatingPoint, PointName

PASSES: Final = "passes"
"""The name, beside the videos' names, of the passes' figures in what `models.clips` writes."""
EVERY: Final = (1, 2, 4, 6, 12)
"""Of the looks at a pass each, every second, fourth... is judged: 60, 30, 15, 10 and 5 a second."""

Look = Callable[[NDArray[np.uint8]], list[Box]]


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


def perception(folder: Path, name: PointName) -> Look:
    """Perception as the device runs it at the operating point `name`: a BGR picture to its boxes."""
    manifest = shipped.load_manifest(folder)
    settings = device_settings.perception(manifest, name, threads=1, lockstep=True)
    models = [shipped.content(folder, entry) for entry in (manifest.detector, manifest.classifier)]
    both = Recogniser(models[0], models[1], settings, lambda stage, seconds: None)
    return lambda picture: both.look(picture).boxes


def seen(pictures: Iterable[tuple[int, NDArray[np.uint8]]], look: Look) -> list[Frame]:
    """Perception's boxes for each picture (milliseconds, BGR)."""
    return [Frame(t_ms, picture.shape[1], picture.shape[0], look(picture)) for t_ms, picture in pictures]


def judged(frames: Sequence[Frame], rule: TrackRule) -> list[Verdict]:
    """The verdicts on what perception saw, by the device's own judge."""
    judge = Judge({}, None, stream="clip", lockstep=True, sure_score=rule.sure)
    verdicts = judge.on_fixes_end()
    for number, frame in enumerate(frames):
        boxes = [box for box in frame.boxes if box.score >= rule.reported]
        verdicts += judge.on_sightings(Sightings(number, frame.t_ms, frame.width, frame.height, boxes))
        verdicts += judge.on_readings(Readings(number, frame.t_ms, frame.width, frame.height, []))
    return verdicts + judge.finish()


def acted_on(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts whose class the device lets be acted on."""
    return [verdict for verdict in verdicts if ACTED_ON[verdict.state] != "nothing"]


def of_passes(passes: Sequence[Pass], look: Look, rule: TrackRule, name: str) -> dict[str, Any]:
    """What is believed of the things that are passed, and of all else in the pictures, by looks a second.

    Returns:
        `things`, and by looks a second: `believed` (things whose class may be acted on), `right` (of these, the class
        is that of the thing), `suspect` (things that got a verdict of another kind), `interval` (95 %, of the share
        believed), and `false_per_1000_frames` (verdicts where nothing is passed).
    """
    counts = {every: {"believed": 0, "right": 0, "suspect": 0, "elsewhere": 0, "frames": 0} for every in EVERY}
    for one in tqdm(passes, desc=name, unit="pass", mininterval=2, disable=None):
        frames = seen(one.pictures(), look)
        for every, count in counts.items():
            _count(count, one, frames[::every], rule)
    things = sum(len(one.things) for one in passes)
    return {"things": things, "looks_per_s": {str(LOOKS_PER_S // e): _rates(c, things) for e, c in counts.items()}}


def _count(count: dict[str, int], one: Pass, frames: Sequence[Frame], rule: TrackRule) -> None:
    """Adds what is believed of each thing, judged by itself, and of what stands elsewhere."""
    count["frames"] += len(frames)
    count["elsewhere"] += len(judged(_around(one, frames, None), rule))
    for index, thing in enumerate(one.things):
        verdicts = judged(_around(one, frames, index), rule)
        held = acted_on(verdicts)
        count["believed"] += bool(held)
        count["right"] += any(verdict.class_id == thing.class_id for verdict in held)
        count["suspect"] += bool(verdicts) and not held


def _around(one: Pass, frames: Sequence[Frame], index: int | None) -> list[Frame]:
    """The frames with only the boxes that lie on one thing of the pass; None: on none of them."""
    return [
        Frame(
            frame.t_ms,
            frame.width,
            frame.height,
            [box for box in frame.boxes if one.thing_at(box.x + box.w / 2, box.y + box.h / 2) == index],
        )
        for frame in frames
    ]


def _rates(count: dict[str, int], things: int) -> dict[str, Any]:
    shared = {name: count[name] for name in ("believed", "right", "suspect")}
    elsewhere = 1000 * count["elsewhere"] / max(1, count["frames"])
    return shared | {"interval": intervals.wilson(count["believed"], things), "false_per_1000_frames": elsewhere}
