"""From a box in a frame to a class and a calibrated probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from device.perception.interpreter import Model
from wire.classes import CLASS_NAMES

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]

_HIGHEST_GAIN = 12.0
_LEVELS = np.arange(256, dtype=np.float32)


def crop(frame: Image, box: Box, expand: float, size: tuple[int, int] = (48, 48)) -> Image:
    """Cuts the box out of the frame, `expand` times as wide and high, and scales it to `size`.

    What lies outside the frame repeats the frame's edge; a box wholly outside is black. The channel order is kept.

    Args:
        frame: uint8, height x width x 3; may be read-only.
        box: x, y, width, height in pixels; the edges are rounded to whole pixels after `expand`.
        expand: factor on both sides about the box's centre (`crop_expand` of the manifest).
        size: height and width of the result.
    """
    height, width = frame.shape[:2]
    x, y, w, h = box
    half_w, half_h = max(w * expand / 2, 1.0), max(h * expand / 2, 1.0)
    middle_x, middle_y = x + w / 2, y + h / 2
    left, right = round(middle_x - half_w), round(middle_x + half_w)
    top, bottom = round(middle_y - half_h), round(middle_y + half_h)
    inside = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inside.size == 0:
        return np.zeros((*size, 3), np.uint8)
    pads = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if any(pads):
        inside = cv2.copyMakeBorder(inside, *pads, cv2.BORDER_REPLICATE)
    shrinks = inside.shape[0] > size[0]
    scaled = cv2.resize(inside, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(scaled, np.uint8)


def evened(patch: Image) -> Image:
    """Stretches the levels so that the middle of the crop fills them: signs in shade then look like others.

    The 2nd and 98th percentile of the luminance in the middle (three fifths of either side, all of it inside the sign)
    become 16 and 240, as far as a gain of 12 reaches. One table for all channels, so that hues stay.

    Args:
        patch: uint8, height x width x 3, RGB; is only read.
    """
    height, width = patch.shape[:2]
    middle = patch[height // 5 : height - height // 5, width // 5 : width - width // 5]
    grey = cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY).ravel()
    low, high = len(grey) // 50, len(grey) - 1 - len(grey) // 50
    ordered = np.partition(grey, (low, high))
    dark, bright = float(ordered[low]), float(ordered[high])
    gain = min(_HIGHEST_GAIN, 224.0 / max(bright - dark, 1.0))
    levels = np.clip((_LEVELS - (dark + bright) / 2) * gain + 128.0, 0, 255)
    return np.asarray(cv2.LUT(patch, levels.astype(np.uint8)), np.uint8)


def softmax(logits: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Probabilities of the last axis, calibrated by one temperature (Guo et al., "On Calibration...", ICML 2017)."""
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Classified:
    """What the classifier says of one box: the likeliest of the 43 classes, its probability, those of all classes, and
    the probability that it is none of them (0 where the network has no such output)."""

    class_id: int
    probability: float
    probabilities: NDArray[np.float64]
    not_a_sign: float = 0.0


class Classifier:
    """The classifier network with its crop convention and temperature, both from the manifest's `classifier` entry."""

    def __init__(self, model: Model, crop_expand: float, temperature: float) -> None:
        self._model = model
        self._expand = crop_expand
        self._temperature = temperature
        self._size = model.input_shape[1], model.input_shape[2]

    def crop(self, frame: Image, box: Box) -> Image:
        """The RGB crop that the network is given for `box` of a BGR frame."""
        return np.asarray(cv2.cvtColor(crop(frame, box, self._expand, self._size), cv2.COLOR_BGR2RGB), np.uint8)

    def classify(self, patch: Image) -> Classified:
        """Classifies one RGB crop of the network's input size; its levels are evened first."""
        outputs = softmax(self._model.run(evened(patch))[0].reshape(-1), self._temperature)
        probabilities = outputs[: len(CLASS_NAMES)]
        class_id = int(probabilities.argmax())
        neither = float(outputs[len(CLASS_NAMES) :].sum())
        return Classified(class_id, float(probabilities[class_id]), probabilities, neither)

    def __call__(self, frame: Image, boxes: Sequence[Box]) -> list[Classified]:
        """Classifies each box (x, y, width, height in pixels) of a BGR frame."""
        return [self.classify(self.crop(frame, box)) for box in boxes]
