"""`sealcam redteam`: hostile code in every compartment but warden, and which of its attempts worked."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from device.cli.show import say
from device.confine import launch
from identity.home import Home
from program.wording import counted

_WIDEST = 1000
"""Columns; the table needs about 130."""


def add_parser(subparsers: Any) -> None:
    """`sealcam redteam`."""
    parser = subparsers.add_parser(
        "redteam",
        help="run hostile code in every compartment but warden",
        description=(
            "Starts each compartment with hostile code in place of its own, under the same policy, and lets it try a "
            "fixed list of attempts. An attempt that fails, for whatever reason, is denied. An attempt that works "
            "although the policy does not allow it is a breach, and so is an attempt without a report. Exit status 1 "
            "on any breach."
        ),
        epilog="Example: sealcam redteam",
    )
    parser.add_argument("--json", action="store_true", help="print {compartment: {attempt: outcome}} as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns 1 on any breach."""
    from device.redteam.attempts import ALLOWED, ATTEMPTS  # here: numpy would make every other command wait
    from device.redteam.matrix import BREACH, attack

    launch.check()
    home = Home.default().inner("redteam")
    console = Console(stderr=True)
    if home.ensure_development():
        say(console, f"made for the red team, as its prey: {home.path}")
    matrix: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as scratch, console.status("attacking") as status:
        for compartment in ALLOWED:
            status.update(f"attacking from within {compartment}")
            matrix[compartment] = attack(compartment, home.path, Path(scratch))
    breaches = sum(outcome == BREACH for row in matrix.values() for outcome in row.values())
    if arguments.json:
        print(json.dumps(matrix, indent=2))
    else:
        _print(matrix)
    attempts, found = counted(len(matrix) * len(ATTEMPTS), "attempt"), counted(breaches, "breach", "breaches")
    of = counted(len(matrix), "compartment")
    say(console if arguments.json else Console(), f"{attempts} from {of}, {found}")
    return 1 if breaches else 0


def _print(matrix: dict[str, dict[str, str]]) -> None:
    from device.redteam.attempts import ATTEMPTS
    from device.redteam.matrix import BREACH, DENIED

    marks = {DENIED: "[green]denied[/]", BREACH: "[bold red]BREACH[/]"}
    table = Table(title="What hostile code could do from within each compartment")
    table.add_column("attempt")
    for compartment in matrix:
        table.add_column(compartment)
    for attempt in ATTEMPTS:
        row = (matrix[compartment][attempt] for compartment in matrix)
        table.add_row(attempt, *(marks.get(outcome, "[yellow]by policy[/]") for outcome in row))
    console = Console()
    if not console.is_terminal:  # COLUMNS may say 40: a file has no edge, and names in it are whole
        console = Console(width=Console(width=_WIDEST).measure(table).maximum)
    console.print(table)
