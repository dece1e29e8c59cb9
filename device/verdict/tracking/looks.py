"""How much a look counts: as the time that it stands for, so that no more is believed of more looks at the same pass.

A device may look five times a second or sixty. A look stands for the time since its reader looked before, in units of a
thirtieth of a second; the first look at a thing for one unit at most, since nobody looked at it before. So looks within
a few milliseconds of each other add up to these milliseconds, and a long pause to no more than a fifth of a second.
"""

from __future__ import annotations

from typing import Final

from device.verdict.state import Sight, Watch

LOOK_MS: Final = 33
"""One unit: a look at thirty a second."""
MAX_LOOK_MS: Final = 200
"""No look stands for more: with fewer than five looks a second less is believed."""
LINGER_MS: Final = 1000
"""What its reader has looked for as long without seeing it is gone..."""
LONGEST_UNSEEN_MS: Final = 8000
"""...and so is, however little the reader looked, what was not seen for this long. Capture leaves more time than this
between two clips that do not belong together."""


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


def blind_ms(watch: Watch, sight: Sight, t_ms: int) -> int:
    """For how long, since the thing was last seen, its reader has not looked: frames were damaged, or left out."""
    unseen = t_ms - sight.last_ms
    return max(0, unseen - _watched_ms(watch, sight, t_ms))


def is_gone(watch: Watch, sight: Sight, t_ms: int) -> bool:
    """Whether the thing is no longer in sight: its reader has looked for a second and did not see it."""
    unseen = t_ms - sight.last_ms
    return unseen > LINGER_MS and (_watched_ms(watch, sight, t_ms) > LINGER_MS or unseen > LONGEST_UNSEEN_MS)


def _watched_ms(watch: Watch, sight: Sight, t_ms: int) -> int:
    """How long the reader has watched since it last saw the thing, with a look at this time if it has not had it."""
    now = 0 if watch.t_ms is None else max(0, min(t_ms - watch.t_ms, MAX_LOOK_MS))
    return watch.watched_ms - sight.watched_ms + now
