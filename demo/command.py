"""`sealcam demo`: the whole story on one machine, from a rendered drive to the receiver's page."""

from __future__ import annotations

import argparse
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from demo.broker import Broker, free_port
from demo.scenes import SceneResult, draw_table, judge_scenes, print_table
from demo.sink_process import SinkProcess
from device import config as configs
from device.cli.show import ProgressView, RunView, say
from device.config import MODELS
from device.launcher import clock
from device.launcher.plan import RunPlan
from device.launcher.session import RESULTS, RunOutcome, Session
from identity import load, register_guard
from identity.files import write_private
from identity.home import Home
from program import outputs
from program.arguments import MAX_SEED, place, port, whole
from program.claim import ClaimedFolder, claimed
from program.errors import OutputRefusedError
from program.outputs import say_result
from program.wording import counted
from wire import register as registers
from wire.errors import RunError, UsageError

FILES = ("drive.mp4", "drive.gpx", "expected.json", "table.svg", *RESULTS)
"""What the demo writes into its folder."""


def add_parser(subparsers: Any) -> None:
    """`sealcam demo`."""
    parser = subparsers.add_parser(
        "demo",
        help="the whole story on one machine, in under two minutes",
        description=(
            "Renders a drive past honest and attacked signs, plays it through every confined compartment and a real "
            "MQTT broker into the receiver, and shows for each sign what perception alone would have believed and what "
            "Sealcam held to be true. Exit status 1 if the run fails or a scene ends otherwise than expected."
        ),
        epilog="Example, with other signs, other stickers and another order: sealcam demo --seed 7",
    )
    parser.add_argument("--headless", action="store_true", help="end after the table, without the page")
    parser.add_argument(
        "--out",
        type=place,
        metavar="DIR",
        help="where drive, verdicts and summary go (default: demo/out in the data home)",
    )
    parser.add_argument(
        "--seed",
        type=whole(0, MAX_SEED),
        default=1,
        metavar="N",
        help="a number that varies signs, stickers, order and scenery (default: 1)",
    )
    parser.add_argument(
        "--port", type=port, default=8620, metavar="PORT", help="TCP port of the receiver's page (default: 8620)"
    )
    parser.add_argument(
        "--broker-port",
        type=whole(0, 65535),
        default=0,
        metavar="PORT",
        help="TCP port of the demo's broker (default: 0, which is a free one)",
    )
    parser.set_defaults(run=run, reads_environment=True)


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status."""
    if arguments.port == arguments.broker_port:
        raise UsageError(f"--port and --broker-port are both {arguments.port}", "give each a port of its own")
    console = Console(stderr=True)
    home = Home.default().inner("demo")
    out = arguments.out or home.path / "out"
    config = configs.load(None)
    if home.ensure_development():
        say(console, f"made for the demo, with a road authority of its own: {home.path}")
    home.check_certificates()
    with claimed(out) as folder:
        return _tell_the_story(arguments, home, folder, config, console)


def _tell_the_story(
    arguments: argparse.Namespace, home: Home, folder: ClaimedFolder, config: configs.Config, console: Console
) -> int:
    out = folder.path
    broker_port = arguments.broker_port or free_port()
    config = msgspec.structs.replace(config, uplink=configs.UplinkConfig("localhost", broker_port))
    with Broker(home, broker_port), SinkProcess(home, broker_port, arguments.port) as sink:
        folder.clear(FILES, "the files of an earlier demo are replaced" if arguments.out is not None else "")
        drive = _render(home, out, arguments.seed, console)
        outcome, session = _play(drive, home, folder, config, console)
        stored = set(sink.verdicts(bytes.fromhex(session.run_id)))
        receipted = outcome.summary["waiting"] == 0
        rows = judge_scenes(drive.expected["scenes"], session.verdicts, stored, receipted=receipted)
        print_table(rows)
        drawn = _drawn(rows, out / "table.svg", console)
        good = outcome.exit_status == 0 and all(row.good for row in rows)
        s = outcome.summary
        wait = f"{s['waiting'] or 'none'} {'waits' if s['waiting'] == 1 else 'wait'} for a receipt"
        judged = f"{counted(s['frames'], 'frame')} at {s['fps']} fps"
        say_result(f"{judged}, {counted(s['sealed'], 'event')} sealed, {wait}; files: {out}")
        if outcome.sentence:
            say(console, f"sealcam: {outcome.line}")
        if not good:
            console.print("[bold red]at least one scene did not end as expected[/]", soft_wrap=True)
        if not arguments.headless:
            _hold_open(sink, console)
    return 0 if good and drawn else 1


def _drawn(rows: list[SceneResult], picture: Path, console: Console) -> bool:
    """The table as a picture; False, and said, where it cannot be written."""
    try:
        draw_table(rows, picture)
    except OutputRefusedError as error:
        say(console, f"sealcam: {error}")
        return False
    return True


def _render(home: Home, out: Path, seed: int, console: Console) -> Any:
    """The drive, and its register signed into the home's trust folder. Raises RunError, UsageError."""
    from hardware.rig import drive

    authority = load.signing_key(home.authority_key)
    now_ms = round(time.time() * 1000)
    with ProgressView("render the drive", console) as view:

        def show(what: str, done: int, total: int) -> None:
            view.progress(done, total, what)

        try:
            rendered = drive.render(out, seed, authority, now_ms, MODELS / "classifier.tflite", show)
        except OSError as error:
            raise outputs.refused(out, error) from None
    signed = registers.issue(rendered.register, authority, issued_at=now_ms // 1000)
    write_private(home.trust / "register.cose", signed)
    register_guard.check(home.trust)
    return rendered


def _play(
    drive: Any, home: Home, folder: ClaimedFolder, config: configs.Config, console: Console
) -> tuple[RunOutcome, Session]:
    plan = RunPlan(
        kind="video",
        input=str(drive.video.resolve()),
        shown=drive.video.name,
        gpx=str(drive.gpx.resolve()),
        gpx_shown=drive.gpx.name,
        pace="lockstep",
        start="file",
        home=str(home.path),
        models=str(MODELS),
        run_id=secrets.token_hex(16),
        config=config,
        newest_s=home.certified_since(),
        clock_error_ms=clock.error_ms(),
    )
    with RunView("drive", console) as view:
        session = Session(plan, folder, view.watch)
        outcome = session.run()
    if outcome.interrupted:
        raise KeyboardInterrupt
    if not outcome.summary:
        raise RunError(outcome.sentence or "the run ended without a summary", outcome.remedy or "run: sealcam doctor")
    return outcome, session


def _hold_open(sink: SinkProcess, console: Console) -> None:
    """Keep the receiver's page up until the user has seen enough."""
    say_result(f"the receiver's page: {sink.address}  (Ctrl-C ends it)")
    try:
        while sink.running():
            time.sleep(0.5)
    except KeyboardInterrupt:
        say(console, "ended")
        return
    raise RunError("the receiver ended by itself", "run `sealcam-sink serve` by hand and read what it says")
