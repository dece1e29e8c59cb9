"""Which devices are silent although they should speak. Pure.

A device on its camera says `started`, `alive` every few minutes, and `stopped` when it ends in order. What counts is
the last of these in the device's own chain, not in the order of arrival, which is in the network's hands; and when the
receiver last stored anything new of the device, by the receiver's clock. Two limits: a device is not missed that never
got a message through, or nothing after a `stopped`; and who holds envelopes back can let a single envelope through in
time.
"""

from __future__ import annotations

from cloud_sink.archive import DeviceFacts
from wire.events import ALIVE_EVERY_S, ON_CAMERA

SILENT_AFTER_MS = 2 * ALIVE_EVERY_S * 1000


def silent_since(facts: DeviceFacts, now_ms: int) -> int | None:
    """When the device was last heard (unix milliseconds), if it should have spoken since; None otherwise."""
    last, heard = facts.last_sign_of_life, facts.last_received_ms
    if last is None or heard is None or now_ms - heard <= SILENT_AFTER_MS:
        return None
    expected = last.kind == "alive" or (last.kind == "started" and last.detail == ON_CAMERA)
    return heard if expected else None
