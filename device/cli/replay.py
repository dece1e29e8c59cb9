"""`sealcam replay`: the device on a video file or a folder of frames."""

from __future__ import annotations

import argparse
import json
import math
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from device import config as configs
from device.cli.pictures import picture_notes
from device.cli.reasons import verdict_notes
from device.cli.recording import input_kind, is_utf8, keep_inputs
from device.cli.show import ProgressView, RunView, say
from device.cli.tracks import track_notes
from device.config import MODELS
from device.launcher import annotating, clock
from device.launcher.annotating import OverlayRecord
from device.launcher.plan import RunPlan
from device.launcher.session import RESULTS, RunOutcome, Session
from identity import register_guard
from identity.errors import UnrememberedRegisterError
from identity.home import Home
from program import outputs
from program.arguments import place
from program.wording import counted
from wire.errors import INTERRUPTED, UsageError, line, printable

_MAX_OFFSET_SECONDS = 10**9  # 32 years
ANNOTATED_SUFFIX = ".mp4"


def add_parser(subparsers: Any) -> None:
    """`sealcam replay`."""
    parser = subparsers.add_parser(
        "replay",
        help="run the device on recorded video",
        description="Run every compartment on a video file or a folder of frames, as if it came from the camera.",
        epilog="Example: sealcam replay drive.mp4 --gps drive.gpx --pace lockstep --out out/",
    )
    parser.add_argument(
        "input",
        type=place,
        metavar="VIDEO|FOLDER_OF_FRAMES",
        help="a video file of any kind that FFmpeg reads, or a folder of images in the order of their names",
    )
    parser.add_argument(
        "--gps",
        type=place,
        metavar="FILE.gpx",
        help="the drive's track, GPX or an NMEA 0183 log (default: none, and then no code can be VERIFIED)",
    )
    parser.add_argument(
        "--pace",
        choices=("lockstep", "realtime"),
        default="lockstep",
        help="lockstep: every frame, reproducible (default); realtime: at the video's speed, the newest frame each "
        "time; skipped frames are counted and told",
    )
    parser.add_argument(
        "--out",
        type=place,
        metavar="DIR",
        help="write verdicts.jsonl, sightings.jsonl and summary.json there (default: nothing is written)",
    )
    parser.add_argument(
        "--annotate",
        type=place,
        metavar="FILE.mp4",
        help="write a copy of the video there, with boxes, codes and verdicts drawn (after the run; default: none)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the summary as JSON, and nothing else, on standard output"
    )
    add_config(parser)
    parser.add_argument(
        "--video-start",
        metavar="TIME|gps",
        help="when the video begins (ISO 8601), or 'gps': with the track; default: as the file says, else as the track",
    )
    parser.add_argument(
        "--offset",
        type=_offset,
        metavar="SECONDS",
        help="add this to the video's own time (without one, to the track's begin); negative: the video began earlier "
        "(default: 0)",
    )
    parser.add_argument("--models", type=place, default=MODELS, metavar="DIR", help=argparse.SUPPRESS)
    parser.set_defaults(run=run, reads_environment=True)


def add_config(parser: argparse.ArgumentParser) -> None:
    """`--config`, as every command takes it that runs the device or looks at what it needs."""
    parser.add_argument(
        "--config",
        type=place,
        metavar="FILE",
        help="configuration (TOML); variables SEALCAM_<SECTION>_<KEY> override it (default: defaults and variables)",
    )


def make_plan(arguments: argparse.Namespace, home: Home, config: configs.Config, standing: Standing) -> RunPlan:
    """The run that the arguments ask for. Raises UsageError."""
    gpx = arguments.gps
    if gpx is not None and not gpx.is_file():
        what = "is a folder" if gpx.is_dir() else "is no plain file" if gpx.exists() else "is not there"
        raise UsageError(f"--gps {gpx} {what}", "give a track (GPX or an NMEA 0183 log), or leave --gps out")
    if arguments.video_start == "gps" and gpx is None:
        raise UsageError(
            "--video-start gps: there is no track to begin with",
            "give it with --gps FILE.gpx, or a time instead of gps",
        )
    for path in (arguments.input, gpx):
        if path is not None and not is_utf8(path):
            raise UsageError(f"{path} has a name that is not UTF-8", "rename it")
    if arguments.offset is not None and arguments.video_start is not None:
        raise UsageError("--offset and --video-start exclude each other", "give one of them")
    return RunPlan(
        kind=input_kind(arguments.input),
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
        offset_ms=arguments.offset,
        newest_s=standing.newest_s,
        clock_error_ms=clock.error_ms(),
    )


@dataclass(frozen=True)
class Standing:
    """What the data home says about the time. `newest_s`: unix seconds; a clock that says less is wrong.

    `notes`: what is out of its time or cannot be written, for the user. None of it keeps the device from judging.
    """

    newest_s: int = 0
    notes: tuple[str, ...] = ()


def check_home(home: Home, config: configs.Config) -> Standing:
    """Check before the start what no compartment could mend: nothing is made here but the spool. Raises KeysError."""
    home.check_device()
    unremembered = []
    try:
        issued_at = register_guard.check(home.trust) or 0
    except UnrememberedRegisterError as error:
        issued_at = error.issued_at
        unremembered = [f"{line(error.sentence, error.remedy)}: an older register would not be noticed next time"]
    late = home.certificates_out_of_time() if config.uplink.host else []
    notes = [f"{line(error.sentence, error.remedy)}; the device runs, and what it seals waits" for error in late]
    return Standing(max(issued_at, home.certified_since()), (*unremembered, *notes))


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status."""
    config = configs.load(arguments.config)
    home = Home.default()
    standing = check_home(home, config)
    plan = make_plan(arguments, home, config, standing)
    if arguments.out is not None:
        keep_inputs(arguments.out, (arguments.input, arguments.gps, arguments.config))
    drawn = _drawn(arguments)
    console = Console(stderr=True)
    results = results_console(arguments, console)
    tell_standing(standing, console)
    with RunView(f"replay {plan.shown}", console, results, config.uplink) as view:
        session = Session(plan, arguments.out, view.watch, drawn)
        outcome = session.run()
    tell(outcome, arguments, console, results)
    if outcome.interrupted:
        say(console, f"sealcam: interrupted{_after(outcome)}")
        return INTERRUPTED
    if drawn is not None and outcome.summary:
        overlay = drawn.overlay(session.verdicts, int(outcome.summary["frames"]))
        replaced = arguments.annotate.exists()
        with ProgressView(f"draw {arguments.annotate.name}", console) as drawing:
            took = float(outcome.summary["seconds"])
            frames = annotating.annotate(plan, overlay, arguments.annotate, drawing.progress, run_seconds=took)
        how = "replaced" if replaced else "written"
        say(results, f"{how}: {arguments.annotate}, {counted(frames, 'frame')} with boxes, codes and verdicts")
    return outcome.exit_status


def results_console(arguments: argparse.Namespace, console: Console) -> Console:
    """Where what is found is told: standard output, or, where that is for JSON alone, with the rest."""
    return console if arguments.json else Console()


def _drawn(arguments: argparse.Namespace) -> OverlayRecord | None:
    """Where the run's record for the annotated video goes. Raises UsageError before anything runs."""
    path: Path | None = arguments.annotate
    if path is None:
        return None
    if path.suffix.lower() != ANNOTATED_SUFFIX:
        raise UsageError(
            f"--annotate {path}: an annotated video is an MP4 file, whatever its name",
            f"write --annotate {shlex.quote(str(path.with_suffix(ANNOTATED_SUFFIX)))}",
        )
    annotating.check(path)
    outputs.keep_inputs(path, (arguments.input, arguments.gps, arguments.config), "--annotate")
    return OverlayRecord()


def tell_standing(standing: Standing, console: Console) -> None:
    """What in the data home is out of its time, or cannot be written, before the run."""
    for note in standing.notes:
        say(console, f"sealcam: {note}")


def tell(outcome: RunOutcome, arguments: argparse.Namespace, console: Console, results: Console) -> None:
    """What a run came to: what it found and wrote goes to `results`, what is to be said about it to `console`.

    With --json the summary is all that goes to standard output.
    """
    if arguments.json and outcome.summary:
        print(json.dumps(outcome.summary, indent=2, sort_keys=True))
    if outcome.summary:
        s = outcome.summary
        states = ", ".join(f"{n} {state}" for state, n in sorted(s["verdicts"].items())) or "no verdict"
        say(results, f"{counted(s['frames'], 'frame')} at {s['fps']} fps; {states}; {_events(s)}")
        track = getattr(arguments, "gps", None)
        for note in track_notes(s.get("track"), track.name if track else ""):
            say(console, note)
        for note in picture_notes(s.get("pictures")):
            say(console, note)
        if s["time_line"]["unknown"]:
            recording = getattr(arguments, "input", None)  # a run on a camera has none of these two
            in_folder = recording is not None and recording.is_dir()
            say(console, _untimed(s["time_line"], in_folder=in_folder))
        for note in verdict_notes(outcome.reasons):
            say(console, note)
        if arguments.out:
            written = [name for name in RESULTS if (arguments.out / name).exists()]
            if written:
                say(results, f"written: {arguments.out}/{', '.join(written)}")
    for note in outcome.notes:
        say(console, f"sealcam: {note}")
    if outcome.sentence:
        say(console, f"sealcam: {outcome.line}")


def _events(s: dict[str, Any]) -> str:
    """How many events of this run were sealed, and receipts: those for events of earlier runs are told apart."""
    earlier = max(0, s["receipted"] + s["waiting"] - s["sealed"])  # what waited before the run
    sealed = counted(s["sealed"], "event")
    if not earlier:
        return f"{s['receipted']} of {sealed} receipted"
    return f"{sealed} sealed, {earlier} waited from earlier runs, {s['receipted']} of both receipted"


def _untimed(time_line: Mapping[str, Any], *, in_folder: bool) -> str:
    """Why the time of frames is not known, and which key mends it."""
    frames = time_line["unknown"]
    why = (
        "the time stamps of the input are missing (set [camera] untimed_fps), or begin again where the picture does "
        "not go on (replay joined clips one by one)"
    )
    if in_folder:
        why = "nobody says at which rate the images were taken (set [camera] folder_fps)"
    if in_folder and (time_line.get("sets") or time_line.get("counter") == "unknown"):
        why = "their names do not tell in which order, and how long after the first, they were taken"
    return f"the time of {counted(frames, 'frame')} is not known, so that no code in them is placed: {why}"


def _after(outcome: RunOutcome) -> str:
    frames = outcome.summary.get("frames", 0)
    if outcome.summary.get("complete"):
        return " while events were sent; every frame is judged, and what has no receipt is kept"
    return f" after {counted(frames, 'frame')}; what was judged until then is kept" if frames else ""


def _offset(text: str) -> int:
    """Seconds, with a sign and a fraction if need be -> milliseconds. Raises ArgumentTypeError."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not abs(seconds) <= _MAX_OFFSET_SECONDS:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of seconds: write -7200 or +0.5")
    return round(seconds * 1000)


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
