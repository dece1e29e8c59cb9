"""What perception reports of a data set's frames, measured: its detector, both networks together, box and class."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from tqdm import tqdm

from device.perception.core import ScoredBox, scored
from device.perception.detect import Detection
from models.data import gtsdb, splits
from models.data.source import DataSet
from models.measuring import detection_scores, end_to_end, intervals
from models.measuring.detection_scores import Detected
from models.pictures import augment
from models.release import shipped
from wire.manifest import PointName

WEAKEST = 0.01
"""The detector's score down to which its boxes count for its average precision."""

Change = Callable[[NDArray[np.uint8], Generator], NDArray[np.uint8]]

DEGRADED: Mapping[str, Change] = {
    "dusk": augment.dusk,
    "backlit": augment.backlit,
    "rain": augment.rain,
    "blurred": partial(augment.blur, most=2.0),
    "compressed": partial(augment.compressed, worst=20),
}
"""What `models.pictures.augment` makes of the frames, to measure how much of the detection is left."""

_UNLABELLED = Path(__file__).parents[1] / "data" / "gtsdb_unlabelled.csv"


@dataclass(frozen=True)
class Looked:
    """One frame as both networks see it.

    Attributes:
        alone: what the detector finds by itself, down to the score `WEAKEST`.
        reported: what the device reports, but for `score_low`: the proposals that the classifier did not refuse, with
            the joint score of `device.perception.core.scored`.
        class_ids: the class of each reported box (N).
        proposals: how many boxes the classifier had to look at.
    """

    scene: gtsdb.RoadFrame
    alone: Detected
    reported: Detected
    class_ids: NDArray[np.int64]
    proposals: int


def unseen(scenes: Sequence[gtsdb.RoadFrame], split: splits.Split) -> list[gtsdb.RoadFrame]:
    """The scenes that no training saw."""
    return [scene for scene in scenes if scene.number in split.frames or scene.number >= splits.TRAINING_FRAMES]


def unlabelled(name: str) -> NDArray[np.float32]:
    """Corners (N x 4) of the signs in a frame that GTSDB leaves without a box: they count neither way."""
    boxes: dict[str, list[list[float]]] = defaultdict(list)
    with _UNLABELLED.open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            boxes[row["frame"]].append([float(row[side]) for side in ("left", "top", "right", "bottom")])
    return np.array(boxes.get(Path(name).stem, []), np.float32).reshape(-1, 4)


@dataclass(frozen=True)
class FrameFindings:
    """A frame's boxes: the detector's alone, and what is reported; how many proposals the classifier looked at."""

    alone: list[Detection]
    reported: list[ScoredBox]
    proposals: int


def seen_by_both(models: shipped.Shipped, frame: NDArray[np.uint8], proposed_from: float) -> FrameFindings:
    """What the device reports of a BGR frame, but for `score_low`, and the detector's boxes before that."""
    found = models.detector(frame)
    proposed = [box for box in found if box[4] >= proposed_from]
    read = models.classifier(frame, [box[:4] for box in proposed])
    reported = scored(proposed, read, float(models.manifest["classifier"]["not_a_sign"]))
    return FrameFindings(found, reported, len(proposed))


def look(
    folder: Path,
    point: PointName,
    proposed_from: float,
    source: DataSet,
    scenes: Sequence[gtsdb.RoadFrame],
    degraded: str | None = None,
) -> list[Looked]:
    """Runs both networks of a folder on scenes, through the run-time path.

    Args:
        proposed_from: the detector's score from which on the classifier looks at a box (`score_proposed`).
        degraded: one of `DEGRADED`; the same frame is always degraded alike.
    """
    models = shipped.load(folder, score=WEAKEST, point=point)
    looked = []
    for scene in tqdm(scenes, desc=f"look ({degraded or point})", unit="frame", mininterval=2, disable=None):
        picture = gtsdb.frame(source, scene)
        if degraded is not None:
            picture = DEGRADED[degraded](picture, np.random.default_rng(scene.number))
        frame = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)
        seen, ignored = seen_by_both(models, frame, proposed_from), unlabelled(scene.name)
        alone = Detected(seen.alone, scene.corners, ignored)
        boxes = Detected([box.detection for box in seen.reported], scene.corners, ignored)
        class_ids = np.array([box.read.class_id for box in seen.reported], np.int64)
        looked.append(Looked(scene, alone, boxes, class_ids, seen.proposals))
    return looked


def detector_figures(looked: Sequence[Looked], point: Mapping[str, Any], crop_gmac: float) -> dict[str, Any]:
    """The boxes that the device reports at an operating point, the detector alone, and what the thresholds give.

    Args:
        point: the manifest's entry, with `gmac`, `score_low` and `score_high`.
        crop_gmac: multiply-adds of the classifier for one proposal, in billions.
    """
    reported = [frame.reported for frame in looked]
    proposals = float(np.mean([frame.proposals for frame in looked]))
    result = _figures(reported) | {
        "proposals_per_frame": proposals,
        "gmac_per_frame": float(point["gmac"]) + proposals * crop_gmac,
        "detector_alone": _figures([frame.alone for frame in looked]),
    }
    for name in ("score_low", "score_high"):
        precision, recall = detection_scores.precision_recall(reported, point[name])
        result[f"at_{name}"] = {"score": point[name], "precision": precision, "recall": recall}
    return result


def _figures(found: Sequence[Detected]) -> dict[str, Any]:
    """mAP at IoU 0.5, and the recall at 0.1 false boxes a frame, in all and by width."""
    score = detection_scores.score_at_false_rate(found)
    hit = np.concatenate([detection_scores.matches(frame)[2] for frame in found]) >= max(score, 1e-9)
    plain = [Detected(frame.detections, frame.truth) for frame in found]
    return {
        "frames": len(found),
        "boxes": sum(len(frame.truth) for frame in found),
        "map50": detection_scores.map50(found),
        "map50_interval": detection_scores.map50_interval(found),
        "map50_nothing_ignored": detection_scores.map50(plain),
        "recall_at_0_1_fp": float(hit.mean()) if hit.size else None,
        "recall_at_0_1_fp_interval": intervals.wilson(int(hit.sum()), len(hit)),
        "score_at_0_1_fp": score,
        "recall_by_width": detection_scores.recall_by_width(found, max(score, 1e-9)),
        "boxes_by_width": detection_scores.signs_by_width(found),
        "ignored_unlabelled": sum(len(frame.ignored) for frame in found),
    }


def end_to_end_figures(
    looked: Sequence[Looked], shared: Mapping[int, Sequence[tuple[int, int]]], score: float
) -> dict[str, Any]:
    """Box and class together, of what is reported from `score` on, on boxes that are not GTSRB crops as well.

    Args:
        shared: of each frame, left and top of the boxes that are GTSRB crops (`gtsdb.shared_boxes`).
    """
    frames = []
    for seen in looked:
        kept = np.array([box[4] >= score for box in seen.reported.detections], bool)
        boxes = [box for box, keep in zip(seen.reported.detections, kept.tolist(), strict=True) if keep]
        corners = seen.scene.corners
        known = np.array([(int(c[0]), int(c[1])) in shared[seen.scene.number] for c in corners], bool)
        ignored = np.concatenate([seen.reported.ignored, corners[known]])
        found = Detected(boxes, corners[~known], ignored)
        frames.append(end_to_end.Read(found, seen.scene.class_ids[~known], seen.class_ids[kept]))
    return end_to_end.figures(frames)
