"""Command line: `python -m models.clips [VIDEO...] [--gtsrb DATA] [--gtsdb DATA] [--foreign DATA] [--json FILE]`.

What the device believes of perception's boxes. A video is judged three times: by the device's two thresholds (a box
from `score_high` on is surely a sign, one from `score_low` on goes on with a track), and by each of them alone; then by
both with looks left out, as a slower device would see it. In a video without signs of the 43 classes every verdict is a
false positive; in one with a sign, more boxes in its verdict are better.

With data sets, passes are made of their pictures (`models.measuring.passes`) and judged at 60 to 5 looks a second: of
GTSRB the tracks that no training saw, which measure the recall; of GTSDB the scenes without a sign, passed by zooming
in, and signs outside the 43 classes that are drawn on them; of foreign photographs (`others.csv`) the signs outside the
43 classes. On these the share believed is the false positive rate. GTSDB is needed for each: things are laid on it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

import program
from device.channel.messages import Verdict
from models.data import gtsdb, gtsrb, splits
from models.data.source import DataSet
from models.errors import DataError, ModelsError
from models.measuring import belief, passes
from models.measuring.belief import Frame, Look, TrackRule, acted_on, judged, rules
from models.release import shipped
from program import outputs
from program.arguments import new_parser, place
from wire.classes import class_name
from wire.manifest import PointName, operating_point

THINNED = (1, 2, 3, 6)
"""Of a video's frames each, every second, third and sixth is judged."""
DRAWN_TIMES, DRAWN_SEED = 4, 1


def see(video: Path, look: Look) -> list[Frame]:
    """Perception's boxes for every frame of a video.

    Raises:
        DataError: the file is not a video.
    """
    return belief.seen(tqdm(_decoded(video), desc=video.name, unit="frame", mininterval=2, disable=None), look)


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


def _told(verdict: Verdict, every: int = 1) -> dict[str, Any]:
    """The verdict, by the frames of the video of which one in `every` was judged."""
    name = class_name(verdict.class_id, None)
    frames = {"from": verdict.first_frame * every, "to": verdict.last_frame * every}
    return {"state": verdict.state, "class": name} | frames | {"boxes": verdict.sightings}


def by_rate(frames: Sequence[Frame], rule: TrackRule) -> dict[str, Any]:
    """The verdicts where only some of the frames are looked at, by looks a second."""
    seconds = (frames[-1].t_ms - frames[0].t_ms) / 1000
    rate = (len(frames) - 1) / seconds if seconds else 0.0
    found: dict[str, Any] = {}
    for every in THINNED:
        some = frames[::every]
        verdicts = judged(some, rule)
        found[f"{rate / every:.3g}"] = {
            "verdicts_per_1000_frames": 1000 * len(verdicts) / len(some),
            "acted_on": len(acted_on(verdicts)),
            "verdicts": [_told(verdict, every) for verdict in verdicts],
        }
    return found


def measure(videos: Sequence[Path], folder: Path, name: PointName) -> dict[str, Any]:
    """All rules on all videos at the operating point `name`; by the video's name, or its path where names repeat."""
    both, *others = rules(operating_point(shipped.load_manifest(folder), name))
    names = [video.name for video in videos]
    look = belief.perception(folder, name)
    result: dict[str, Any] = {}
    for video in videos:
        frames = see(video, look)
        if not frames:
            raise DataError(f"{video}: holds no frame", "give a recorded video")
        found = {"frames": len(frames), "rules": {rule.name: figures(frames, rule) for rule in (both, *others)}}
        found["looks_per_s"] = by_rate(frames, both)
        result[video.name if names.count(video.name) == 1 else str(video)] = found
    return result


def measure_passes(
    sources: Mapping[str, Path | None], folder: Path, name: PointName, drawn_times: int = DRAWN_TIMES
) -> dict[str, Any]:
    """What is believed of passes made of the data sets that are given (`gtsrb`, `gtsdb`, `foreign`), by kind.

    Args:
        drawn_times: how often each kind of drawn sign is passed.

    Raises:
        ModelsError: a data set is not one, or GTSDB, which the things are laid on, or the package scipy is missing.
    """
    if sources["gtsdb"] is None:
        raise ModelsError("passes need road scenes", "give --gtsdb as well")
    if find_spec("scipy") is None:
        raise ModelsError("scipy is not installed", "install the project's `evaluate` extra")
    split = splits.read(folder / splits.SPLIT_FILE.name)
    scenes = DataSet(sources["gtsdb"], "gt.txt")
    empty = passes.empty_scenes(scenes)
    grounds = [gtsdb.frame(scenes, scene) for scene in empty if scene.number in split.frames] or [
        gtsdb.frame(scenes, scene) for scene in empty[:1]
    ]
    kinds = {"empty scenes": passes.zoomed(scenes, empty)}
    if drawn_times:
        drawn = passes.drawn_signs(drawn_times, DRAWN_SEED)
        kinds["signs outside the classes, drawn"] = passes.laid(drawn, grounds)
    if sources["foreign"] is not None:
        foreign = passes.foreign_signs(DataSet(sources["foreign"], "others.csv"))
        kinds["signs outside the classes, photographs"] = passes.laid(foreign, grounds)
    if sources["gtsrb"] is not None:
        tracks = passes.tracks(DataSet(sources["gtsrb"], *gtsrb.TRAIN), split.tracks)
        kinds["signs"] = passes.laid(tracks, grounds, passes.TRACK_SECONDS)
    look, rule = belief.perception(folder, name), rules(operating_point(shipped.load_manifest(folder), name))[0]
    return {kind: belief.of_passes(some, look, rule, kind) for kind, some in kinds.items()}


def table(result: dict[str, Any]) -> Table:
    """The figures of the videos, for people."""
    shown = Table("video", "frames", "rule", "boxes a frame", "in verdicts", "verdicts", box=None)
    for video, found in result.items():
        for name, row in found["rules"].items():
            numbers = (f"{row[key]:.4f}" for key in ("boxes_per_frame", "boxes_per_frame_in_verdicts"))
            shown.add_row(video, str(found["frames"]), name, *numbers, _listed(row["verdicts"]))
        for rate, row in found["looks_per_s"].items():
            shown.add_row(video, "", f"{rate} looks a second", "", "", _listed(row["verdicts"]))
    return shown


def _listed(verdicts: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{v['class']} {v['from']}-{v['to']} {v['state']}" for v in verdicts) or "none"


def pass_table(result: dict[str, Any]) -> Table:
    """The figures of the passes, for people: the share believed, and false verdicts per 1,000 frames of background."""
    rates = [str(passes.LOOKS_PER_S // every) for every in belief.EVERY]
    shown = Table("passes, by looks a second", "things", *rates, "suspect", box=None)
    for kind, found in result.items():
        rows = [found["looks_per_s"][rate] for rate in rates]
        if found["things"]:
            shares = (f"{row['right' if kind == 'signs' else 'believed'] / found['things']:.3f}" for row in rows)
            suspect = ", ".join(str(row["suspect"]) for row in rows)
            shown.add_row(f"{kind}: {'recall' if kind == 'signs' else 'FPR'}", str(found["things"]), *shares, suspect)
        else:
            false = (f"{row['false_per_1000_frames']:.2f}" for row in rows)
            shown.add_row(f"{kind}: false positives per 1,000 frames", "", *false, "")
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, and writes JSON; returns the exit status."""
    return program.run("python -m models.clips", lambda: _work(arguments))


def _work(arguments: Sequence[str] | None = None) -> None:
    parser = new_parser(prog="python -m models.clips", description="What the device believes of videos.")
    parser.add_argument("videos", nargs="*", type=place, metavar="VIDEO")
    parser.add_argument("--gtsrb", type=place, metavar="DATA", help="folder or zip with Train.csv: passes of signs")
    parser.add_argument("--gtsdb", type=place, metavar="DATA", help="folder or zip with gt.txt: scenes without a sign")
    parser.add_argument("--foreign", type=place, metavar="DATA", help="folder or zip with others.csv: other signs")
    parser.add_argument("--models", type=place, default=shipped.ARTIFACTS, help="folder of the models")
    parser.add_argument("--point", choices=get_args(PointName), default="far", help="operating point")
    parser.add_argument("--json", type=place, metavar="FILE", help="write the figures there too")
    options = parser.parse_args(arguments)
    sources = {name: getattr(options, name) for name in ("gtsrb", "gtsdb", "foreign")}
    if not options.videos and not any(sources.values()):
        parser.error("give a video or a data set")
    result = measure(options.videos, options.models, options.point)
    told = [table(result)] if result else []
    if any(sources.values()):
        found = measure_passes(sources, options.models, options.point)
        result[belief.PASSES] = found
        told.append(pass_table(found))
    if options.json is not None:
        outputs.write(options.json, (json.dumps(result, indent=2) + "\n").encode())
    for shown in told:
        Console(width=max(Console().width, 130)).print(shown)


if __name__ == "__main__":
    sys.exit(main())
