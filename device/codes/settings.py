"""What codes is told."""

from __future__ import annotations

import msgspec


class CodesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In lockstep the regions of a frame are waited for (bounded); in realtime those that are there are used."""

    lockstep: bool
