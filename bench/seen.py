"""Command line: `python -m bench.seen`: writes what `bench/perception.json` holds into `bench/README.md`.

`python -m bench.perception --json bench/perception.json && python -m bench.seen` after a change that costs time. A test
holds both files together.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench.budgets import BUDGETS
from bench.pipeline import STAGES
from models import command
from wire.errors import UsageError

HERE = Path(__file__).parent
FIGURES, README = HERE / "perception.json", HERE / "README.md"
BEGIN, END = "<!-- figures: python -m bench.seen -->\n", "<!-- end of figures -->\n"


def render(found: dict[str, Any]) -> str:
    """The section's Markdown, from what `bench.perception --json` wrote."""
    machine = found["machine"]
    good = all(one["good"] for one in found["budgets"]) and not found["unjudged"]
    kept = "All budgets were kept." if good else "Not all budgets were kept."
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, shared with others. Milliseconds: the median on the clock",
        f"and, in brackets, of processor time. {kept}",
        "",
        *_graphs(found),
        "",
        "The budgets compare graph with graph. With the classifier's crops of a frame on top: "
        + ", ".join(f"{one['what']}, {one['threads']} thread(s), {one['share']:.2f}" for one in found["with_crops"])
        + ".",
        "",
        *_flows(found),
    ]
    return "\n".join(lines) + "\n"


def _graphs(found: dict[str, Any]) -> list[str]:
    counts = sorted({one["threads"] for one in found["graphs"]})
    heads = ["graph", "input", "M MACs", *(f"{count} thread{'s' if count > 1 else ''}" for count in counts), "budget"]
    rows = [_row(heads), _row(["---"] * len(heads))]
    for name in dict.fromkeys(one["name"] for one in found["graphs"]):
        mine = {one["threads"]: one for one in found["graphs"] if one["name"] == name}
        first = mine[counts[0]]
        height, width = first["input"]
        times = [_time(mine[count]) for count in counts]
        rows.append(_row([name, f"{width}x{height}", f"{first['macs'] / 1e6:,.0f}", *times, _budgets(found, name)]))
    return rows


def _time(one: dict[str, Any]) -> str:
    told = f"{one['p50_ms']:.2f}"
    return told if one["judged_ms"] == one["p50_ms"] else f"{told} ({one['judged_ms']:.2f})"


def _budgets(found: dict[str, Any], name: str) -> str:
    shares = [one for one in found["budgets"] if one["what"] == name]
    limits = [budget.words() for budget in BUDGETS if budget.what == name]
    if not shares:
        return ""
    told = " and ".join(f"{one['share']:.2f}{'' if one['good'] else ' OVER'}" for one in shares)
    return f"{told}, {limits[0]}"


def _flows(found: dict[str, Any]) -> list[str]:
    heads = ["perception", "threads", *STAGES, "proposals", "frames/s", "Python peak"]
    rows = [_row(heads), _row(["---"] * len(heads))]
    for one in found["pipeline"]:
        whole = sum(one["stages"].values())
        stages = [f"{one['stages'][stage]:.2f} ({one['stages'][stage] / whole:.0%})" for stage in STAGES]
        peak = f"{one['peak_frames']:.2f} frames"
        rate = f"{one['frames_per_second']:.0f}"
        rows.append(_row([one["point"], str(one["threads"]), *stages, f"{one['boxes']:.1f}", rate, peak]))
    return rows


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    """Writes the section; returns the exit status."""
    return command.run("python -m bench.seen", _write)


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
    README.write_text(before + BEGIN + render(found) + END + after)


if __name__ == "__main__":
    sys.exit(main())
