"""`python -m bench.mutants [PACKAGE...]`: how many small faults do the tests notice?

For each file of the packages, a random sample of mutants is drawn with a seed: the same on every machine. The tests are
run in a copy of the checkout with coverage, to learn which tests run which line, and again in the order in which
mutants get them. Then each mutant is put into a copy and those tests are run on it. Ends with 0, with 1
below `--goal`, with 2 and a remedy when it cannot start.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

import program
from bench.mutants import report
from bench.mutants.matter import WHOLE
from bench.mutants.sample import EQUIVALENT, Equivalent, draw, load_equivalent, stale
from bench.mutants.sites import Site, python_files, sites
from bench.mutants.trial import Outcome, control, record, trials
from bench.mutants.workspace import Workspace
from program import outputs
from program.arguments import new_parser, place
from wire.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("wire", "device/verdict", "device/sealer", "cloud_sink")
UNIT, INTEGRATION = "tests/unit", "tests/integration"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Runs the command; returns the exit status."""
    return program.run(
        "python -m bench.mutants",
        lambda: _work(arguments, root),
        after_interrupt="what ran was ended, and the copies are removed",
    )


def _work(arguments: Sequence[str] | None, root: Path) -> int:
    asked = _parser().parse_args(arguments)
    folders = [*(asked.tests or [UNIT]), *([INTEGRATION] if asked.integration else [])]
    _check(asked, root, folders)
    entries = load_equivalent(root / EQUIVALENT)
    if asked.list:
        drawn = _draw(root, asked)
        print("\n".join(report.sentence(site) for listed in drawn.values() for site in listed))
        return 0
    results, old, left_out = _run(root, asked, folders, entries)
    print(report.markdown(results, old, left_out, f"{asked.sample} a file, seed {asked.seed}"))
    if asked.json:
        document = {"seed": asked.seed, "sample": asked.sample, "tests": folders}
        told = json.dumps(document | report.document(results, old, left_out), indent=1) + "\n"
        outputs.write(asked.json, told.encode())
    _, _, percent = report.share(outcome for outcomes in results.values() for outcome in outcomes)
    return int(asked.goal is not None and percent < asked.goal)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(prog="python -m bench.mutants", description="Do the tests notice small faults?")
    parser.add_argument(
        "packages", nargs="*", metavar="PACKAGE", help=f"folders or files (default: {' '.join(PACKAGES)})"
    )
    parser.add_argument("--sample", type=int, default=16, help="mutants of each file (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default: 0)")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="mutants at a time")
    parser.add_argument("--goal", type=float, metavar="PERCENT", help="end with 1 when fewer are killed")
    parser.add_argument("--integration", action="store_true", help=f"run {INTEGRATION} too (long)")
    parser.add_argument("--tests", action="append", metavar="PATH", help=f"run these instead of {UNIT}")
    parser.add_argument("--json", type=place, metavar="FILE", help="write each mutant and what noticed it")
    parser.add_argument("--list", action="store_true", help="list the drawn mutants, run nothing")
    return parser


def _check(asked: argparse.Namespace, root: Path, folders: Sequence[str]) -> None:
    asked.packages = [package.strip("/") for package in asked.packages or PACKAGES]
    for path in (*asked.packages, *folders):
        if not (root / path).exists() or Path(path).is_absolute() or ".." in Path(path).parts:
            raise UsageError(f"{path} is not in {root}", "name a folder or file by its path from there")
    for package in asked.packages:
        if not any(name.endswith(".py") and (root / name).is_file() for name in python_files(root, package)):
            raise UsageError(f"{package} has no Python file", "name a package or a module")
    if _confines(folders) and shutil.which("bwrap") is None:
        raise UsageError("These tests need bubblewrap", "run make setup")
    if asked.sample < 1 or asked.jobs < 1:
        raise UsageError("--sample and --jobs count mutants", "give 1 or more")
    if asked.goal is not None and not 0 <= asked.goal <= 100:
        raise UsageError("--goal is a share in percent", "give a number from 0 to 100")
    if asked.json and not asked.json.resolve().parent.is_dir():
        raise UsageError(f"{asked.json} is in no folder that exists", "make the folder first")


def _confines(folders: Sequence[str]) -> bool:
    return any(folder.startswith(WHOLE) for folder in folders)


def _draw(root: Path, asked: argparse.Namespace) -> dict[str, list[Site]]:
    drawn: dict[str, list[Site]] = {package: [] for package in asked.packages}
    for package in asked.packages:
        for name in python_files(root, package):
            source = (root / name).read_bytes()
            drawn[package] += draw(sites(name, source), source, asked.sample, asked.seed)
    return drawn


def _run(
    root: Path, asked: argparse.Namespace, folders: Sequence[str], entries: Sequence[Equivalent]
) -> tuple[Mapping[str, list[Outcome]], list[Equivalent], list[str]]:
    with Workspace(root, in_place=_confines(folders)) as workspace:
        master = workspace.copy(0)
        drawn = _draw(master.root, asked)
        old = stale(entries, master.root)
        outcomes: dict[Site, Outcome] = {}
        for site in (site for listed in drawn.values() for site in listed):
            if any(entry.matches(site) for entry in entries):
                outcomes[site] = Outcome(site, "equivalent")
        ahead = list({site: None for listed in drawn.values() for site in listed if site not in outcomes})
        print(f"{len(ahead)} mutants; which test runs which line ({' '.join(folders)})?", file=sys.stderr)
        found, left_out = record(master, folders)
        print("do these tests pass in the order that mutants get them in?", file=sys.stderr)
        left_out += control(master, found, ahead)
        with tqdm(total=len(ahead), unit="mutant", disable=None) as progress:
            for outcome in trials(workspace, master, found, ahead, asked.jobs):
                outcomes[outcome.site] = outcome
                progress.update()
    return {name: [outcomes[site] for site in listed] for name, listed in drawn.items()}, old, left_out


if __name__ == "__main__":
    sys.exit(main())
