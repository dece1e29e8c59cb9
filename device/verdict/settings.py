"""What verdict is told."""

from __future__ import annotations

import msgspec


class VerdictSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`trust`: the folder of anchors and register in here. `stream`: names this run; verdict ids begin with it.

    `sure_score`: from the models' manifest; from here on a detection counts as sure.
    """

    trust: str | None
    stream: str
    lockstep: bool
    sure_score: float
