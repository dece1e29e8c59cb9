"""`sealcam`: the whole command line, which is the device's own commands and the demo."""

from __future__ import annotations

from collections.abc import Sequence

import program


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit status."""

    def work() -> int:
        from demo import command  # here, so that a library that is missing is a sentence too
        from device import cli

        return cli.work(argv, commands=(command, *cli.COMMANDS))

    return program.run("sealcam", work, private=True)
