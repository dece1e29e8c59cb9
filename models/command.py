"""How a command of `models` ends when it fails as expected: with one line and an exit status, without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from wire.errors import INTERRUPTED, SealcamError, UsageError


def run(program: str, work: Callable[[], int | None], *, after_interrupt: str = "") -> int:
    """Does `work`, which returns its exit status or None for 0.

    Args:
        program: the beginning of the line on standard error.
        after_interrupt: what an interrupted user can do next.

    Returns:
        the exit status: of `work`, of the error that ended it, or 130 where it was interrupted.
    """
    try:
        return work() or 0
    except SealcamError as error:
        failure = error
    except OSError as error:
        where = error.filename or "a file"
        failure = UsageError(
            f"{where}: cannot be read or written ({error.strerror or error})", "check its name and its folder"
        )
    except KeyboardInterrupt:
        print(f"{program}: interrupted" + (f"; {after_interrupt}" if after_interrupt else ""), file=sys.stderr)
        return INTERRUPTED
    print(f"{program}: {failure}", file=sys.stderr)
    return failure.exit_status
