"""`sealcam`: the whole command line, which is the device's own commands and the demo."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from wire.errors import INTERRUPTED, LibraryMissingError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit status."""
    try:
        from demo import command  # here, so that a library that is missing is a sentence too
        from device import cli

        return cli.main(argv, commands=(command, *cli.COMMANDS))
    except ImportError as error:
        failure = LibraryMissingError.of(error)
        print(f"sealcam: {failure}", file=sys.stderr)
        return failure.exit_status
    except KeyboardInterrupt:  # while loading
        print("sealcam: interrupted", file=sys.stderr)
        return INTERRUPTED
