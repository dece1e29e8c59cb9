"""How far a probability can be trusted: temperature of the softmax, and expected calibration error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.perception.classify import softmax

Logits = NDArray[np.floating[Any]]


def best_temperature(logits: Logits, labels: NDArray[np.int64]) -> float:
    """The temperature (0.2 to 5) of least negative log-likelihood (Guo et al., ICML 2017), by a fine grid.

    Args:
        logits: N x classes, of validation data.
        labels: N.
    """
    grid = np.exp(np.linspace(np.log(0.2), np.log(5.0), 161))
    rows = np.arange(len(labels))
    losses = [-np.log(softmax(logits, t)[rows, labels] + 1e-12).mean() for t in grid.tolist()]
    return float(round(grid[int(np.argmin(losses))], 4))


def expected_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64], bins: int = 15) -> float:
    """Expected calibration error of the top class: mean gap of confidence and accuracy over equal-width bins."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = [
        abs(right[which == b].mean() - confidence[which == b].mean()) * (which == b).mean() for b in set(which.tolist())
    ]
    return float(sum(gaps))
