"""Figures of a detector over a set of frames: mAP at IoU 0.5 (COCO's tool), recall by sign width, best threshold."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.perception.detect import Detection

WIDTH_BINS = ((16, 24), (24, 32), (32, 64), (64, 10000))
"""Sign widths in pixels of the 1360x800 frame, for the recall; the smallest sign of GTSDB has 16."""

FALSE_PER_FRAME = 0.1


@dataclass(frozen=True)
class Detected:
    """Detections of one frame; corners (N x 4, its pixels) of its true signs, and of what counts neither way."""

    detections: Sequence[Detection]
    truth: NDArray[np.float32]
    ignored: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def map50(frames: Sequence[Detected]) -> float | None:
    """Average precision of the one class `sign` at an IoU of 0.5, by pycocotools (101 recall points).

    None without any sign: there is nothing to find then.
    """
    if not any(len(frame.truth) for frame in frames):
        return None
    if not any(len(frame.detections) for frame in frames):
        return 0.0
    return _accumulated(_evaluated(frames))


def map50_interval(frames: Sequence[Detected], samples: int = 1000) -> list[float] | None:
    """The 95 % interval of `map50` over frames drawn anew, with repetition (percentile bootstrap, Efron 1979)."""
    if not any(len(frame.truth) for frame in frames):
        return None
    if not any(len(frame.detections) for frame in frames):
        return [0.0, 0.0]
    evaluation, rng = _evaluated(frames), np.random.default_rng(0)
    matched = evaluation.evalImgs  # one for each frame: one class, one range of areas
    values = []
    for _ in range(samples):
        evaluation.evalImgs = [matched[index] for index in rng.integers(len(matched), size=len(matched))]
        if (value := _accumulated(evaluation)) is not None:
            values.append(value)
    return [float(limit) for limit in np.percentile(values, (2.5, 97.5))] if values else None


def _evaluated(frames: Sequence[Detected]) -> Any:
    """COCO's evaluation with detections matched to signs, frame by frame, not yet summed up."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for number, frame in enumerate(frames, start=1):
        for crowd, boxes in ((0, frame.truth), (1, frame.ignored)):
            for left, top, right, bottom in boxes.tolist():
                w, h = right - left, bottom - top
                entry = {"id": len(annotations) + 1, "image_id": number, "category_id": 1, "bbox": [left, top, w, h]}
                annotations.append(entry | {"area": w * h, "iscrowd": crowd})
        results += [
            {"image_id": number, "category_id": 1, "bbox": list(found[:4]), "score": found[4]}
            for found in frame.detections
        ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        images = [{"id": number} for number in range(1, len(frames) + 1)]
        truth.dataset = {"info": {}, "images": images, "categories": [{"id": 1}], "annotations": annotations}
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.areaRng, evaluation.params.areaRngLbl = evaluation.params.areaRng[:1], ["all"]
        evaluation.evaluate()
    return evaluation


def _accumulated(evaluation: Any) -> float | None:
    """The average precision of what was matched; None where none of it is a sign."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, 0, 0, -1]
    known = precision[precision > -1]
    return float(known.mean()) if known.size else None


def matches(frame: Detected) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Greedy matching at IoU 0.5: the score of each detection that counts, whether it is right, and per true sign the
    score that found it (0 where none did)."""
    scores, which, found_by = assigned(frame)
    counts = which != IGNORED
    return scores[counts], which[counts] >= 0, found_by


IGNORED = -2


def assigned(frame: Detected) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """As `matches`, but for all detections: the true sign that each found, -1 for none, or `IGNORED`."""
    scores = np.array([found[4] for found in frame.detections], np.float64)
    which = np.full(len(scores), -1)
    found_by = np.zeros(len(frame.truth))
    for index in np.argsort(-scores, kind="stable"):
        overlaps = _overlaps(frame.detections[index], frame.truth)
        overlaps[found_by > 0] = 0
        if overlaps.size and overlaps.max() >= 0.5:
            which[index] = overlaps.argmax()
            found_by[int(overlaps.argmax())] = scores[index]
        elif len(frame.ignored) and _covered(frame.detections[index], frame.ignored).max() >= 0.5:
            which[index] = IGNORED
    return scores, which, found_by


def _covered(found: Detection, boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of a detection that lies in each box: COCO's overlap with a region that is to be ignored."""
    x, y, w, h = found[:4]
    wide = np.minimum(boxes[:, 2], x + w) - np.maximum(boxes[:, 0], x)
    high = np.minimum(boxes[:, 3], y + h) - np.maximum(boxes[:, 1], y)
    return np.asarray(np.maximum(wide, 0) * np.maximum(high, 0) / (w * h), np.float64)


def _overlaps(found: Detection, truth: NDArray[np.float32]) -> NDArray[np.float64]:
    x, y, w, h = found[:4]
    wide = np.minimum(truth[:, 2], x + w) - np.maximum(truth[:, 0], x)
    high = np.minimum(truth[:, 3], y + h) - np.maximum(truth[:, 1], y)
    common = np.maximum(wide, 0) * np.maximum(high, 0)
    areas = np.prod(truth[:, 2:] - truth[:, :2], axis=1)
    return np.asarray(common / (areas + w * h - common), np.float64)


def recall_by_width(frames: Sequence[Detected], score: float) -> dict[str, float | None]:
    """Recall at a threshold for each bin of widths; None where no sign has such a width."""
    widths = np.concatenate([frame.truth[:, 2] - frame.truth[:, 0] for frame in frames])
    hit = np.concatenate([matches(frame)[2] for frame in frames]) >= score
    inside = {name: (widths >= low) & (widths < high) for name, (low, high) in _named_bins().items()}
    return {name: float(hit[chosen].mean()) if chosen.any() else None for name, chosen in inside.items()}


def signs_by_width(frames: Sequence[Detected]) -> dict[str, int]:
    """How many signs each bin of widths holds."""
    widths = np.concatenate([frame.truth[:, 2] - frame.truth[:, 0] for frame in frames])
    return {name: int(((widths >= low) & (widths < high)).sum()) for name, (low, high) in _named_bins().items()}


def _named_bins() -> dict[str, tuple[int, int]]:
    return {f"{low}-{high}" if high < 1000 else f"{low}+": (low, high) for low, high in WIDTH_BINS}


def score_at_false_rate(frames: Sequence[Detected], per_frame: float = FALSE_PER_FRAME) -> float:
    """The lowest threshold at which there are at most `per_frame` false boxes a frame."""
    parts = [matches(frame) for frame in frames]
    false = np.sort(np.concatenate([scores[~right] for scores, right, _ in parts]))[::-1]
    allowed = int(per_frame * len(frames))
    return float(np.nextafter(false[allowed], 1.0)) if len(false) > allowed else 0.0


def precision_recall(frames: Sequence[Detected], score: float) -> tuple[float, float]:
    """Precision and recall of the detections with at least `score`."""
    parts = [matches(frame) for frame in frames]
    kept = np.concatenate([right[scores >= score] for scores, right, _ in parts])
    found = np.concatenate([by for _, _, by in parts]) >= score
    return (float(kept.mean()) if kept.size else 1.0), (float(found.mean()) if found.size else 0.0)


def threshold_for(frames: Sequence[Detected], precision: float) -> float:
    """The lowest threshold (0.1 to 0.9) at which the precision is reached; 0.9 if it never is."""
    for score in np.arange(0.1, 0.9, 0.01):
        if precision_recall(frames, float(score))[0] >= precision:
            return float(round(score, 2))
    return 0.9
