"""One thing that the device may need, and what the checks are given to look at."""

from __future__ import annotations

from dataclasses import dataclass

from device.config import Config
from identity.home import Home


@dataclass(frozen=True)
class Check:
    """One thing that the device may need. `required`: without it the device does not start, or not as configured."""

    name: str
    good: bool
    found: str
    remedy: str
    required: bool = True


@dataclass(frozen=True)
class Looks:
    """What a check looks at: the configuration, which of its keys somebody has set, and the data home."""

    config: Config
    named: frozenset[str]
    home: Home
