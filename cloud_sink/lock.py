"""One process at a time: a lock on a file of the data home, which the kernel frees however its holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cloud_sink.errors import AlreadyServingError, SetupError


@contextlib.contextmanager
def only_one(lock: Path, taken: AlreadyServingError) -> Iterator[int]:
    """Hold `lock` while the block lasts; gives its descriptor, for a child that is to hold it too.

    Raises `taken` where another process holds it, SetupError where the file cannot be made.
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SetupError(f"cannot write {lock} ({error.strerror})", "check who owns its folder") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken from None
        yield descriptor
    finally:
        os.close(descriptor)
