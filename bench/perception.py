"""What perception takes, beside the networks that people would use instead: same interpreter, threads, machine, run.

`python -m bench.perception [--threads 1,2] [--rounds N] [--json FILE]` prints our detector at its operating points, our
classifier, SSD MobileNet v2 300, YOLO11n 640, and the pipeline on rendered frames of 1536 x 864. All take turns, so
that a busy machine disturbs all of them: read the ratios, not the milliseconds. Ratios at one thread are of processor
time, which leaves out what other programs took. A detector is timed from the filled input to its raw output; the
classifier from a box in a frame to its probabilities. The budgets compare graph with graph; what the classifier's crops
of a frame add is printed below them. Exit status 1: over a budget, or it could not be judged; 2: bad usage or input.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

import program
from bench import budgets, graphs, networks, pipeline, tables
from device.config import MODELS
from program import outputs
from program.arguments import new_parser, place
from wire.errors import ArtifactError


def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measures, prints, and returns the figures."""
    if lacking := graphs.missing():
        console.print(graphs.how_to_get(lacking))
    candidates = [*networks.ours(options.models, options.detector), *networks.references()]
    costs = {network.name: network.cost() for network in candidates}
    timed = networks.take_turns(candidates, options.threads, options.rounds)
    medians = {(entry.network.name, entry.threads): entry.judged for entry in timed}
    judged = budgets.judge(medians)
    whole = budgets.with_crops(medians, networks.CROP, crops_a_frame(options.models))
    console.print(tables.graphs(timed, costs, judged))
    console.print(*tables.threads(timed), sep="\n")
    frames = pipeline.rendered(options.frames)
    flows = pipeline.measure(options.models, frames, options.threads, options.detector)
    console.print(tables.flows(flows))
    console.print(*tables.verdicts(judged, flows), *tables.with_crops(whole), sep="\n")
    return figures(timed, costs, judged, flows) | {
        "with_crops": [{name: value for name, value in row.items() if name != "good"} for row in _budgets(whole)]
    }


def crops_a_frame(models: Path) -> dict[str, float]:
    """How many proposals the classifier looks at on a real frame, as the manifest's figures say."""
    path = models / "manifest.json"
    try:
        found = json.loads(path.read_bytes())["metrics"]["detector"]["operating_points"]
        return {f"ours: {point}": float(found[point]["proposals_per_frame"]) for point in networks.POINTS}
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} lacks the figures of models.evaluate ({error!r})", "run models.ship") from None


def _budgets(judged: Sequence[budgets.Judged]) -> list[dict[str, Any]]:
    return [{"what": j.budget.what, "threads": j.threads, "share": round(j.share, 3), "good": j.good} for j in judged]


def figures(
    timed: Sequence[networks.TimedNetwork],
    costs: dict[str, Any],
    judged: Sequence[budgets.Judged],
    flows: Sequence[pipeline.Pipeline],
) -> dict[str, Any]:
    """The same as the tables, for programs."""
    return {
        "machine": {"processor": _processor(), "cores": os.cpu_count()},
        "graphs": [
            {
                "name": entry.network.name,
                "threads": entry.threads,
                "input": entry.network.size,
                "macs": costs[entry.network.name].macs,
                "parameters": costs[entry.network.name].parameters,
                "bytes": len(entry.network.content),
                "p50_ms": round(entry.percentile(50), 3),
                "p95_ms": round(entry.percentile(95), 3),
                "judged_ms": round(entry.judged, 3),
            }
            for entry in timed
        ],
        "budgets": _budgets(judged),
        "unjudged": [budget.what for budget in budgets.unjudged(judged)],
        "pipeline": [{**asdict(flow), "frames_per_second": round(flow.frames_per_second, 1)} for flow in flows],
    }


def _processor() -> str:
    """The processor's name according to Linux, or its architecture."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _counts(text: str) -> list[int]:
    counts = [int(word) for word in text.split(",")]
    if not all(1 <= count <= 64 for count in counts):
        raise argparse.ArgumentTypeError(f"{text} is not a list of 1 to 64 each")
    return counts


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def main() -> int:
    """Returns the exit status."""
    return program.run("python -m bench.perception", lambda: _work())


def _work() -> int | None:
    parser = new_parser(prog="python -m bench.perception", description=__doc__)
    parser.add_argument("--threads", type=_counts, default=[1, 2], help="numbers of CPU threads (default 1,2)")
    parser.add_argument(
        "--rounds", type=_positive, default=20, help="turns that each network gets (default %(default)s)"
    )
    parser.add_argument("--frames", type=_positive, default=40, help="frames for the pipeline (default %(default)s)")
    parser.add_argument("--models", type=place, default=MODELS, help="folder with the models and their manifest")
    parser.add_argument("--detector", type=place, help="a detector in place of the shipped model")
    parser.add_argument("--json", type=place, metavar="FILE", help="write the figures there too")
    return _judge(parser.parse_args())


def _judge(options: argparse.Namespace) -> int:
    found = run(options, Console(width=max(Console().width, 156)))
    if options.json:
        outputs.write(options.json, (json.dumps(found, indent=2) + "\n").encode())
    copies = [flow["peak_frames"] >= budgets.FRAME_COPIES for flow in found["pipeline"]]
    over = [row for row in found["budgets"] if not row["good"]]
    return 1 if any(copies) or over or found["unjudged"] else 0


if __name__ == "__main__":
    sys.exit(main())
