"""`sealcam-sink`: broker, serve, stats, verify, export, erase.

Exit status 0: good; 1: the run found something wrong; 2: bad usage, or a set-up that cannot work; 130: interrupted.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import program
from cloud_sink import broker
from cloud_sink.archive import Archive
from cloud_sink.errors import SetupError
from cloud_sink.keys import EnrolledDevices, sink_keys
from cloud_sink.mqtt import parse_address
from cloud_sink.stats import stats
from cloud_sink.store import Store
from cloud_sink.verify import verify
from cloud_sink.web.api import event_json
from identity import Home, mosquitto
from program.arguments import new_parser, place
from program.outputs import say_result
from program.wording import misread
from wire.errors import SealcamError, UsageError, printable, remedy_of


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    return program.run("sealcam-sink", lambda: work(argv), private=True)


def work(argv: Sequence[str] | None = None) -> int:
    """The command itself, within `program.run`."""
    arguments = _parser().parse_args(argv)
    for line in misread(os.environ):
        print(f"sealcam-sink: {printable(line)}", file=sys.stderr)
    logging.basicConfig(format="sealcam-sink: %(message)s", level=logging.INFO, stream=sys.stderr)
    command: Callable[[argparse.Namespace, Path], int] = arguments.command
    home = Home.default() if arguments.home is None else Home.at(arguments.home)
    home.check_made(("sink", "broker"), "SEALCAM_HOME, or --home")
    return command(arguments, home.sink)


def _serve(arguments: argparse.Namespace, folder: Path) -> int:
    from cloud_sink.serve import Settings, serve  # the web side takes a second to load on a small machine

    settings = Settings(
        folder=folder,
        broker=arguments.broker,
        host=arguments.host,
        port=arguments.port,
        names=tuple(arguments.name),
        user_header=arguments.user_header or "",
        root=arguments.path,
    )
    serve(settings, _say)
    return 0


def _broker(arguments: argparse.Namespace, folder: Path) -> int:
    place = folder.with_name("broker")
    if not arguments.write_only:
        mosquitto.find()  # before anything is written
    check = None if arguments.write_only else broker.check_port
    with broker.alone(place) as held:
        files = broker.write(place, arguments.port, overwrite=arguments.overwrite, say=_say, check=check)
        if arguments.write_only:
            _say(f"start it with: mosquitto -c {shlex.quote(str(files.configuration))}")
        else:
            broker.run(files, held, say=_say)
    return 0


def _say(line: str) -> None:
    say_result(f"sealcam-sink: {line}")


def _stats(arguments: argparse.Namespace, folder: Path) -> int:
    print(json.dumps(stats(_archive(folder)), indent=2))
    return 0


def _verify(arguments: argparse.Namespace, folder: Path) -> int:
    archive, keys = _archive(folder), sink_keys(folder)
    found = 0
    for finding in verify(archive, keys.opening, EnrolledDevices(folder / "devices")):
        found += 1
        print(json.dumps(vars(finding)) if arguments.json else finding)
    if not arguments.json:
        total = stats(archive)["envelopes"]
        print(f"{_counted(total, 'envelope')} checked, {_counted(found, 'problem')} found")
    return 1 if found else 0


def _export(arguments: argparse.Namespace, folder: Path) -> int:
    archive = _archive(folder)
    _check_reported(archive, arguments.device)
    if arguments.out is None:
        _write_export(archive, arguments.device, sys.stdout)
        return 0
    try:
        descriptor = os.open(arguments.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise SetupError(f"{arguments.out} is there already", "name another file, or move it away") from None
    except OSError as error:
        raise SetupError(f"cannot write {arguments.out} ({error.strerror})", "name another file") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            count = _write_export(archive, arguments.device, file)
    except BaseException as error:
        arguments.out.unlink(missing_ok=True)  # half an export looks like a whole one
        if not isinstance(error, OSError) or isinstance(error, SealcamError):
            raise
        remedy = remedy_of(error.errno or 0, "name another file")
        raise SetupError(f"cannot write {arguments.out} ({error.strerror})", remedy) from None
    say_result(f"{arguments.out}: {_counted(count, 'event')}")
    return 0


def _write_export(archive: Archive, device_id: str | None, file: TextIO) -> int:
    """Gives how many events were written."""
    after = count = 0
    while page := archive.every(device_id=device_id, after=after):
        for stored in page:
            file.write(json.dumps(event_json(stored)) + "\n")
            count += 1
        after = page[-1].row_id
    return count


def _check_reported(archive: Archive, device_id: str | None) -> None:
    """Raises SetupError where a device is named that no envelope came from: a mistyped name is no empty answer."""
    if device_id is not None and device_id not in archive.device_names():
        raise SetupError(
            f"the device {device_id[:40]!r} has never reported",
            "run `sealcam-sink stats`, or see the page, for those that have",
        )


def _erase(arguments: argparse.Namespace, folder: Path) -> int:
    archive = _archive(folder)
    if arguments.device is None and arguments.before is None:
        raise SetupError("nothing is named that is to be erased", "give --device ID, --before DATE, or both")
    _check_reported(archive, arguments.device)
    count = archive.erasable(device_id=arguments.device, before_ms=arguments.before)
    if not arguments.yes:
        raise SetupError(f"this erases the content of {_counted(count, 'envelope')} for good", "confirm it with --yes")
    with Store(folder / "sink.db") as store:
        erased = store.erase(device_id=arguments.device, before_ms=arguments.before, now_ms=time.time_ns() // 1_000_000)
    print(f"{_counted(erased, 'envelope')} erased; sequence numbers and digests are kept, so the chain can be checked")
    return 0


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _archive(folder: Path) -> Archive:
    path = folder / "sink.db"
    if not path.is_file():
        raise SetupError(f"there is no database {path} yet", "run `sealcam-sink serve`, or name another --home")
    return Archive(path)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(prog="sealcam-sink", description="Sealcam's receiver.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace, Path], int], purpose: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=purpose, description=purpose)
        added.add_argument(
            "--home",
            type=place,
            help="data home (default: $SEALCAM_HOME, else $XDG_DATA_HOME/sealcam, else ~/.local/share/sealcam)",
        )
        added.set_defaults(command=run)
        return added

    serving = command("serve", _serve, "Receive, verify and store what devices report, and show it on a page.")
    brokering = command(
        "broker", _broker, "Write mosquitto's configuration for this data home, tell what was written, and run it."
    )
    brokering.add_argument(
        "--port", type=_port, help="port on 127.0.0.1 (default: that of the configuration there, else 8883)"
    )
    brokering.add_argument(
        "--overwrite",
        action="store_true",
        help="start over: write both files anew, also where they were changed by hand",
    )
    brokering.add_argument("--write-only", action="store_true", help="write both files, and do not start it")
    serving.add_argument(
        "--broker",
        type=_address,
        default=("127.0.0.1", 8883),
        metavar="HOST:PORT",
        help="the MQTT broker that devices send to, by a name in its certificate (default: 127.0.0.1:8883)",
    )
    serving.add_argument("--host", default="127.0.0.1", help="address of the page (default: 127.0.0.1)")
    serving.add_argument("--port", type=_port, default=8620, help="port of the page (default: 8620)")
    serving.add_argument(
        "--name",
        action="append",
        type=_host_name,
        default=[],
        help="a host name that the page goes by; may be repeated",
    )
    serving.add_argument(
        "--user-header",
        type=_header,
        metavar="NAME",
        help="the request header in which a proxy says who logged in: who acknowledges an alert is kept then",
    )
    serving.add_argument(
        "--path", type=_root, default="", help="the path under which a proxy serves the page, as /sealcam"
    )
    command("stats", _stats, "Print counts as JSON.")
    checking = command(
        "verify", _verify, "Check every stored envelope and every chain again; exit status 1 on problems."
    )
    checking.add_argument("--json", action="store_true", help="one JSON object a line")
    exporting = command("export", _export, "Write every stored event as JSON, one a line.")
    exporting.add_argument("--device", help="only this device's")
    exporting.add_argument("--out", type=place, help="a new file (default: standard output)")
    erasing = command("erase", _erase, "Erase the content of envelopes; what the chain needs is kept.")
    erasing.add_argument("--device", help="only this device's")
    erasing.add_argument(
        "--before", type=_date, metavar="DATE", help="only what was received before, as 2026-01-31 (UTC)"
    )
    erasing.add_argument("--yes", action="store_true", help="really do it")
    return parser


def _address(text: str) -> tuple[str, int]:
    try:
        return parse_address(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def _host_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", text):
        raise argparse.ArgumentTypeError("a host name is of letters, digits, dashes and dots, as cam.example")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", text):
        raise argparse.ArgumentTypeError("a header's name is of letters, digits and dashes, as X-Sealcam-User")
    return text


def _root(text: str) -> str:
    root = text.rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._-]*[A-Za-z0-9])*", root):
        raise argparse.ArgumentTypeError("a path is written as /sealcam, of letters, digits, dots and dashes")
    return root


def _date(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a date is written as 2026-01-31, or 2026-01-31T12:00:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
