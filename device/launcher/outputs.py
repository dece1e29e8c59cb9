"""Files of a run's results, on a disk that may be full: whole lines only, and a summary that is new or not there."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o600
_CANNOT_SYNC: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)  # some file systems, and what is no file
_RESERVED_BYTES: Final = 64 * 1024  # a summary has about a tenth of it


def _write(descriptor: int, content: bytes, path: Path) -> None:
    """All of it. Raises OSError with the file's name."""
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _sync(descriptor: int, path: Path) -> None:
    """Everything that was written is on the disk, or the disk says now that it is not. Raises OSError."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise OSError(error.errno, error.strerror, str(path)) from None


def _check_place(descriptor: int, path: Path) -> None:
    """That what was written has its name still: without one it is gone once it is closed. Raises OSError."""
    found = os.fstat(descriptor)
    try:
        there = path.lstat()
    except OSError:
        there = None
    if there is None or (there.st_dev, there.st_ino) != (found.st_dev, found.st_ino):
        raise OSError(errno.ESTALE, "it was removed, moved or replaced while it was written", str(path))


class WholeLines:
    """A new file of lines, of mode 0600. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, _NEW, _PRIVATE)
        self._size = 0

    def add(self, line: bytes) -> None:
        """Add a line, or nothing of it. Raises OSError: the file is not to be used any more, but to be closed."""
        try:
            _write(self._descriptor, line + b"\n", self._path)
        except OSError:
            with contextlib.suppress(OSError):  # a shorter file takes no room; what is no file cannot be cut
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(line) + 1

    def finish(self) -> None:
        """Everything is on the disk, under its name. Raises OSError."""
        if self._size:
            _sync(self._descriptor, self._path)
        _check_place(self._descriptor, self._path)

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


class ReservedFile:
    """A file whose room is taken before it is needed, beside the file that it will replace. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.new")
        self._descriptor = os.open(self._beside, _NEW, _PRIVATE)
        try:
            _write(self._descriptor, b" " * _RESERVED_BYTES, path)
            _sync(self._descriptor, path)
        except OSError:
            self.drop()
            raise

    def replace(self, content: bytes) -> None:
        """Write the content into that room and put the file in its place, whole. Raises OSError: nothing is changed."""
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            _write(self._descriptor, content, self._path)
            os.ftruncate(self._descriptor, len(content))
            _sync(self._descriptor, self._path)
            _check_place(self._descriptor, self._beside)
            self._beside.replace(self._path)
            os.close(self._descriptor)
        except OSError as error:
            self.drop()
            raise OSError(error.errno, error.strerror, str(self._path)) from None

    def drop(self) -> None:
        """Give the room free; what it was to replace stays."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        with contextlib.suppress(OSError):
            self._beside.unlink()
