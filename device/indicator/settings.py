"""The settings of indicator."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

PIPES: Final = "/pipes"
"""Inside the compartment, with real pins: where lgpio makes its pipe."""


class IndicatorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """BCM pin numbers, and the pin factory: `mock` where there are no pins."""

    factory: Literal["mock", "lgpio"]
    red: int
    green: int
    blue: int
    buzzer: int
    tamper: int
