"""What the detector learns: heatmap and side targets of a sample, and the loss against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

STRIDE = 8


@dataclass(frozen=True)
class Targets:
    """Targets of one batch, all float32 but `kind`, H and W in cells.

    heat N x H x W (0..1, 1 at a sign's cell), counted N x H x W (0 where nothing is to be learnt), sides N x 4 x H x W
    (input pixels), weight N x H x W (a sign's weights sum to 1, or less below a smaller sign; 0 where no box is to be
    learnt), kind N x H x W (int64: the class of the sign there, -1 for none or not known).
    """

    heat: Tensor
    counted: Tensor
    sides: Tensor
    weight: Tensor
    kind: Tensor

    def to(self, device: torch.device) -> Targets:
        """The same on another device."""
        return Targets(*(getattr(self, field.name).to(device) for field in fields(self)))


Drawn = tuple[NDArray[Any], ...]
"""heat, counted, sides (4 x H x W), weight and kind of one sample."""


def draw(corners: NDArray[np.float32], kinds: NDArray[np.int64], ignored: NDArray[np.bool_], cells: int) -> Drawn:
    """The targets of one square sample of `cells` x `cells` cells, from its signs' corners, classes and flags (N)."""
    heat, weight = np.zeros((cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    counted, sides = np.ones((cells, cells), np.float32), np.zeros((4, cells, cells), np.float32)
    kind = np.full((cells, cells), -1, np.int64)
    middles = (np.arange(cells, dtype=np.float32) + 0.5) * STRIDE
    areas = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    for index in np.argsort(-areas):  # small signs last: they stay on top
        left, top, right, bottom = corners[index]
        if ignored[index]:
            counted[int(top) // STRIDE : int(bottom) // STRIDE + 1, int(left) // STRIDE : int(right) // STRIDE + 1] = 0
            continue
        spread_x, spread_y = max(4.0, 0.1 * (right - left)), max(4.0, 0.1 * (bottom - top))
        bell_x = np.exp(-(((middles - (left + right) / 2) / spread_x) ** 2) / 2)
        bell_y = np.exp(-(((middles - (top + bottom) / 2) / spread_y) ** 2) / 2)
        column, row = int(bell_x.argmax()), int(bell_y.argmax())
        bell = np.outer(bell_y / bell_y[row], bell_x / bell_x[column]).astype(np.float32)
        heat = np.maximum(heat, np.where(bell > 0.03, np.minimum(bell, 0.99), 0))
        heat[row, column] = 1
        here = bell > 0.25
        weight[here] = (bell / bell[here].sum())[here]
        inside = np.broadcast_to(middles, (cells, cells))
        outer = np.stack([inside - left, inside.T - top, right - inside, bottom - inside.T])
        sides[:, here] = outer[:, here]
        kind[here] = kinds[index]
    return heat, counted, sides, weight, kind


def stack(parts: Sequence[Drawn]) -> Targets:
    """One batch of what `draw` returned."""
    heat, counted, sides, weight, kind = (torch.from_numpy(np.stack(maps)) for maps in zip(*parts, strict=True))
    return Targets(heat, counted, sides, weight, kind)


def loss(heatmap: Tensor, sides: Tensor, kinds: Tensor, targets: Targets) -> Tensor:
    """Penalty-reduced focal loss (CornerNet, ECCV 2018), twice the GIoU loss (Rezatofighi et al., CVPR 2019), and a
    third of the classes' cross-entropy.

    Args:
        heatmap: logits, N x 1 x H x W.
        sides: distances, N x 4 x H x W.
        kinds: class logits, N x classes x H x W.
    """
    logits = heatmap[:, 0].float()
    p = torch.sigmoid(logits)
    centre = (targets.heat >= 1).float() * targets.counted
    hit = centre * (1 - p) ** 2 * functional.logsigmoid(logits)
    miss = (1 - centre) * targets.counted * (1 - targets.heat) ** 4 * p**2 * functional.logsigmoid(-logits)
    signs = centre.sum().clamp(min=1)
    focal = -(hit + miss).sum() / signs
    overlap = _giou(sides.float(), targets.sides)
    boxes = ((1 - overlap) * targets.weight).sum() / targets.weight.sum().clamp(min=1)
    named = targets.weight * (targets.kind >= 0)
    doubt = functional.cross_entropy(kinds.float(), targets.kind, ignore_index=-1, reduction="none")
    return focal + 2 * boxes + (doubt * named).sum() / (3 * named.sum().clamp(min=1))


def _giou(first: Tensor, second: Tensor) -> Tensor:
    """Generalised IoU of boxes around the same point, given as distances to its sides (N x 4 x H x W)."""
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    common = (low[:, 0] + low[:, 2]).clamp(min=0) * (low[:, 1] + low[:, 3]).clamp(min=0)
    hull = (high[:, 0] + high[:, 2]) * (high[:, 1] + high[:, 3]) + 1e-6
    area_first = (first[:, 0] + first[:, 2]) * (first[:, 1] + first[:, 3])
    area_second = (second[:, 0] + second[:, 2]).clamp(min=0) * (second[:, 1] + second[:, 3]).clamp(min=0)
    union = area_first + area_second - common + 1e-6
    return common / union - (hull - union) / hull
