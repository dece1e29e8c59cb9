"""The tables that `bench.perception` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from bench.budgets import FRAME_COPIES, THREADS_PAY, Judged
from bench.macs import Cost
from bench.networks import TimedNetwork
from bench.pipeline import STAGES, Pipeline


def graphs(timed: Sequence[TimedNetwork], costs: Mapping[str, Cost], judged: Sequence[Judged]) -> Table:
    """One row a network, with its times at each number of threads."""
    counts = sorted({one.threads for one in timed})
    table = Table(title="networks, taking turns (ms)")
    table.add_column("graph", no_wrap=True)
    for heading in (
        "input",
        "M MACs",
        "k par.",
        "KiB",
        *(f"{n} thr. p50/p95" for n in counts),
        *(["1 thr. CPU"] if 1 in counts else []),
        "budgets",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, cost in costs.items():
        mine = {one.threads: one for one in timed if one.network.name == name}
        network = next(iter(mine.values())).network
        times = [f"{mine[n].percentile(50):.2f}/{mine[n].percentile(95):.2f}" for n in counts]
        shares = [_share(one) for one in judged if one.budget.what == name]
        table.add_row(
            name,
            f"{network.size[1]}x{network.size[0]}",
            f"{cost.macs / 1e6:.0f}",
            f"{cost.parameters / 1e3:.0f}",
            f"{len(network.content) / 1024:.0f}",
            *times,
            *([f"{mine[1].judged:.2f}"] if 1 in counts else []),
            "\n".join(shares) or "-",
        )
    return table


def _share(one: Judged) -> str:
    unit = "x" if one.budget.of else " ms"
    return f"{one.threads} thr.: {one.share:.2f}{unit} {'PASS' if one.good else 'OVER'}"


def threads(timed: Sequence[TimedNetwork]) -> list[str]:
    """For each network, what a second thread brings: one sentence each."""
    lines = []
    for name in dict.fromkeys(one.network.name for one in timed):
        mine = {one.threads: one.percentile(50) for one in timed if one.network.name == name}
        if 1 in mine and 2 in mine:
            gain = mine[1] / mine[2]
            lines.append(f"{name}: two threads are {gain:.2f} times as fast: {'pays' if gain >= THREADS_PAY else 'no'}")
    return lines


def flows(measured: Sequence[Pipeline]) -> Table:
    """One row an operating point and number of threads."""
    table = Table(
        title="perception on frames of 1536x864 (mean ms of each stage and its share; one thread: processor time)"
    )
    table.add_column("point")
    for heading in ("threads", *STAGES, "boxes", "frame p50 ms", "frames/s", "Python peak"):
        table.add_column(heading, justify="right")
    for one in measured:
        whole = sum(one.stages.values())
        table.add_row(
            one.point,
            str(one.threads),
            *(f"{one.stages[stage]:.2f} {one.stages[stage] / whole:4.0%}" for stage in STAGES),
            f"{one.boxes:.1f}",
            f"{one.whole:.2f}",
            f"{one.frames_per_second:.0f}",
            f"{one.peak_frames:.2f} frames",
        )
    return table


def verdicts(judged: Sequence[Judged], measured: Sequence[Pipeline]) -> list[str]:
    """Every budget in words, with what was measured."""
    lines = [
        f"{'PASS' if one.good else 'OVER'}  {one.budget.what}, {one.threads} thread(s): {one.share:.2f}, "
        f"{one.budget.words()}"
        for one in judged
    ]
    if measured:
        peak = max(one.peak_frames for one in measured)
        good = peak < FRAME_COPIES
        lines.append(
            f"{'PASS' if good else 'OVER'}  memory: {peak:.2f} of a frame at Python's peak, under {FRAME_COPIES:g}"
        )
    return lines


def with_crops(whole: Sequence[Judged]) -> list[str]:
    """The ratios with the classifier's crops of a frame on top, in words."""
    return [
        f"      {one.budget.what} and its crops, {one.threads} thread(s): {one.share:.2f} of {one.budget.of}"
        for one in whole
    ]
