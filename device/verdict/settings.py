"""The settings that verdict is given."""

from __future__ import annotations

import msgspec

from wire.manifest import PointName


class VerdictSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`track`: the plan of the run names a position source.

    `trust`: the folder of anchors and register in here. `stream`: names this run; verdict ids begin with it.

    `sure_scores`: from the models' manifest; the score of both networks from which on a box is surely a sign, by the
    operating point that perception saw it at.
    """

    trust: str | None
    stream: str
    lockstep: bool
    sure_scores: dict[PointName, float]
    track: bool = False
