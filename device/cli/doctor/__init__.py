"""`sealcam doctor`: what the device needs here and now, and the remedy for what is missing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from device import config as configs
from device.cli.doctor import installation, machine, surroundings
from device.cli.doctor.check import Check, Looks
from device.cli.replay import add_config
from identity.home import Home
from program.arguments import version
from wire.errors import MachineError, printable

CHECKS: Final[tuple[Callable[[Looks], Check], ...]] = (*machine.CHECKS, *installation.CHECKS, *surroundings.CHECKS)


def add_parser(subparsers: Any) -> None:
    """`sealcam doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="what this machine enforces and lacks",
        description="Tries what the device needs here and now: confinement, libraries, models, keys, disk, clock, "
        "camera, pins, and the broker where one is configured (no other connection is made). Names the remedy for "
        "what is missing. Exit status 1 if something required is missing.",
        epilog="Example: sealcam doctor --config sealcam.toml",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    parser.set_defaults(run=run, reads_environment=True)


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns 1 when something required is missing."""
    loaded = configs.load_with_sources(arguments.config)
    looks = Looks(loaded.config, frozenset(loaded.sources), Home.default())
    checks = []
    for check in CHECKS:
        checks.append(_tried(check, looks))
        if not arguments.json:
            print(_line(checks[-1]), flush=True)  # as they come: a broker that does not answer takes seconds
    if arguments.json:
        known = {"machine": platform.machine(), "kernel": platform.release(), "python": sys.version.split()[0]}
        print(json.dumps({**known, "version": version(), "checks": [asdict(c) for c in checks]}, indent=2))
    missing = [check.name for check in checks if check.required and not check.good]
    if not arguments.json:
        print(f"not ready: {', '.join(missing)} (see MISSING above)" if missing else "ready: nothing needed is missing")
    return 1 if missing else 0


def _tried(check: Callable[[Looks], Check], looks: Looks) -> Check:
    """What the check finds; or what the system refuses it, so that the others are tried all the same."""
    name = check.__name__.strip("_")
    if check in installation.OF_THE_HOME and not _readable(looks.home):
        return Check(name, False, f"not looked at: this user may not read {looks.home.path}", "", required=False)
    try:
        return check(looks)
    except OSError as error:
        failure = MachineError.of(error)
        return Check(name, False, failure.sentence, failure.remedy)


def _readable(home: Home) -> bool:
    """Whether this user may look into the home, where there is one; `keys` says what to do where not."""
    try:
        return not home.path.exists() or os.access(home.path, os.R_OK | os.X_OK)
    except OSError:
        return False


def _line(check: Check) -> str:
    mark = "good    " if check.good else "MISSING " if check.required else "optional"
    remedy = "" if check.good or not check.remedy else f"; remedy: {check.remedy}"
    return printable(f"{mark} {check.name}: {check.found}{remedy}")
