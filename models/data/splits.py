"""What is trained on and what is validated on: drawn once, kept in a file that is committed with the models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from models.data import gtsdb, gtsrb
from models.data.source import DataSet
from models.errors import DataError

SPLIT_FILE = Path(__file__).parents[1] / "artifacts" / "split.json"
_SHARE_TRACKS, _SHARE_FRAMES, _SEED = 0.1, 0.15, 20110731


@dataclass(frozen=True)
class Split:
    """GTSRB tracks and GTSDB frame numbers that no training sees."""

    tracks: frozenset[str]
    frames: frozenset[int]


TRAINING_FRAMES = 600
"""GTSDB's publisher trains on the frames below this number and tests on the rest; so does everything here."""


def trainable(scenes: list[gtsdb.RoadFrame]) -> list[gtsdb.RoadFrame]:
    """The frames that may be trained on or validated with."""
    return [scene for scene in scenes if scene.number < TRAINING_FRAMES]


def draw(crops: list[gtsrb.Crop], scenes: list[gtsdb.RoadFrame], shared: dict[int, set[str]]) -> Split:
    """Draws the split; a track cut from a validation frame is a validation track too."""
    frames = gtsdb.split_frames(trainable(scenes), shared, _SHARE_FRAMES, _SEED)
    tracks = gtsrb.split_tracks(crops, _SHARE_TRACKS, _SEED)
    tracks |= set().union(*(shared.get(number, set()) for number in frames))
    return Split(frozenset(tracks), frozenset(frames))


def doubt(scenes: DataSet) -> str | None:
    """What is not known of a split of these scenes, as a sentence for the user."""
    if gtsdb.has_overlap_list(scenes):
        return None
    return (
        f"{scenes.path}: without overlap_with_gtsrb.csv it is not known which of its frames GTSRB crops were cut from: "
        "a sign may be both trained on and validated with"
    )


def write(split: Split, path: Path = SPLIT_FILE) -> None:
    """Writes the split as JSON."""
    content = {
        "gtsrb_validation_tracks": sorted(split.tracks),
        "gtsdb_validation_frames": sorted(split.frames),
        "seed": _SEED,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")


def read(path: Path = SPLIT_FILE) -> Split:
    """Reads the split that the shipped models were trained with."""
    try:
        content = json.loads(path.read_text())
        return Split(frozenset(content["gtsrb_validation_tracks"]), frozenset(content["gtsdb_validation_frames"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a split file ({error})", "give models that models.ship wrote, split.json among them"
        ) from error


def from_sources(crops: DataSet, scenes: DataSet) -> Split:
    """Draws the split from the two data sets."""
    return draw(gtsrb.load(crops), gtsdb.load(scenes), gtsdb.shared_tracks(scenes))
