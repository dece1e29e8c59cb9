"""Lines that a library writes straight to standard error, and that tell a user nothing."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Final

_STDERR: Final = 2
TFLITE: Final = b"INFO: Created TensorFlow Lite"
"""What the interpreter says of each network that it loads, without a way to ask it not to."""


@contextlib.contextmanager
def without(begin: bytes) -> Iterator[None]:
    """Drop the lines that begin so; all else that is written meanwhile comes afterwards, in order."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        before = os.dup(_STDERR)
    except OSError:  # it is closed: nothing comes anyway
        yield
        return
    held = os.memfd_create("chatter", os.MFD_CLOEXEC)
    os.dup2(held, _STDERR)
    try:
        yield
    finally:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(before, _STDERR)
        os.close(before)
        with os.fdopen(held, "rb") as kept:
            kept.seek(0)
            rest = b"".join(line for line in kept if not line.startswith(begin))
        if rest:
            with contextlib.suppress(OSError), os.fdopen(_STDERR, "wb", closefd=False) as stream:
                stream.write(rest)
