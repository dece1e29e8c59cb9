"""The settings that verdict is given."""

from __future__ import annotations

import msgspec


class VerdictSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`trust`: the folder of anchors and register in here. `stream`: names this run; verdict ids begin with it.

    `sure_score`: from the models' manifest; the score of both networks from which on a box is surely a sign.
    """

    trust: str | None
    stream: str
    lockstep: bool
    sure_score: float
