"""The settings that position is given."""

from __future__ import annotations

import msgspec


class PositionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`gpx`: the file's path in here, None without a position source."""

    gpx: str | None
