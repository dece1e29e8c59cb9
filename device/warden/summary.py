"""The numbers of a run, for `summary.json`: what the compartments reported in their beats, over all their restarts."""

from __future__ import annotations

import statistics
from typing import Any

from device.warden import notes, storage, workload
from device.warden.roster import Roster
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
    roster, blame = device.roster, device.blame
    dropped = {name: workload.dropped(roster, name, lockstep=lockstep) for name in names}
    shares = {name: workload.judged_share(roster, name, lockstep=lockstep) for name in READERS}
    judged = sum(beat.handled for beat in workload.beats(roster, READERS[0]))
    return {
        "promised": roster.promised(),
        "frames": workload.frames(roster),
        "judged": workload.judged(roster, READERS[0]),
        "damage": dict(roster.damage()),
        "time_line": _time_line(roster),
        "dropped": sum(dropped[READERS[0]].values()),
        "dropped_by": {name: causes for name, causes in dropped.items() if causes},
        "judged_share": round(min(shares.values()), 4),
        "judged_shares": {name: round(share, 4) for name, share in shares.items()},
        "light_frames": {name: roster.total(name, "light_frames") for name in READERS},
        "fps": round(judged / seconds, 2) if seconds > 0 else 0.0,
        "seconds": round(seconds, 3),
        "latency_ms": {stage: percentiles(samples) for stage, samples in roster.latencies.by_stage().items()},
        "delivered": roster.total("uplink", "delivered"),
        "sealed": roster.fact(STORE, "sealed"),
        "receipted": roster.fact(STORE, "receipted"),
        "waiting": roster.fact(STORE, "waiting"),
        "held": roster.fact(STORE, "held"),
        "broker": _broker(device),
        "unsealed": storage.unsealed(roster),
        "false_receipts": roster.total(STORE, "false_receipts"),
        "restarts": {name: device.restarts.counts[name] for name in names},
        "invalid_messages": {name: blame.invalid[name] for name in names},
        "flooded": dict(blame.flooded),
        "killed_at_the_end": device.killed,
        "layers": device.starter.layers,
        "track": _track(roster),
        "pictures": {
            "without_regions": roster.told_in_all("codes", "without_regions"),
            "carried_codes": roster.fact(JUDGE, "carried"),
            "mirrored_codes": roster.fact(JUDGE, "mirrored"),
            "blank_s": round(roster.fact(JUDGE, "blank_ms") / 1000, 1),
            "placed_codes": roster.fact(JUDGE, "placed_codes"),
            "unread_codes": roster.fact(JUDGE, "unread_codes"),
        },
        "clock": notes.summary_of(device),
    }


def _broker(device: Supervisor) -> str:
    """How the connection to the broker stood at the end: "up", "down", or the word of why it is refused."""
    refusal = device.refusal()
    return refusal.word if refusal is not None else "up" if device.roster.fact("uplink", "up") else "down"


def _time_line(roster: Roster) -> dict[str, Any]:
    """How the times of the frames were made; what most recordings do not have only where it is."""
    always = {key: roster.told(SOURCE, f"time.{key}") for key in ("breaks", "guessed", "unknown")}
    holes, sets, turn = roster.told(SOURCE, "time.holes"), roster.told(SOURCE, "time.sets"), notes.turn(roster)
    found = {"holes": holes, "sets": sets, "counter": turn if turn != "none" else ""}
    return always | {key: value for key, value in found.items() if value}


def _track(roster: Roster) -> dict[str, Any] | None:
    return summarise_track(roster.ready(TRACK), {key: roster.fact(JUDGE, key) for key in PLACES})
