"""How much a look counts: as the time that it stands for, so that no more is believed of more looks at the same pass.

A device may look five times a second or sixty. A look stands for the time since its reader looked before, in units of a
thirtieth of a second; the first look at a thing for one unit at most, since nobody looked at it before. So looks within
a few milliseconds of each other add up to these milliseconds, and a long pause to no more than a fifth of a second.
"""

from __future__ import annotations

from typing import Final

from device.verdict.state import Watch

LOOK_MS: Final = 33
"""One unit: a look at thirty a second."""
MAX_LOOK_MS: Final = 200
"""No look stands for more: with fewer than five looks a second less is believed."""


def look(watch: Watch, t_ms: int) -> None:
    """Notes that a reader looked at this time."""
    watch.look_ms = LOOK_MS if watch.t_ms is None else max(0, min(t_ms - watch.t_ms, MAX_LOOK_MS))
    watch.watched_ms += watch.look_ms
    watch.t_ms = t_ms if watch.t_ms is None else max(watch.t_ms, t_ms)


def stands_for_ms(watch: Watch, *, first: bool) -> int:
    """The milliseconds that the last look stands for, for a thing that it shows, perhaps for the `first` time."""
    return min(watch.look_ms, LOOK_MS) if first else watch.look_ms


def units(ms: float) -> float:
    """Milliseconds in looks at thirty a second."""
    return ms / LOOK_MS


def repeats(ms: float) -> float:
    """What a look adds where it matters that something is seen again and not for how long: at most one."""
    return min(1.0, ms / LOOK_MS)
