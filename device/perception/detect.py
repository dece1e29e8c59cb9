"""From a frame to sign boxes: letterbox geometry, decoding of the network's maps, non-maximum suppression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from device.perception.errors import FrameSizeError
from device.perception.interpreter import Floats, Model

Image = NDArray[np.uint8]
Detection = tuple[float, float, float, float, float]
"""x, y, width, height in pixels, and the score 0..1."""

_GREY = 114


class Letterbox:
    """Fits frames of one size into the network's input: one scale for both axes, grey bars, frame in the middle.

    The buffer is allocated once; `fill` returns the same array each time.

    Args:
        frame: height and width of the frames.
        target: height and width of the network's input.
    """

    def __init__(self, frame: tuple[int, int], target: tuple[int, int]) -> None:
        self.frame = frame
        self.scale = min(target[0] / frame[0], target[1] / frame[1])
        height = max(1, min(target[0], round(frame[0] * self.scale)))
        width = max(1, min(target[1], round(frame[1] * self.scale)))
        self.top, self.left = (target[0] - height) // 2, (target[1] - width) // 2
        self.scale_x, self.scale_y = width / frame[1], height / frame[0]
        self._buffer = np.full((*target, 3), _GREY, np.uint8)
        self._inner = self._buffer[self.top : self.top + height, self.left : self.left + width]
        self._scaled = np.empty((height, width, 3), np.uint8)
        self._method = cv2.INTER_AREA if self.scale < 0.5 else cv2.INTER_LINEAR

    def fill(self, frame: Image) -> Image:
        """The network's input for a BGR frame: RGB, target height x width x 3. The frame is only read."""
        if frame.shape[:2] != self.frame:
            raise FrameSizeError(f"frame is {frame.shape[1]}x{frame.shape[0]}, not {self.frame[1]}x{self.frame[0]}")
        cv2.resize(frame, self._scaled.shape[1::-1], dst=self._scaled, interpolation=self._method)
        cv2.cvtColor(self._scaled, cv2.COLOR_BGR2RGB, dst=self._inner)
        return self._buffer

    def to_frame(self, corners: Floats) -> Floats:
        """Maps corners (N x 4: left, top, right, bottom) from network input to frame pixels, clipped to the frame."""
        shift = np.array([self.left, self.top, self.left, self.top], np.float32)
        scale = np.array([self.scale_x, self.scale_y, self.scale_x, self.scale_y], np.float32)
        height, width = self.frame
        limits = np.array([width, height, width, height], np.float32)
        return np.asarray(np.clip((corners - shift) / scale, 0, limits), np.float32)


@dataclass(frozen=True)
class Thresholds:
    """What is kept: at least `score`, overlaps (IoU) up to `nms_iou`, sides within `max_aspect`, at most `count`.

    `min_side` is in pixels of the network's input: a smaller sign cannot be classified.
    """

    score: float
    nms_iou: float = 0.4
    max_aspect: float = 2.0
    min_side: float = 9.0
    count: int = 32


def peaks(heatmap: Floats, boxes: Floats, stride: int, thresholds: Thresholds) -> tuple[Floats, Floats]:
    """Decodes the network's maps in its own input pixels, best first, before the suppression of overlaps.

    Args:
        heatmap: logits, height x width (axes of length one are dropped).
        boxes: distances from a cell's centre to left, top, right and bottom, height x width x 4, input pixels.
        stride: input pixels between neighbouring cells.

    Returns:
        corners (N x 4: left, top, right, bottom) and scores (N).
    """
    heat = np.ascontiguousarray(heatmap.reshape(boxes.shape[-3], boxes.shape[-2]), np.float32)
    top = cv2.dilate(heat, np.ones((3, 3), np.uint8))
    logit = np.log(thresholds.score / (1 - thresholds.score))
    rows, columns = np.nonzero((heat >= logit) & (heat >= top))
    order = np.argsort(-heat[rows, columns], kind="stable")[: 4 * thresholds.count]
    rows, columns = rows[order], columns[order]
    scores = 1 / (1 + np.exp(-heat[rows, columns]))
    centres = (np.stack([columns, rows, columns, rows], axis=1) + np.float32(0.5)) * np.float32(stride)
    sides = boxes.reshape(*heat.shape, 4)[rows, columns]
    corners = centres + sides * np.array([-1, -1, 1, 1], np.float32)
    spans = corners[:, 2:] - corners[:, :2]
    short, long = spans.min(axis=1, initial=np.inf), spans.max(axis=1, initial=0.0)
    good = (short >= thresholds.min_side) & (long <= short * thresholds.max_aspect)
    return corners[good].astype(np.float32), scores[good].astype(np.float32)


def suppress(corners: Floats, scores: Floats, limit: float, count: int) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the kept boxes, best first.

    Where a box lies mostly inside another, only the better of the two stays.
    """
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    kept: list[int] = []
    while order.size and len(kept) < count:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(corners[best, :2], corners[rest, :2])
        high = np.minimum(corners[best, 2:], corners[rest, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        union = areas[best] + areas[rest] - common
        contained = common > 0.8 * np.minimum(areas[best], areas[rest])
        order = rest[(common <= limit * union) & ~contained]
    return np.array(kept, np.intp)


def decode(
    heatmap: Floats, boxes: Floats, thresholds: Thresholds, letterbox: Letterbox | None = None, stride: int = 8
) -> list[Detection]:
    """Decodes the network's maps to detections, best first: in frame pixels with a letterbox, else in input pixels."""
    corners, scores = peaks(heatmap, boxes, stride, thresholds)
    kept = suppress(corners, scores, thresholds.nms_iou, thresholds.count)
    corners, scores = corners[kept], scores[kept]
    if letterbox is not None:
        corners = letterbox.to_frame(corners)
    spans = corners[:, 2:] - corners[:, :2]
    rows = np.concatenate([corners[:, :2], spans, scores[:, None]], axis=1)
    return [(x, y, w, h, score) for x, y, w, h, score in rows.tolist() if w > 0 and h > 0]


class Detector:
    """The detector network with its thresholds, for frames of any size."""

    def __init__(self, model: Model, thresholds: Thresholds, stride: int = 8) -> None:
        self._model = model
        self._thresholds = thresholds
        self._stride = stride
        self._letterbox: Letterbox | None = None

    def maps(self, frame: Image) -> tuple[Letterbox, Floats, Floats]:
        """Runs the network on a BGR frame: the geometry used, heatmap logits (H x W) and side distances (H x W x 4)."""
        size: tuple[Any, ...] = frame.shape[:2]
        if self._letterbox is None or self._letterbox.frame != size:
            self._letterbox = Letterbox((size[0], size[1]), self._model.input_shape[1:3])  # type: ignore[arg-type]
        first, second = self._model.run(self._letterbox.fill(frame))
        heat, sides = (first, second) if first.shape[-1] == 1 else (second, first)
        return self._letterbox, heat[0, :, :, 0], sides[0]

    def __call__(self, frame: Image) -> list[Detection]:
        """Detections in a BGR frame, in frame pixels, best first."""
        letterbox, heat, sides = self.maps(frame)
        return decode(heat, sides, self._thresholds, letterbox, self._stride)
