"""The device's own commands of `sealcam`, and the road authority's for sign codes. `demo` adds its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Protocol

import program
from device import config as configs
from device.cli import config, doctor, keys, redteam, replay, sign, spool
from device.cli import run as live
from program.arguments import new_parser
from program.wording import misnamed
from wire.errors import printable


class Command(Protocol):
    """A module with one command or a family of them."""

    def add_parser(self, subparsers: Any, /) -> None:
        """Add the command's parser; its default `run` takes the arguments and returns the exit status."""


COMMANDS: tuple[Command, ...] = (replay, live, doctor, redteam, sign, keys, config, spool)


def parser(commands: Sequence[Command] = COMMANDS) -> argparse.ArgumentParser:
    """The whole command line."""
    root = new_parser(
        prog="sealcam",
        description="A dashcam that reads road signs and trusts nothing, itself included.",
        epilog="Begin with: sealcam demo. Exit status: 0 good, 1 the run found something wrong, 2 bad usage or input, "
        "130 interrupted.",
    )
    subparsers = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in commands:
        command.add_parser(subparsers)
    return root


def main(argv: Sequence[str] | None = None, commands: Sequence[Command] = COMMANDS) -> int:
    """Run one command; gives its exit status. An error that a user can mend is one sentence, never a traceback."""
    return program.run("sealcam", lambda: work(argv, commands), private=True)


def work(argv: Sequence[str] | None, commands: Sequence[Command] = COMMANDS) -> int:
    """The command itself, within `program.run`."""
    arguments = parser(commands).parse_args(argv)
    if not getattr(arguments, "reads_environment", False):  # what reads the configuration refuses such a variable
        for line in misnamed(os.environ, configs.variables()):
            print(f"sealcam: {printable(line)}", file=sys.stderr)
    return int(arguments.run(arguments))
