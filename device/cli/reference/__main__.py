"""`python -m device.cli.reference [--check]`: see the package."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import program
from device.cli.reference.pages import DOCS, differing, rewrite
from program.arguments import new_parser, place


def main(argv: Sequence[str] | None = None) -> int:
    """Write, or check. Returns the exit status: 1 where `--check` finds a difference."""
    return program.run("python -m device.cli.reference", lambda: _work(argv))


def _work(argv: Sequence[str] | None) -> int:
    parser = new_parser(
        prog="python -m device.cli.reference", description="Writes the documentation's tables from the code."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if any part differs")
    parser.add_argument("--docs", type=place, default=DOCS, metavar="DIR", help="the pages (default: docs/)")
    arguments = parser.parse_args(argv)
    found = differing(arguments.docs) if arguments.check else rewrite(arguments.docs)
    for part in found:
        state = "differs from the code; run: make docs" if arguments.check else "written"
        print(f"docs/{part.page}, {part.name}: {state}")
    return 1 if arguments.check and found else 0


if __name__ == "__main__":
    sys.exit(main())
