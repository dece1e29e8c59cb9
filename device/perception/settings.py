"""The settings that perception is given."""

from __future__ import annotations

import msgspec

from wire.manifest import PointName


class PointSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operating point: the size at which the detector sees frames, and the thresholds that belong to it.

    `score_proposed` is the detector's own score from which on the classifier looks at a box; `score_low` the score of
    both together (`scored`) from which on it is reported.
    """

    name: PointName
    input: tuple[int, int]
    score_proposed: float
    score_low: float


class PerceptionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From the models' manifest, which warden has checked, and the configuration.

    `point` is the configured operating point; `lighter` the point to fall back to while frames come too fast, None in
    lockstep and where there is no lighter one.
    """

    lockstep: bool
    threads: int
    stride: int
    point: PointSettings
    lighter: PointSettings | None
    nms_iou: float
    crop_expand: float
    temperature: float
    not_a_sign: float
