"""`sealcam replay`: the device on a video file or a folder of frames."""

from __future__ import annotations

import argparse
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from device import config as configs
from device.cli.show import RunView
from device.config import MODELS
from device.launcher.plan import RunPlan
from device.launcher.session import RunOutcome, Session
from identity import register_guard
from identity.home import Home
from wire.errors import INTERRUPTED, UsageError, printable


def add_parser(subparsers: Any) -> None:
    """`sealcam replay`."""
    parser = subparsers.add_parser(
        "replay",
        help="run the device on recorded video",
        description="Run every compartment on a video file or a folder of frames, as if it came from the camera.",
        epilog="Example: sealcam replay drive.mp4 --gps drive.gpx --pace lockstep --out out/",
    )
    parser.add_argument("input", type=Path, metavar="VIDEO|FOLDER_OF_FRAMES")
    parser.add_argument(
        "--gps", type=Path, metavar="FILE.gpx", help="the drive's track; without it no code can be VERIFIED"
    )
    parser.add_argument(
        "--pace",
        choices=("lockstep", "realtime"),
        default="lockstep",
        help="lockstep: every frame, reproducible (default); realtime: at the video's speed, late frames are dropped",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write verdicts.jsonl, sightings.jsonl and summary.json there"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON on standard output")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration (TOML); SEALCAM_<SECTION>_<KEY> override"
    )
    parser.add_argument(
        "--video-start",
        metavar="TIME|gps",
        help="when the video begins (ISO 8601), or 'gps': with the track; default: as the file says, else as the track",
    )
    parser.add_argument("--models", type=Path, default=MODELS, metavar="DIR", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def input_kind(path: Path) -> str:
    """ "video" or "folder". Raises UsageError when there is nothing to read."""
    try:
        if path.is_dir():
            return "folder"
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file", "give a video file or a folder of frames")
        with path.open("rb"):
            return "video"
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror})", "give a video file or a folder of frames"
        ) from None


def make_plan(arguments: argparse.Namespace, home: Home, config: configs.Config) -> RunPlan:
    """The run that the arguments ask for. Raises UsageError."""
    gpx = arguments.gps
    if gpx is not None and not gpx.is_file():
        raise UsageError(f"{gpx} is not a readable file", "give a GPX track with --gps, or leave it out")
    for path in (arguments.input, gpx):
        if path is not None and not _is_utf8(path):
            raise UsageError(f"{path} has a name that is not UTF-8", "rename it")
    return RunPlan(
        kind=input_kind(arguments.input),  # type: ignore[arg-type]
        input=str(arguments.input.resolve()),
        shown=printable(arguments.input.name or str(arguments.input)),
        gpx=str(gpx.resolve()) if gpx else "",
        gpx_shown=printable(gpx.name) if gpx else "",
        pace=arguments.pace,
        start=_start(arguments.video_start),
        home=str(home.path),
        models=str(arguments.models.resolve()),
        run_id=secrets.token_hex(16),
        config=config,
    )


def check_home(home: Home, config: configs.Config) -> None:
    """Make what is missing, and check before the start what no compartment could mend. Raises KeysError."""
    home.ensure_development()
    register_guard.check(home.trust)
    if config.uplink.host:
        home.check_certificates()


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status."""
    config = configs.load(arguments.config)
    home = Home.default()
    plan = make_plan(arguments, home, config)
    check_home(home, config)
    console = Console(stderr=True)
    with RunView(f"replay {plan.shown}", console) as view:
        outcome = Session(plan, arguments.out, view.watch).run()
    tell(outcome, arguments, console, config)
    return INTERRUPTED if outcome.interrupted else outcome.exit_status


def tell(outcome: RunOutcome, arguments: argparse.Namespace, console: Console, config: configs.Config) -> None:
    """What a run came to, on standard error; the summary on standard output with --json."""
    if arguments.json and outcome.summary:
        print(json.dumps(outcome.summary, indent=2, sort_keys=True))
    if outcome.summary:
        s = outcome.summary
        states = ", ".join(f"{n} {state}" for state, n in sorted(s["verdicts"].items())) or "no verdict"
        console.print(
            f"{s['frames']} frames at {s['fps']} fps; {states}; {s['receipted']} of {s['sealed']} events receipted"
        )
        if s["time_line"]["unknown"]:
            console.print(
                f"the time of {s['time_line']['unknown']} frames is not known, so that no code in them is placed: the "
                "time stamps of the input are missing (set \\[camera] untimed_fps), or begin again where the picture "
                "does not go on (replay joined clips one by one)"
            )
        if s["waiting"]:
            why = "no receipt came in time" if config.uplink.host else "no broker is configured (\\[uplink] host)"
            console.print(f"{s['waiting']} sealed events wait in the spool: {why}; they wait for the next run")
        if arguments.out:
            written = f"written: {arguments.out}/verdicts.jsonl, sightings.jsonl, summary.json"
            console.print(printable(written), markup=False, soft_wrap=True)
    if outcome.sentence:
        console.print(f"sealcam: {outcome.line}", markup=False, soft_wrap=True)
    if outcome.interrupted:
        console.print("sealcam: interrupted", markup=False)


def _is_utf8(path: Path) -> bool:
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError:
        return False
    return True


def _start(text: str | None) -> str:
    """The plan's `start`: "file", "gps", or UTC milliseconds as digits. Raises UsageError."""
    if text is None:
        return "file"
    if text == "gps":
        return "gps"
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(
            f"--video-start {text[:40]!r} is no ISO 8601 time", "write 2026-11-23T10:00:00Z, or gps"
        ) from None
    milliseconds = round(moment.timestamp() * 1000)
    if milliseconds <= 0:
        raise UsageError(f"--video-start {text[:40]!r} is not after 1970", "write 2026-11-23T10:00:00Z, or gps")
    return str(milliseconds)
