"""`sealcam run`: the device on a camera, until it is stopped."""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path
from typing import Any

from rich.console import Console

from device import config as configs
from device.cli.replay import add_config, check_home, results_console, tell, tell_standing
from device.cli.show import RunView, say
from device.config import MODELS
from device.launcher import clock
from device.launcher.plan import RunPlan
from device.launcher.session import Session
from identity.home import Home
from program.arguments import place
from wire.errors import UsageError


def add_parser(subparsers: Any) -> None:
    """`sealcam run`."""
    parser = subparsers.add_parser(
        "run",
        help="run the device on a camera",
        description=(
            "Run every compartment on the V4L2 camera of the configuration until Ctrl-C or SIGTERM. There is no live "
            "position source yet: without a fix no code is VERIFIED."
        ),
        epilog="Example: sealcam run --config sealcam.toml --out out/",
    )
    add_config(parser)
    parser.add_argument(
        "--out",
        type=place,
        metavar="DIR",
        help="write verdicts.jsonl, sightings.jsonl and summary.json there (default: nothing is written)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the summary as JSON, and nothing else, on standard output"
    )
    parser.add_argument("--models", type=place, default=MODELS, metavar="DIR", help=argparse.SUPPRESS)
    parser.set_defaults(run=run, reads_environment=True)


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status."""
    config = configs.load(arguments.config)
    camera = Path(config.camera.device)
    if not camera.is_char_device():
        there = "is no camera" if camera.exists() else "is not there"
        raise UsageError(
            f"the camera {camera} {there}",
            "connect one, or set [camera] device in --config FILE (recorded video: sealcam replay VIDEO)",
        )
    home = Home.default()
    standing = check_home(home, config)
    plan = RunPlan(
        kind="camera",
        input=str(camera),
        shown=str(camera),
        gpx="",
        gpx_shown="",
        pace="realtime",
        start="file",
        home=str(home.path),
        models=str(arguments.models.resolve()),
        run_id=secrets.token_hex(16),
        config=config,
        newest_s=standing.newest_s,
        clock_error_ms=clock.error_ms(),
    )
    console = Console(stderr=True)
    results = results_console(arguments, console)
    tell_standing(standing, console)
    with RunView(f"camera {camera}", console, results, config.uplink) as view:
        outcome = Session(plan, arguments.out, view.watch).run()
    tell(outcome, arguments, console, results)
    if outcome.interrupted:
        say(console, "sealcam: stopped")
    return outcome.exit_status
