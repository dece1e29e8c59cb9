"""The receiver in numbers: what `sealcam-sink stats` prints and `/api/stats` serves."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cloud_sink.archive import Archive


def stats(archive: Archive) -> dict[str, Any]:
    """Counts over all devices, as plain values for JSON. Raises StoreError."""
    devices, tallies = archive.devices(), archive.tallies()
    states: Counter[str] = Counter()
    health: Counter[str] = Counter()
    not_stored: Counter[str] = Counter()
    for device in devices:
        states.update(device.states)
        health.update(device.health_counts)
    for tally in tallies:
        not_stored[tally.reason] += tally.count
    return {
        "devices": len(devices),
        "envelopes": sum(device.envelopes for device in devices),
        "verdicts": dict(sorted(states.items())),
        "health": dict(sorted(health.items())),
        "not_stored": dict(sorted(not_stored.items())),
        "missing": sum(gap.count for device in devices for gap in device.gaps),
        "breaks": sum(device.break_count for device in devices),
        "database_bytes": sum(file.stat().st_size for file in archive.files()),
    }
