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
from typing import Final

from identity import place
from identity.errors import DamagedKeyError, KeysError, MissingKeyError, UnsafeKeyFileError
from wire.errors import remedy_of

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_MAX_FILE_BYTES = 64 * 1024
_DEPTH = 3  # folders between a data home and its deepest file
_PEM = b"-----BEGIN "
_INIT: Final = "sealcam keys init"
NAME_A_KEY = "name the file that holds the key, one that only you can read and change"
_NAME_A_HOME = "name a folder of your own: one that is not there yet, an empty one, or a data home (SEALCAM_HOME)"
HOME_ENTRIES: Final = frozenset({"authority", "broker", "demo", "device", "redteam", "sink", "spool", "trust", ".lock"})
"""What is in a data home, and nothing else. `demo` and `redteam` are homes of their own."""
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
        mend = remedy_of(error.errno or 0, "check what is there and who may write there")
        remedy = f"{mend}, or set SEALCAM_HOME to another folder"
        raise KeysError(f"{path} cannot be made ({error.strerror})", remedy) from None
    if not stat.S_ISDIR(mode):
        raise UnsafeKeyFileError(f"{path} is not a folder", _replace(path) if in_a_home(path) else _NAME_A_HOME)
    if stat.S_IMODE(mode) & 0o077:
        ours = in_a_home(path) or is_a_home(path)
        remedy = f"run: chmod 700 {shlex.quote(str(path))}" if ours else _NAME_A_HOME
        raise UnsafeKeyFileError(f"{path} is open to other users", remedy)


def close_if_empty(path: Path) -> None:
    """Make an empty folder of this user's private, that is to become a data home: nothing in it was ever open.

    Raises UnsafeKeyFileError where somebody has put something into it meanwhile.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # it is not there, or no folder: `make_folder` says what is to be said
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or not stat.S_IMODE(found.st_mode) & 0o077 or os.listdir(descriptor):  # noqa: PTH208 -- of this very folder
            return
        os.fchmod(descriptor, PRIVATE_FOLDER)
        if os.listdir(descriptor):  # noqa: PTH208
            raise UnsafeKeyFileError(f"{path} was written to by another user", _NAME_A_HOME)
    finally:
        os.close(descriptor)


def is_a_home(folder: Path) -> bool:
    """Whether a folder is a data home, whole or begun; or empty or not there yet, and may become one.

    No other folder is ever advised to be made private: `chmod 700 /etc` would break the machine.
    """
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return names <= HOME_ENTRIES or (folder / "device" / "signing.key").is_file()


def in_a_home(path: Path) -> bool:
    """Whether a file or folder lies in a data home: then our own commands can make it again."""
    return _home_of(path) is not None


def command(words: str, path: Path) -> str:
    """A command of ours as it is typed to act on the home that `path` lies in, the user's own where it lies in none."""
    home = _home_of(path)
    return words if home is None else place.command(words, home)


def _home_of(path: Path) -> Path | None:
    for folder in path.parents[:_DEPTH]:
        if path.relative_to(folder).parts[0] in HOME_ENTRIES and is_a_home(folder):
            return folder
    return None


def _replace(path: Path) -> str:
    return f"move it away and run: {command(_INIT, path)}"


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
        remedy = remedy_of(error.errno or 0, "check its folder and its disk")
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


def read_private(path: Path, max_bytes: int = _MAX_FILE_BYTES, *, make: str | None = None) -> bytes:
    """Read a secret. Raises UnsafeKeyFileError when its mode lets others in, else as `read_public`."""
    return _read(path, max_bytes, NAME_A_KEY, make, secret=True)


def read_public(
    path: Path, max_bytes: int = _MAX_FILE_BYTES, *, another: str = NAME_A_KEY, make: str | None = None
) -> bytes:
    """Read a file that is no secret, but that others must not be able to change.

    Args:
        another: the remedy where the file is of no data home, so that its user named it: what is wanted instead.
        make: the remedy where it is missing from a data home; None: to make its keys.

    Raises:
        MissingKeyError: it is not there, is a symbolic link, or cannot be read.
        UnsafeKeyFileError: others may write to it, or it is a device or a pipe.
        DamagedKeyError: it is over `max_bytes`.
    """
    return _read(path, max_bytes, another, make, secret=False)


def _read(path: Path, max_bytes: int, another: str, make: str | None, *, secret: bool) -> bytes:
    ours = in_a_home(path)
    again = _replace(path) if ours else another
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        make = make or f"run: {command(_INIT, path)}"
        raise MissingKeyError(f"{path} is missing", make if ours else another) from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise MissingKeyError(f"{path} is a symbolic link", "put the file itself in its place") from None
        raise MissingKeyError(f"{path} cannot be read ({error.strerror})", again) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UnsafeKeyFileError(f"{path} is not a plain file", again)
    try:
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise MissingKeyError(f"{path} cannot be read ({error.strerror})", again) from None
    if stat.S_IMODE(mode) & (0o077 if secret else 0o022):
        remedy = f"run: chmod 600 {shlex.quote(str(path))}" if ours or content.startswith(_PEM) else again
        raise UnsafeKeyFileError(f"{path} is open to other users", remedy)
    if len(content) > max_bytes:
        raise DamagedKeyError(f"{path} is larger than {max_bytes} bytes", again)
    return content


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
