"""The tables of a run of `bench.perception`: those that it prints, and the section that keeps a run in the README.

`python -m bench.perception --json bench/perception.json && python -m bench.tables` after a change that costs time: it
writes what `bench/perception.json` holds into `bench/README.md`. A test holds both files together.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

import program
from bench.budgets import BUDGETS, FRAME_COPIES, THREADS_PAY, Judged
from bench.macs import Cost
from bench.networks import TimedNetwork
from bench.pipeline import STAGES, Pipeline
from program.arguments import new_parser
from wire.errors import UsageError

HERE = Path(__file__).parent
FIGURES, README = HERE / "perception.json", HERE / "README.md"
BEGIN, END = "<!-- figures: python -m bench.tables -->\n", "<!-- end of figures -->\n"

# --- printed ---------------------------------------------------------------------------------------------------------


def graphs(timed: Sequence[TimedNetwork], costs: Mapping[str, Cost], judged: Sequence[Judged]) -> Table:
    """One row a network, with its times at each number of threads."""
    counts = sorted({entry.threads for entry in timed})
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
        mine = {entry.threads: entry for entry in timed if entry.network.name == name}
        network = next(iter(mine.values())).network
        times = [f"{mine[n].percentile(50):.2f}/{mine[n].percentile(95):.2f}" for n in counts]
        shares = [_share(entry) for entry in judged if entry.budget.what == name]
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


def _share(entry: Judged) -> str:
    unit = "x" if entry.budget.of else " ms"
    return f"{entry.threads} thr.: {entry.share:.2f}{unit} {'PASS' if entry.good else 'OVER'}"


def threads(timed: Sequence[TimedNetwork]) -> list[str]:
    """For each network, a sentence on what a second thread gains."""
    lines = []
    for name in dict.fromkeys(entry.network.name for entry in timed):
        mine = {entry.threads: entry.percentile(50) for entry in timed if entry.network.name == name}
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
    for entry in measured:
        whole = sum(entry.stages.values())
        table.add_row(
            entry.point,
            str(entry.threads),
            *(f"{entry.stages[stage]:.2f} {entry.stages[stage] / whole:4.0%}" for stage in STAGES),
            f"{entry.boxes:.1f}",
            f"{entry.whole:.2f}",
            f"{entry.frames_per_second:.0f}",
            f"{entry.peak_frames:.2f} frames",
        )
    return table


def verdicts(judged: Sequence[Judged], measured: Sequence[Pipeline]) -> list[str]:
    """Every budget in words, with what was measured."""
    lines = [
        f"{'PASS' if entry.good else 'OVER'}  {entry.budget.what}, {entry.threads} thread(s): {entry.share:.2f}, "
        f"{entry.budget.words()}"
        for entry in judged
    ]
    if measured:
        peak = max(entry.peak_frames for entry in measured)
        good = peak < FRAME_COPIES
        lines.append(
            f"{'PASS' if good else 'OVER'}  memory: {peak:.2f} of a frame at Python's peak, under {FRAME_COPIES:g}"
        )
    return lines


def with_crops(whole: Sequence[Judged]) -> list[str]:
    """The ratios with the classifier's crops of a frame on top, in words."""
    return [
        f"      {entry.budget.what} and its crops, {entry.threads} thread(s): {entry.share:.2f} of {entry.budget.of}"
        for entry in whole
    ]


# --- in the README ---------------------------------------------------------------------------------------------------


def section(found: dict[str, Any]) -> str:
    """The README's section in Markdown, from what `bench.perception --json` wrote."""
    machine = found["machine"]
    good = all(entry["good"] for entry in found["budgets"]) and not found["unjudged"]
    kept = "All budgets were kept." if good else "Not all budgets were kept."
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, shared with others. Milliseconds: the median on the clock",
        f"and, in brackets, of processor time. {kept}",
        "",
        *_graphs(found),
        "",
        "The budgets compare graph with graph. With the classifier's crops of a frame on top: "
        + ", ".join(
            f"{entry['what']}, {entry['threads']} thread(s), {entry['share']:.2f}" for entry in found["with_crops"]
        )
        + ".",
        "",
        *_flows(found),
    ]
    return "\n".join(lines) + "\n"


def _graphs(found: dict[str, Any]) -> list[str]:
    counts = sorted({entry["threads"] for entry in found["graphs"]})
    heads = ["graph", "input", "M MACs", *(f"{count} thread{'s' if count > 1 else ''}" for count in counts), "budget"]
    rows = [_row(heads), _row(["---"] * len(heads))]
    for name in dict.fromkeys(entry["name"] for entry in found["graphs"]):
        mine = {entry["threads"]: entry for entry in found["graphs"] if entry["name"] == name}
        first = mine[counts[0]]
        height, width = first["input"]
        times = [_time(mine[count]) for count in counts]
        rows.append(_row([name, f"{width}x{height}", f"{first['macs'] / 1e6:,.0f}", *times, _budgets(found, name)]))
    return rows


def _time(entry: dict[str, Any]) -> str:
    told = f"{entry['p50_ms']:.2f}"
    return told if entry["judged_ms"] == entry["p50_ms"] else f"{told} ({entry['judged_ms']:.2f})"


def _budgets(found: dict[str, Any], name: str) -> str:
    shares = [entry for entry in found["budgets"] if entry["what"] == name]
    limits = [budget.words() for budget in BUDGETS if budget.what == name]
    if not shares:
        return ""
    told = " and ".join(f"{entry['share']:.2f}{'' if entry['good'] else ' OVER'}" for entry in shares)
    return f"{told}, {limits[0]}"


def _flows(found: dict[str, Any]) -> list[str]:
    heads = ["perception", "threads", *STAGES, "proposals", "frames/s", "Python peak"]
    rows = [_row(heads), _row(["---"] * len(heads))]
    for entry in found["pipeline"]:
        whole = sum(entry["stages"].values())
        stages = [f"{entry['stages'][stage]:.2f} ({entry['stages'][stage] / whole:.0%})" for stage in STAGES]
        peak = f"{entry['peak_frames']:.2f} frames"
        rate = f"{entry['frames_per_second']:.0f}"
        rows.append(_row([entry["point"], str(entry["threads"]), *stages, f"{entry['boxes']:.1f}", rate, peak]))
    return rows


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    """Writes the section; returns the exit status."""
    return program.run("python -m bench.tables", _work)


def _work() -> None:
    new_parser(prog="python -m bench.tables", description=(__doc__ or "").splitlines()[0]).parse_args()
    _write()


def _write() -> None:
    try:
        found = json.loads(FIGURES.read_text())
        before, rest = README.read_text().split(BEGIN)
        after = rest.split(END)[1]
    except (ValueError, IndexError) as error:
        raise UsageError(
            f"{FIGURES} or the marks in {README} are not what they must be ({error})",
            "restore them, and write the figures with: python -m bench.perception --json",
        ) from None
    README.write_text(before + BEGIN + section(found) + END + after)


if __name__ == "__main__":
    sys.exit(main())
