"""Files that a user named for a result: made new, for the user alone, never through a link; a replaced one is told.

Whoever can write in the folder could have put a link there that leads to any file of the user, so a link is refused. An
older file is not opened but replaced: its mode, and other names of it (hard links), are left behind with it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from program.errors import OutputRefusedError
from wire.errors import printable, remedy_of

_MODE = 0o600
_FOLDER_MODE = 0o700
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def make_folder(path: Path) -> None:
    """A folder for results, with its parents. Raises OutputRefusedError."""
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                with contextlib.suppress(FileExistsError):
                    folder.mkdir(mode=_FOLDER_MODE)
        if not path.is_dir():
            raise OutputRefusedError(f"{path} is no folder", "name a folder, or one that is not there yet")
    except OSError as error:
        raise refused(path, error) from None


def write(path: Path, content: bytes, *, tell: bool = True) -> None:
    """Write a whole file: it is there with all of its content, or as it was. Raises OutputRefusedError."""
    if _is_device(path):
        try:
            path.write_bytes(content)
        except OSError as error:
            raise refused(path, error) from None
        return
    told = check(path)
    beside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        with open(beside, "wb", opener=_new) as file:
            try:
                file.write(content)
                file.close()
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise refused(path, error) from None
    if told and tell:
        say_replaced(path)


def create(path: Path, *, tell: bool = True) -> BinaryIO:
    """A new file to be written bit by bit, in the place of an older one. Raises OutputRefusedError."""
    try:
        if _is_device(path):
            return path.open("wb")
        told = check(path)
        path.unlink(missing_ok=True)
        file = open(path, "wb", opener=_new)  # noqa: SIM115 -- Path.open takes no opener
    except OSError as error:
        raise refused(path, error) from None
    if told and tell:
        say_replaced(path)
    return file


def remove(path: Path) -> bool:
    """Take an older result away, so that nobody takes it for a new one; whether there was one. Raises
    OutputRefusedError."""
    found = check(path)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise refused(path, error) from None
    return found


def check(path: Path) -> bool:
    """Whether an older plain file is there. Raises OutputRefusedError where something else is: it is left alone."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise refused(path, error) from None
    if stat.S_ISLNK(mode):
        raise OutputRefusedError(f"{path} is a symbolic link, and is not followed", "name the file itself")
    if stat.S_ISDIR(mode):
        raise OutputRefusedError(f"{path} is a folder", "name a file")
    if not stat.S_ISREG(mode):
        raise OutputRefusedError(f"{path} is not a plain file", "name another file")
    return True


def refused(path: Path, error: OSError) -> OutputRefusedError:
    """The error for a result that cannot be written."""
    sentence = f"{path} cannot be written ({error.strerror})"
    return OutputRefusedError(sentence, remedy_of(error.errno or 0, "choose another place"))


def keep_inputs(output: Path, inputs: Iterable[Path | None], option: str = "--out") -> None:
    """That a result does not take the place of an input, under whatever name. Raises OutputRefusedError."""
    for path in inputs:
        try:
            same = path is not None and output.exists() and path.exists() and output.samefile(path)
        except OSError:
            continue  # it cannot be read or written either, which is told there
        if same:
            raise OutputRefusedError(f"{path} would be replaced by what is made of it", f"choose another {option}")


def say_result(text: str) -> None:
    """A line of what a command found or made, on standard output, without what a terminal would obey."""
    print(printable(text), flush=True)


def say_replaced(path: Path, what: str = "the file that was there is replaced") -> None:
    """Tell the user that something older is gone."""
    print(f"{printable(str(path))}: {what}", file=sys.stderr)


def _new(path: str, _: int) -> int:
    return os.open(path, _NEW, _MODE)


def _is_device(path: Path) -> bool:
    """/dev/null and its like take what they are given; there is nothing to replace."""
    try:
        return stat.S_ISCHR(path.lstat().st_mode)
    except OSError:
        return False
