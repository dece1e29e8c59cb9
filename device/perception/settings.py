"""The settings that perception is given."""

from __future__ import annotations

import msgspec


class PerceptionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From the models' manifest, which warden has checked, and the configuration.

    `score_proposed` is the detector's own score from which on the classifier looks at a box; `score_low` the score of
    both together (`scored`) from which on it is reported.
    """

    lockstep: bool
    threads: int
    stride: int
    input: tuple[int, int]
    score_proposed: float
    score_low: float
    nms_iou: float
    crop_expand: float
    temperature: float
    not_a_sign: float
