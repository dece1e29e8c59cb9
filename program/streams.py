"""Standard streams that cannot fail in the middle of the work.

A reader that has gone (`| head -1`), a full disk, a terminal that was closed: each would raise within the next print,
in whatever code happens to print, and once more while the interpreter ends. Here a stream notes its first failure,
takes and forgets what follows, and the work goes on to its own end and its own exit status. `failure` then says what
is to be told.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_GONE: Final = (errno.EPIPE, errno.ECONNRESET)
"""The reader has what it wanted: that is no failure."""


class StandardStream(io.BufferedWriter):
    """One of the descriptors 1 and 2. `failure`: why it takes nothing any more, None while all is good.

    The write itself is the interpreter's own: a signal between a write in Python and its return would have the bytes
    written twice.
    """

    def __init__(self, number: int, closed: bool = False) -> None:
        """`closed`: it was when the program began, so that the first result is lost."""
        super().__init__(io.FileIO(number, "w", closefd=False))
        self.failure: OSError | None = None
        self._was_closed = closed

    def write(self, data: ReadableBuffer, /) -> int:
        """All of it, even where another process made the terminal non-blocking; or nothing, silently, from then on."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        if size and self._was_closed and self.failure is None:
            self.failure = OSError(errno.EBADF, "it is closed")
        while rest and self.failure is None:
            try:
                super().write(rest)
                break
            except BlockingIOError as error:
                rest = rest[error.characters_written :]
                self._wait()
            except OSError as error:
                self.failure = error
        return size

    def flush(self) -> None:
        """Write what is buffered, unless the stream has failed."""
        while self.failure is None:
            try:
                super().flush()
                break
            except BlockingIOError:
                self._wait()
            except OSError as error:
                self.failure = error

    def _wait(self) -> None:
        select.select([], [self.fileno()], [], 1.0)


def hold() -> None:
    """Put our streams in the place of the interpreter's, and /dev/null where one is closed.

    A closed number would be given to the next file or socket that is opened, and a child would take it for its output.
    What somebody else has put in the place of a stream, a test for example, is left there.
    """
    closed = set()
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            closed.add(number)
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # open takes the lowest free number
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 -- for as long as the process lives
    if sys.stdout is sys.__stdout__:
        sys.stdout = _stream(1, sys.stdout, 1 in closed)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _stream(2, sys.stderr, 2 in closed)


def _stream(number: int, replaced: TextIO | None, closed: bool) -> TextIO:
    encoding = (replaced.encoding if replaced is not None else None) or "utf-8"
    if replaced is not None:
        with contextlib.suppress(OSError):
            replaced.flush()
    return io.TextIOWrapper(
        StandardStream(number, closed),
        encoding=encoding,
        errors="backslashreplace",  # a locale that lacks a letter must not end the work
        line_buffering=number == 2 or os.isatty(number),
    )


def failure() -> OSError | None:
    """Why what went to standard output is not where it was sent; None where it is, or nobody wants it any more."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # somebody else's stream may fail, or be closed
            stream.flush()
    below = getattr(sys.stdout, "buffer", None)
    if not isinstance(below, StandardStream):
        return None
    noted, below.failure = below.failure, None
    return noted if noted is not None and noted.errno not in _GONE else None
