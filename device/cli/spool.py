"""`sealcam spool show`: what waits to be delivered. What is in it only the sink can read."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from device.channel import failures
from device.sealer import inventory
from device.sealer.errors import SpoolError
from identity import KeysError, load
from identity.home import Home
from program.outputs import say_result
from program.wording import counted
from wire.errors import UsageError


def add_parser(subparsers: Any) -> None:
    """`sealcam spool show`."""
    parser = subparsers.add_parser(
        "spool",
        help="show what waits to be delivered",
        description="The spool holds sealed envelopes until the sink has signed that it stored them.",
        epilog="Example: sealcam spool show",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser(
        "show",
        help="count what waits",
        description="Count what waits, while no device runs.",
        epilog="Example: sealcam spool show",
    )
    show.add_argument("--json", action="store_true", help="print the counts as JSON")
    show.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """The command. Returns the exit status."""
    home = Home.default()
    home.check_made()
    try:
        found = inventory.look(home.spool, _sink_key(home))
    except SpoolError as error:
        names = {"home": str(home.path)}
        sentence, remedy = failures.words(error.failure, error.numbers, error.subject, names)
        raise UsageError(sentence, remedy) from None
    if arguments.json:
        print(json.dumps({"folder": str(home.spool), **asdict(found)}, indent=2))
        return 0
    if not found.count:
        say_result(f"nothing waits in {home.spool}")
        return 0
    say_result(f"spool     {home.spool}, {_size(found.disk_bytes)} on the disk")
    print(f"device    {found.device_id}")
    print(
        f"waiting   {counted(found.count, 'envelope')}, {_size(found.sealed_bytes)}; the largest {_size(found.largest)}"
    )
    print(f"sequence  {found.first} (the oldest) to {found.last}; the next is {found.next_sequence}")
    if found.held:
        held = "1 is" if found.held == 1 else f"{found.held} are"
        print(
            f"held      {held} sealed for another receiver's key than trust/sink_hpke.pub, and not sent; to deliver, "
            "put that receiver's sink_hpke.pub and receipt.pub back into trust, and name its broker"
        )
    return 0


def _sink_key(home: Home) -> bytes | None:
    """The key for which the device seals now; None where it cannot be read, which `sealcam doctor` tells."""
    try:
        return load.sink_public(home.trust / "sink_hpke.pub").digest
    except KeysError:
        return None


def _size(size: int) -> str:
    return (
        counted(size, "byte")
        if size < 1024
        else f"{size / 1024:.1f} KiB"
        if size < 2**20
        else f"{size / 2**20:.1f} MiB"
    )
