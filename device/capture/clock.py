"""When a video says that it began: the container's own time, and whether that names its zone. A claim.

MP4 and QuickTime keep `creation_time` in UTC by their specification (ISO/IEC 14496-12, 8.2.2), counted from 1904, and
cameras without a zone write local time there all the same. Apple's `com.apple.quicktime.creationdate` names its zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import av
from av.container import InputContainer

MAX_LENGTH_MS: Final = 2**40
_OLDEST_CLOCK: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Clocks that were never set begin at 1904, 1970 or 1980."""
_LEAP_SECOND: Final = re.compile(r"(?<=:\d\d):60(?!\d)")
_ZONED_KEYS: Final = ("com.apple.quicktime.creationdate",)
_KEYS: Final = ("creation_time", "date")


@dataclass(frozen=True)
class ContainerTime:
    """Unix milliseconds, 0 where the container does not tell; `zoned` where it names the zone of the camera's clock.

    `unset`: it tells a time, of a clock that was never set.
    """

    utc_ms: int = 0
    zoned: bool = False
    unset: bool = False


def container_time(*tables: Mapping[str, str]) -> ContainerTime:
    """The first time in the metadata, in the order of trust. What is no full time after 2000 is none.

    Args:
        tables: the metadata of the container and of its stream; untrusted text.
    """
    unset = False
    for keys, zoned in ((_ZONED_KEYS, True), (_KEYS, False)):
        for key in keys:
            for table in tables:
                moment = _moment(table.get(key, ""))
                if moment is not None and moment <= _OLDEST_CLOCK:
                    unset = True
                elif moment is not None:
                    return ContainerTime(round(moment.timestamp() * 1000), zoned and moment.tzinfo is not None)
    return ContainerTime(unset=unset)


def length_ms(container: InputContainer) -> int:
    """How long the container says that it is, milliseconds; 0 where it does not tell."""
    length = container.duration
    return min(MAX_LENGTH_MS, round(length * 1000 / av.time_base)) if length and length > 0 else 0


def _moment(text: str) -> datetime | None:
    if len(text) <= len("2026-11-27"):  # a day alone is no moment
        return None
    try:
        moment = datetime.fromisoformat(_LEAP_SECOND.sub(":59", text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
