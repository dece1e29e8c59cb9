"""A folder for results that this process alone fills: claimed before anything in it is touched, until it is released.

Two runs that write into one folder would take each other's results away. The claim is a lock on the open folder
(flock), which ends with its process however that ends; where a file system has no locks, there is none.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from program import outputs
from program.errors import OutputRefusedError


class ClaimedFolder:
    """A folder for results, made where it is missing, and claimed.

    Raises:
        OutputRefusedError: it cannot be made or opened, or another process holds it. Nothing in it is changed then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        outputs.make_folder(path)
        self._descriptor: int | None = _locked(path)

    def clear(self, names: Sequence[str], told: str = "") -> None:
        """Take older results away, so that nobody takes them for new ones: all of them or none. Raises
        OutputRefusedError.

        `told`: what the user is told where there were any.
        """
        for name in names:
            outputs.check(self.path / name)  # all of them before the first is removed
        if any([outputs.remove(self.path / name) for name in names]) and told:
            outputs.say_replaced(self.path, told)

    def release(self) -> None:
        """Others may have it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def claimed(path: Path) -> Iterator[ClaimedFolder]:
    """A folder that is this process's own in the block. Raises OutputRefusedError."""
    folder = ClaimedFolder(path)
    try:
        yield folder
    finally:
        folder.release()


def _locked(path: Path) -> int | None:
    """The folder, open and locked until it is closed; None where its file system has no locks."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise outputs.refused(path, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OutputRefusedError(
            f"{path} is being written by another run", "wait until that has ended, or choose another --out"
        ) from None
    except OSError:
        with contextlib.suppress(OSError):
            os.close(descriptor)
        return None
    return descriptor
