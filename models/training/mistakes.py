"""What the detector of a first stage takes for signs in its own training frames, for the second stage to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from device.perception.classify import Classifier
from device.perception.detect import Letterbox, Thresholds, decode
from models.data.source import Image
from models.pictures.scenes import Background
from models.training.nets import DetectorNet

_SIZE = (800, 1376)
_LEAST_SCORE, _SURE = 0.25, 0.95


@dataclass(frozen=True)
class Mistakes:
    """`mistaken` (N x 3: frame, x, y) are no signs; `doubtful` (per frame N x 4 corners) are signs without a label."""

    mistaken: NDArray[np.float32]
    doubtful: list[NDArray[np.float32]]


def find(network: DetectorNet, ground: Background, classifier: Classifier | None) -> Mistakes:
    """Runs the float network on all frames of a ground.

    Args:
        classifier: a box of whose class it is at least 95 % sure is a sign without a label; None: all are mistakes.
    """
    network.eval()
    mistaken: list[tuple[float, float, float]] = []
    doubtful = []
    frames = tqdm(ground.frames, desc="mistakes of the first stage", unit="frame", mininterval=2)
    for index, (frame, truth) in enumerate(zip(frames, ground.corners, strict=True)):
        signs = []
        for x, y, w, h in _false_boxes(network, frame, truth):
            if classifier is not None and classifier(frame[:, :, ::-1], [(x, y, w, h)])[0].probability >= _SURE:
                signs.append((x, y, x + w, y + h))
            else:
                mistaken.append((index, x + w / 2, y + h / 2))
        doubtful.append(np.array(signs, np.float32).reshape(-1, 4))
    return Mistakes(np.array(mistaken, np.float32).reshape(-1, 3), doubtful)


def _false_boxes(
    network: DetectorNet, frame: Image, truth: NDArray[np.float32]
) -> Sequence[tuple[float, float, float, float]]:
    """x, y, width and height of what touches no labelled sign."""
    letterbox = Letterbox((frame.shape[0], frame.shape[1]), _SIZE)
    pixels = letterbox.fill(np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), np.uint8))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        heat, sides = network(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())
    maps = heat[0, 0].float().numpy(), sides[0].permute(1, 2, 0).float().contiguous().numpy()
    found = decode(*maps, Thresholds(_LEAST_SCORE), letterbox)
    left, top, right, bottom = truth.T.reshape(4, -1)
    return [
        (x, y, w, h)
        for x, y, w, h, _ in found
        if not ((left < x + w) & (right > x) & (top < y + h) & (bottom > y)).any()
    ]
