"""Whether this machine's clock can be right: what is signed with a clock of years ago is over before it is used.

A machine without a clock of its own (a Raspberry Pi) begins with the date of its last shutdown or of its image.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from identity import load, register_guard
from identity.errors import ClockBehindError, KeysError
from wire.times import RELEASED, iso8601

SLACK_S: Final = 600
"""How far the clocks of who made register and certificates may be ahead of this one."""
SET_IT: Final = "let the machine set its clock (sudo timedatectl set-ntp true), or set it by hand (sudo date -s)"


def known_past(home: Path, certificates: tuple[str, ...]) -> int:
    """A moment that is over for certain, unix seconds: the newest date that the data home and this release know.

    What cannot be read says nothing here.
    """
    known = [RELEASED]
    for name in certificates:
        with suppress(KeysError, OSError):
            known.append(round(load.certificate_any_time(home / name).not_valid_before_utc.timestamp()))
    trust = home / "trust"
    with suppress(KeysError, OSError):
        known.append(load.register_issued_at(trust / "register.cose", load.trust_anchors(trust / "authority")))
    with suppress(KeysError, OSError):
        known.append(register_guard.newest_seen(trust) or 0)
    return max(known)


def check(known: int, otherwise: str = "add --clock-is-right") -> None:
    """That it is later than a moment that is over for certain, unix seconds. Raises ClockBehindError.

    `otherwise`: what to do where a clock was ahead when the keys were made, and this one is right.
    """
    now = int(time.time())
    if now < known - SLACK_S:
        raise ClockBehindError(
            f"it is {iso8601(now)} on this machine, which is before {iso8601(known)}, of which its keys or this "
            "release know: what is made now would be over already",
            f"{SET_IT}, or, if it is right and a clock was ahead when the keys were made, {otherwise}",
        )
