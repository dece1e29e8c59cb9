"""The numbers of a run, for `summary.json`: what the compartments reported in their beats, over all their restarts."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Any

from device.warden import notes, storage, workload
from device.warden.supervisor import Supervisor
from device.warden.table import COMPARTMENTS, JUDGE, READERS, SOURCE, STORE, TRACK
from device.warden.track import PLACES, summarise_track


def percentiles(samples: list[float]) -> dict[str, float]:
    """Milliseconds at the 50th, 95th and 99th percentile (inclusive method), of at least one sample."""
    if len(samples) == 1:
        return dict.fromkeys(("p50", "p95", "p99"), round(samples[0], 3))
    cuts = statistics.quantiles(samples, n=100, method="inclusive")
    return {f"p{p}": round(cuts[p - 1], 3) for p in (50, 95, 99)}


def summarise(device: Supervisor, seconds: float, *, lockstep: bool) -> dict[str, Any]:
    """`summary.json` but for the command's part: verdicts, run id, dialer. `seconds`: from Go to the stream's end."""
    names = [row.name for row in COMPARTMENTS]
    latencies: dict[str, list[float]] = defaultdict(list)
    for name in names:
        for child in device.generations(name):
            for stage, samples in child.latencies.items():
                latencies[stage].extend(samples)
    dropped = {name: workload.dropped(device, name, lockstep=lockstep) for name in names}
    shares = {name: workload.judged_share(device, name, lockstep=lockstep) for name in READERS}
    judged = sum(beat.handled for beat in workload.beats(device, READERS[0]))
    return {
        "frames": workload.frames(device),
        "damage": dict(device.damage()),
        "time_line": {key: device.told(SOURCE, f"time.{key}") for key in ("breaks", "guessed", "unknown")},
        "dropped": sum(dropped[READERS[0]].values()),
        "dropped_by": {name: causes for name, causes in dropped.items() if causes},
        "judged_share": round(min(shares.values()), 4),
        "judged_shares": {name: round(share, 4) for name, share in shares.items()},
        "light_frames": {name: device.total(name, "light_frames") for name in READERS},
        "fps": round(judged / seconds, 2) if seconds > 0 else 0.0,
        "seconds": round(seconds, 3),
        "latency_ms": {stage: percentiles(samples) for stage, samples in sorted(latencies.items()) if samples},
        "delivered": device.total("uplink", "delivered"),
        "sealed": device.total(STORE, "sealed"),
        "receipted": device.total(STORE, "receipted"),
        "waiting": device.fact(STORE, "waiting"),
        "unsealed": storage.unsealed(device),
        "false_receipts": device.total(STORE, "false_receipts"),
        "restarts": {name: budget.total for name, budget in device.budgets.items()},
        "invalid_messages": {name: device.suspicion.invalid[name] for name in names},
        "layers": device.layers,
        "track": _track(device),
        "clock": notes.summary_of(device),
    }


def _track(device: Supervisor) -> dict[str, Any] | None:
    facts = next((child.facts for child in device.generations(TRACK) if child.facts), {})
    return summarise_track(facts, {key: device.fact(JUDGE, key) for key in PLACES})
