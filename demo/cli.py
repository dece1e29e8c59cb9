"""`sealcam`: the whole command line, which is the device's own commands and the demo."""

from __future__ import annotations

from collections.abc import Sequence

from demo import command
from device import cli


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit status."""
    return cli.main(argv, commands=(command, *cli.COMMANDS))
