"""Key files: written whole or not at all, private from the first moment, refused when others may read or change them.

A file that is no secret, such as a public key, is refused only when others may change it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from identity.errors import DamagedKeyError, KeysError, MissingKeyError, UnsafeKeyFileError
from wire.errors import remedy_of

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_MAX_FILE_BYTES = 64 * 1024
_REPLACE = "move it away and run: sealcam keys init"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def make_folder(path: Path) -> None:
    """Make a folder of mode 0700, and its parents. A folder that is there must not be open to others.

    Raises:
        UnsafeKeyFileError: others may read or write in it, or it is not a folder.
        KeysError: it cannot be made.
    """
    try:
        for folder in (*reversed(path.parents), path):  # missing parents are private too, as XDG asks
            if not folder.exists():
                with contextlib.suppress(FileExistsError):
                    folder.mkdir(mode=PRIVATE_FOLDER)
        mode = path.lstat().st_mode
    except OSError as error:
        remedy = f"{remedy_of(error.errno or 0, 'free the place')}, or set SEALCAM_HOME to another folder"
        raise KeysError(f"{path} cannot be made ({error.strerror})", remedy) from None
    if not stat.S_ISDIR(mode):
        raise UnsafeKeyFileError(f"{path} is not a folder", _REPLACE)
    if stat.S_IMODE(mode) & 0o077:
        raise UnsafeKeyFileError(f"{path} is open to other users", f"run: chmod 700 {shlex.quote(str(path))}")


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600: a new file beside it, synced, then moved over it. Raises KeysError."""
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files of mode 0600 that belong together, as `write_private`: all are on the disk before one is moved.

    So a disk that is full leaves all as they were. Raises KeysError, naming the file.
    """
    beside: dict[Path, Path] = {}
    path = next(iter(contents))
    try:
        for path, content in contents.items():
            beside[path] = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            _write_new(beside[path], content)
        for path in contents:
            beside[path].replace(path)
            del beside[path]
        for folder in dict.fromkeys(path.parent for path in contents):
            _sync_folder(folder)
    except OSError as error:
        remedy = remedy_of(error.errno or 0, "free the disk or check its folder")
        raise KeysError(f"{path} cannot be written ({error.strerror})", remedy) from None
    finally:
        for left in beside.values():
            with contextlib.suppress(OSError):
                left.unlink()


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, _NEW, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_private(path: Path, max_bytes: int = _MAX_FILE_BYTES) -> bytes:
    """Read a secret. Raises UnsafeKeyFileError when its mode lets others in, else as `read_public`."""
    return _read(path, max_bytes, secret=True)


def read_public(path: Path, max_bytes: int = _MAX_FILE_BYTES) -> bytes:
    """Read a file that is no secret, but that others must not be able to change.

    Raises:
        MissingKeyError: it is not there, is a symbolic link, or cannot be read.
        UnsafeKeyFileError: others may write to it, or it is a device or a pipe.
        DamagedKeyError: it is over `max_bytes`.
    """
    return _read(path, max_bytes, secret=False)


def _read(path: Path, max_bytes: int, *, secret: bool) -> bytes:
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        raise MissingKeyError(f"{path} is missing", "run: sealcam keys init") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise MissingKeyError(f"{path} is a symbolic link", "put the file itself in its place") from None
        raise MissingKeyError(f"{path} cannot be read ({error.strerror})", _REPLACE) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UnsafeKeyFileError(f"{path} is not a plain file", _REPLACE)
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_IMODE(mode) & (0o077 if secret else 0o022):
            raise UnsafeKeyFileError(f"{path} is open to other users", f"run: chmod 600 {shlex.quote(str(path))}")
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise DamagedKeyError(f"{path} is larger than {max_bytes} bytes", _REPLACE)
    return content


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
