"""The numbers of a run, for `summary.json`: what the compartments reported in their beats, over all their restarts."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Any

from device.warden.supervisor import Supervisor
from device.warden.table import COMPARTMENTS, READERS, SOURCE, STORE
from wire.vocabulary import CompartmentName


def percentiles(samples: list[float]) -> dict[str, float]:
    """Milliseconds at the 50th, 95th and 99th percentile (inclusive method), of at least one sample."""
    if len(samples) == 1:
        return dict.fromkeys(("p50", "p95", "p99"), round(samples[0], 3))
    cuts = statistics.quantiles(samples, n=100, method="inclusive")
    return {f"p{p}": round(cuts[p - 1], 3) for p in (50, 95, 99)}


def summarise(device: Supervisor, seconds: float) -> dict[str, Any]:
    """`summary.json` but for the command's part: verdicts, run id, dialer. `seconds`: from Go to the stream's end."""
    names = [row.name for row in COMPARTMENTS]
    latencies: dict[str, list[float]] = defaultdict(list)
    handled: dict[CompartmentName, int] = dict.fromkeys(names, 0)
    dropped: dict[CompartmentName, int] = dict.fromkeys(names, 0)
    for name in names:
        for child in device.generations(name):
            for stage, samples in child.latencies.items():
                latencies[stage].extend(samples)
            if child.beat is not None:
                handled[name] += child.beat.handled
                dropped[name] += child.beat.dropped
    frames = max((c.beat.handled for c in device.generations(SOURCE) if c.beat), default=0)
    return {
        "frames": frames,
        "damage": dict(device.damage()),
        "time_line": {key: device.told(SOURCE, f"time.{key}") for key in ("breaks", "guessed", "unknown")},
        "dropped": dropped[READERS[0]],
        "dropped_by": {name: count for name, count in dropped.items() if count},
        "fps": round(handled[READERS[0]] / seconds, 2) if seconds > 0 else 0.0,
        "seconds": round(seconds, 3),
        "latency_ms": {stage: percentiles(samples) for stage, samples in sorted(latencies.items()) if samples},
        "delivered": device.total("uplink", "delivered"),
        "sealed": device.total(STORE, "sealed"),
        "receipted": device.total(STORE, "receipted"),
        "waiting": device.fact(STORE, "waiting"),
        "false_receipts": device.total(STORE, "false_receipts"),
        "restarts": {name: budget.total for name, budget in device.budgets.items()},
        "invalid_messages": {name: device.suspicion.invalid[name] for name in names},
        "layers": device.layers,
    }
