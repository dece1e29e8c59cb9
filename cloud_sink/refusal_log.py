"""What `serve` says of envelopes that it refuses: the first at once, then counted, a line a minute at most.

A device that is refused is not told so by the receiver, whose word is the receipt alone: who mends it looks here. What
came in a device's name is not proven to be of that device, so the sentence does not say so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from cloud_sink.receiver import Reason

SAY_AGAIN_S: Final = 60.0
MOST_NAMED: Final = 1024
"""Devices and causes that are told apart: enrolled devices only, so that a flood of names takes no room."""

_SENTENCES: Final[dict[Reason, str]] = {
    "malformed": "no envelopes, or for another receiver's topic: see who may publish there (the broker's acl)",
    "unknown_device": "of a device that is not enrolled here: sealcam enroll does that (docs/operations.md, A second "
    "device)",
    "unreadable": "not sealed for this receiver's key, or altered on the way; where it goes on, copy "
    "trust/sink_hpke.pub and trust/receipt.pub of this home into trust of that device's home",
    "forged": "not signed with the key that is enrolled for that device; if its key is new, remove "
    "sink/devices/ID.pub and enrol it again",
    "bad_event": "with contents that are impossible, or of a newer version; update this receiver",
    "equivocation": "under numbers that were used for other events: that device's spool is an older copy, or a copy of "
    "that device runs elsewhere (docs/operations.md, A spool from a copy)",
}


class RefusalLog:
    """Says what is refused, per device and cause.

    Args:
        clock_s: seconds, monotonic.
    """

    def __init__(self, log: logging.Logger, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock_s = clock_s
        self._told: dict[tuple[str, Reason], tuple[float, int]] = {}  # when it was said last, how many since

    def note(self, device_id: str, reason: Reason) -> None:
        """An envelope was refused. `device_id`: "" where it names no enrolled device."""
        now, key = self._clock_s(), (device_id, reason)
        if key not in self._told and len(self._told) >= MOST_NAMED:
            return
        at, since = self._told.get(key, (float("-inf"), 0))
        if now - at < SAY_AGAIN_S:
            self._told[key] = (at, since + 1)
            return
        self._told[key] = (now, 0)
        name = f" in the name of {device_id}" if device_id else ""
        more = f"{since + 1} envelopes" if since else "an envelope"
        self._log.warning("refused (%s): %s%s, %s", reason, more, name, _SENTENCES[reason])
