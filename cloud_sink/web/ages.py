"""How long ago something was, as people say it. Pure; `static/ages.js` goes on with it while the page stays open."""

from __future__ import annotations

from datetime import datetime
from typing import Final

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86_400


def ago(at: datetime, now: datetime) -> str:
    """ "5 minutes ago". A time that is ahead of this receiver's clock was said by a clock that is wrong, or is ours."""
    seconds = (now - at).total_seconds()
    if seconds < -MINUTE_S:
        return "ahead of this receiver's clock"
    if seconds < MINUTE_S:
        return "just now"
    if seconds < HOUR_S:
        return _counted(seconds, MINUTE_S, "minute")
    return _counted(seconds, HOUR_S, "hour") if seconds < 2 * DAY_S else _counted(seconds, DAY_S, "day")


def _counted(seconds: float, unit_s: int, name: str) -> str:
    count = int(seconds // unit_s)
    return f"{count} {name}{'' if count == 1 else 's'} ago"


def iso(at: datetime) -> str:
    """ISO 8601, to the second, with its zone."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
