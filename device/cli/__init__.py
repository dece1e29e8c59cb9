"""The device's own commands of `sealcam`, and the road authority's for sign codes. `demo` adds its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from device.cli import doctor, keys, redteam, replay, sign
from device.cli import run as live
from wire.errors import INTERRUPTED, MachineError, SealcamError, printable


class Command(Protocol):
    """A module with one command or a family of them."""

    def add_parser(self, subparsers: Any, /) -> None:
        """Add the command's parser; its default `run` takes the arguments and returns the exit status."""


COMMANDS: tuple[Command, ...] = (replay, live, doctor, redteam, sign, keys)


def parser(commands: Sequence[Command] = COMMANDS) -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
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
    _hold_standard_streams()
    arguments = parser(commands).parse_args(argv)
    try:
        status = int(arguments.run(arguments))
        sys.stdout.flush()  # here, where a reader that is gone can be noticed, and not while the interpreter ends
        return status
    except SealcamError as error:
        print(f"sealcam: {printable(str(error))}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader is gone; stay silent at exit
        return 1
    except (OSError, MemoryError) as error:
        failure = MachineError.of(error)
        print(f"sealcam: {failure}", file=sys.stderr)
        return failure.exit_status
    except KeyboardInterrupt:
        print("sealcam: interrupted", file=sys.stderr)
        return INTERRUPTED


def _hold_standard_streams() -> None:
    """Put /dev/null where a standard stream is closed: else its number goes to a socket that a child takes for it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # open takes the lowest free number
