"""`sealcam replay`: the device on a video file or a folder of frames."""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from device import config as configs
from device.cli.show import RunView, say
from device.config import MODELS
from device.launcher.plan import RunPlan
from device.launcher.session import RESULTS, RunOutcome, Session
from identity import register_guard
from identity.home import Home
from program.arguments import place
from wire.errors import INTERRUPTED, UsageError, printable


def add_parser(subparsers: Any) -> None:
    """`sealcam replay`."""
    parser = subparsers.add_parser(
        "replay",
        help="run the device on recorded video",
        description="Run every compartment on a video file or a folder of frames, as if it came from the camera.",
        epilog="Example: sealcam replay drive.mp4 --gps drive.gpx --pace lockstep --out out/",
    )
    parser.add_argument("input", type=place, metavar="VIDEO|FOLDER_OF_FRAMES")
    parser.add_argument(
        "--gps", type=place, metavar="FILE.gpx", help="the drive's track; without it no code can be VERIFIED"
    )
    parser.add_argument(
        "--pace",
        choices=("lockstep", "realtime"),
        default="lockstep",
        help="lockstep: every frame, reproducible (default); realtime: at the video's speed, late frames are dropped",
    )
    parser.add_argument(
        "--out", type=place, metavar="DIR", help="write verdicts.jsonl, sightings.jsonl and summary.json there"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON on standard output")
    parser.add_argument(
        "--config", type=place, metavar="FILE", help="configuration (TOML); SEALCAM_<SECTION>_<KEY> override"
    )
    parser.add_argument(
        "--video-start",
        metavar="TIME|gps",
        help="when the video begins (ISO 8601), or 'gps': with the track; default: as the file says, else as the track",
    )
    parser.add_argument("--models", type=place, default=MODELS, metavar="DIR", help=argparse.SUPPRESS)
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
    """Check before the start what no compartment could mend: nothing is made here but the spool. Raises KeysError."""
    home.check_device()
    register_guard.check(home.trust)
    if config.uplink.host:
        home.check_certificates()


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status."""
    config = configs.load(arguments.config)
    home = Home.default()
    plan = make_plan(arguments, home, config)
    if arguments.out is not None:
        keep_inputs(arguments.out, (arguments.input, arguments.gps, arguments.config))
    check_home(home, config)
    console = Console(stderr=True)
    with RunView(f"replay {plan.shown}", console) as view:
        outcome = Session(plan, arguments.out, view.watch).run()
    tell(outcome, arguments, console, config)
    if outcome.interrupted:
        say(console, f"sealcam: interrupted{_after(outcome)}")
        return INTERRUPTED
    return outcome.exit_status


def keep_inputs(out: Path, inputs: Iterable[Path | None]) -> None:
    """Raises UsageError where a result would take the place of an input, under whatever name."""
    for result in (out / name for name in RESULTS):
        for path in inputs:
            if path is not None and result.exists() and path.exists() and result.samefile(path):
                raise UsageError(f"{path} would be replaced by a result of the run", "choose another --out")


def tell(outcome: RunOutcome, arguments: argparse.Namespace, console: Console, config: configs.Config) -> None:
    """What a run came to, on standard error; the summary on standard output with --json."""
    if arguments.json and outcome.summary:
        print(json.dumps(outcome.summary, indent=2, sort_keys=True))
    if outcome.summary:
        s = outcome.summary
        states = ", ".join(f"{n} {state}" for state, n in sorted(s["verdicts"].items())) or "no verdict"
        say(console, f"{s['frames']} frames at {s['fps']} fps; {states}; {_events(s)}")
        if s["waiting"]:
            why = "no receipt came in time" if config.uplink.host else "no broker is configured ([uplink] host)"
            later = "they go with the next run" if config.uplink.host else "they wait until one is"
            say(console, f"{s['waiting']} sealed events wait in the spool: {why}; {later}")
        if outcome.unknown_keys:
            say(console, _unknown(outcome.unknown_keys))
        if arguments.out:
            say(console, f"written: {arguments.out}/{', '.join(RESULTS)}")
    if outcome.sentence:
        say(console, f"sealcam: {outcome.line}")


def _events(s: dict[str, Any]) -> str:
    """How many events of this run were sealed, and receipts: those for events of earlier runs are told apart."""
    earlier = max(0, s["receipted"] + s["waiting"] - s["sealed"])  # what waited before the run
    if not earlier:
        return f"{s['receipted']} of {s['sealed']} events receipted"
    return f"{s['sealed']} events sealed, {earlier} waited from earlier runs, {s['receipted']} of both receipted"


def _unknown(count: int) -> str:
    codes, were = ("code names", "it was") if count == 1 else ("codes name", "they were")
    return (
        f"{count} {codes} a road authority that this home does not trust, and counts as FORGED; if {were} signed by an "
        "authority of yours, use its home (SEALCAM_HOME), or put its public key into trust/authority"
    )


def _after(outcome: RunOutcome) -> str:
    frames = outcome.summary.get("frames", 0)
    return f" after {frames} frames; what was judged until then is kept" if frames else ""


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
