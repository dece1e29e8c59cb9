"""`sealcam`: the command line of the device, and of whoever makes, reads and attacks sign codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from device.cli import demo, doctor, keys, redteam, replay, sign
from device.cli import run as live
from device.errors import SealcamError

_COMMANDS = (demo, replay, live, doctor, redteam, sign, keys)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="sealcam",
        description="A dashcam that reads road signs and trusts nothing, itself included.",
        epilog="Begin with: sealcam demo. Exit status: 0 good, 1 the run found something wrong, 2 bad usage or input.",
    )
    subparsers = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(subparsers)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit status. What a user can mend is one sentence, never a traceback."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except SealcamError as error:
        print(f"sealcam: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        print("sealcam: interrupted", file=sys.stderr)
        return 1
