"""The settings that codes is given."""

from __future__ import annotations

import msgspec


class CodesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In lockstep the regions of a frame are waited for (bounded); in realtime the latest regions are used."""

    lockstep: bool
