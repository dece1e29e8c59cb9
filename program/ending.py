"""How every program of ours ends: with its exit status, and one sentence where something is wrong; no traceback.

The first Ctrl-C, SIGTERM or SIGHUP is a KeyboardInterrupt: the work unwinds and ends what it started. A second one ends
this process on the spot, unless it comes with the first: `timeout` signals its child and then its group, and who passes
a terminal's Ctrl-C on sends it twice. What it started is bound to it (`program.bound`, bubblewrap's --die-with-parent,
warden's own parent-death signal) and ends with it.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from program import streams
from program.errors import UnwrittenResultError
from wire.errors import INTERRUPTED, LibraryMissingError, MachineError, SealcamError

ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR: Final = b"\x1b[?25h"  # a progress display hides it
_SEND_IT: Final = {errno.EBADF: "send it somewhere: to a file, or to /dev/null"}
_OWNER_ONLY: Final = 0o077
ONE_WISH_SECONDS: Final = 0.5
"""A second signal that comes so soon after the first is the same wish; a third is a further one in any case."""


class StopWord(enum.Enum):
    """What an ending signal means: to end in order, nothing new, or to end now."""

    STOP = "stop"
    SAME = "same"
    AT_ONCE = "at once"


class StopWish:
    """Counts the ending signals of this process: one wish to stop, or one more.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._signals = 0
        self._at = 0.0

    def signal(self) -> StopWord:
        """An ending signal came: what it means."""
        now = self._clock()
        self._signals += 1
        if self._signals == 1:
            self._at = now
            return StopWord.STOP
        return StopWord.SAME if self._signals == 2 and now - self._at < ONE_WISH_SECONDS else StopWord.AT_ONCE


def run(program: str, work: Callable[[], int | None], *, after_interrupt: str = "", private: bool = False) -> int:
    """Does `work`, which returns its exit status or None for 0; importing and parsing arguments belong into it.

    Args:
        program: the beginning of the line on standard error.
        after_interrupt: what an interrupted user can do next.
        private: every file and folder that this process and its children make is for its user alone.

    Returns:
        the exit status: of `work`, of the error that ended it, or 130 where it was interrupted.

    Raises:
        SystemExit: argparse's, after --help, --version and a wrong argument.
    """
    streams.hold()
    before = os.umask(_OWNER_ONLY) if private else None
    try:
        with _interruptible(program):
            status = _outcome(program, work, after_interrupt)
    except SystemExit as end:
        end.code = _with_output(program, end.code if isinstance(end.code, int) else 2 if end.code else 0)
        raise
    finally:
        if before is not None:
            os.umask(before)
    return _with_output(program, status)


def _with_output(program: str, status: int) -> int:
    """The status, once what was printed is where it was sent; or is told not to be."""
    lost = streams.failure()
    if lost is None:
        return status
    unwritten = UnwrittenResultError(
        f"standard output cannot be written ({lost.strerror})",
        _SEND_IT.get(lost.errno or 0, "free its disk, or send it elsewhere"),
    )
    _say(program, str(unwritten))
    return status or unwritten.exit_status


def _outcome(program: str, work: Callable[[], int | None], after_interrupt: str) -> int:
    try:
        return work() or 0
    except SealcamError as error:
        failure = error
    except ImportError as error:
        failure = LibraryMissingError.of(error)
    except BrokenPipeError:
        return 0  # a reader of ours has what it wanted
    except (OSError, MemoryError) as error:
        failure = MachineError.of(error)
    except KeyboardInterrupt:
        _say(program, "interrupted" + (f"; {after_interrupt}" if after_interrupt else ""))
        return INTERRUPTED
    _say(program, str(failure))
    return failure.exit_status


def _say(program: str, line: str) -> None:
    print(f"{program}: {line}", file=sys.stderr, flush=True)


@contextmanager
def _interruptible(program: str) -> Iterator[None]:
    """The ending signals interrupt the block; another one while it unwinds ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wish = StopWish()

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard = wish.signal()
        if heard is StopWord.AT_ONCE:
            end_at_once(program)
        if heard is StopWord.STOP:
            raise KeyboardInterrupt

    before = {s: signal.getsignal(s) for s in ENDING_SIGNALS}
    for number, handler in before.items():
        if number != signal.SIGHUP or handler is not signal.SIG_IGN:  # as nohup asks
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_at_once(program: str) -> None:
    """End this process now, with all that is bound to it; for the second signal, when the first was not enough."""
    with contextlib.suppress(OSError):
        shown = _SHOW_CURSOR if os.isatty(2) else b""
        os.write(2, shown + f"{program}: interrupted twice: ended at once, what was not yet written is lost\n".encode())
    os._exit(INTERRUPTED)
