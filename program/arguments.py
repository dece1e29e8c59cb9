"""What arguments have in common: paths that are there, numbers within bounds, and `--version`.

A wrong value is named with its option by argparse itself, and ends with status 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from program.wording import nearest
from wire.errors import printable

DISTRIBUTION = "sealcam"


def version() -> str:
    """The version of what is installed; a checkout that nobody installed has none."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "unknown (not installed)"


class ShowVersion(argparse.Action):
    """Prints program and version, and ends."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, default=argparse.SUPPRESS, nargs=0, help="print the version and end"
        )

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """`program version` on standard output."""
        print(f"{parser.prog} {version()}")
        parser.exit()


class ProgramParser(argparse.ArgumentParser):
    """argparse's parser, whose errors say where help is. Those of its commands are of this class too."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's; what was given is kept for `error`."""
        self._given = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(self._given, namespace)

    def _unknown_options(self) -> list[str]:
        """The words that look like options and are none: without a command argparse names none of them."""
        options = (word.partition("=")[0] for word in getattr(self, "_given", ()))
        return [option for option in options if option.startswith("--") and not self._known(option)]

    def _known(self, option: str) -> bool:
        return option == "--" or any(known.startswith(option) for known in self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        """Usage and sentence on standard error, status 2; all of the help where no command was named."""
        families = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        unknown = self._unknown_options()
        if unknown and any(message.endswith(f"required: {family.metavar}") for family in families):
            near = nearest(unknown[0], self._option_string_actions)
            message = f"unrecognized arguments: {unknown[0][:40]}" + (f"; did you mean {near}?" if near else "")
        elif any(message.endswith(f"required: {family.metavar}") for family in families):
            self.print_help(sys.stderr)
            self.exit(2, f"\n{self.prog}: error: no command is named; choose one of those above\n")
        self.print_usage(sys.stderr)
        self.exit(2, f"{printable(f'{self.prog}: error: {message}; see: {self.prog} --help')}\n")


def new_parser(**options: Any) -> ProgramParser:
    """The parser of a program, with `--version`."""
    parser = ProgramParser(**options)
    parser.add_argument("--version", action=ShowVersion)
    return parser


def place(text: str) -> Path:
    """A path that was really given: an empty one, of a variable that is not set, would mean the current folder.

    A dash means standard input or output elsewhere; where it does, the option has a type of its own.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("the name is empty: name a file or a folder")
    if text == "-":
        raise argparse.ArgumentTypeError(
            "- (a standard stream) is not taken here: name a file, or ./- if it is called so"
        )
    return Path(text)


def whole(least: int, most: int) -> Callable[[str], int]:
    """The type of a whole number within bounds, both included."""

    def number(text: str) -> int:
        digits = text[1:] if text.startswith("-") else text
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 20 and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {least} to {most}")
        return int(text)

    return number


def real(least: float, most: float) -> Callable[[str], float]:
    """The type of a number within bounds, both included; no infinity, and not the number that is none."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number from {least:g} to {most:g}")
        return value

    return number


port = whole(1, 65535)
"""A TCP port."""

MAX_SEED = 2**32 - 1
"""What every generator of random numbers here takes."""
