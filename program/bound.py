"""A command that ends when its starter ends, however that ends: `python -m program.bound PARENT SIGNAL COMMAND...`.

The kernel sends the signal when the *thread* that started it ends: start it from the main thread. A starter that ends
before the request is made is noticed by its number: ours has another parent then. Source: prctl(2), PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def bound(command: Sequence[str], number: signal.Signals = signal.SIGTERM) -> list[str]:
    """The words that start `command` so that it gets the signal when this process ends."""
    return [sys.executable, "-P", "-m", "program.bound", str(os.getpid()), str(int(number)), *command]


def bind(parent: int, number: int) -> bool:
    """Have this process get the signal when its parent ends. False: the parent has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    return os.getppid() == parent


def main(words: Sequence[str]) -> int:
    """Become the command; returns only where the starter is gone already."""
    parent, number, *command = words
    if bind(int(parent), int(number)):
        os.execvp(command[0], command)  # noqa: S606 -- a list of arguments of ours, no shell
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
