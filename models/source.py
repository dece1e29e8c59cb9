"""Read-only view of a data set that is either a folder or a zip, laid out as its publisher does."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

Image = NDArray[np.uint8]


class Source:
    """The files of one data set. Thread-safe; every failure is a `DataError` that names the file.

    Args:
        path: a folder or a zip file.
        marker: a file that proves the layout (`Train.csv`); it lies at the top or one folder below it.
    """

    def __init__(self, path: str | Path, marker: str) -> None:
        self.path = Path(path)
        self._zip: zipfile.ZipFile | None = None
        self._lock = threading.Lock()
        if self.path.is_dir():
            self._open_folder(marker)
        elif self.path.is_file():
            self._open_zip(marker)
        else:
            raise DataError(f"{self.path}: no such folder or zip file")

    def _open_folder(self, marker: str) -> None:
        tops = [self.path, *sorted(p for p in self.path.iterdir() if p.is_dir())]
        found = [top for top in tops if (top / marker).is_file()]
        if not found:
            raise DataError(f"{self.path}: not this data set, {marker} is neither in it nor in a folder directly below")
        self._folder = found[0]

    def _open_zip(self, marker: str) -> None:
        try:
            self._zip = zipfile.ZipFile(self.path)
        except zipfile.BadZipFile as error:
            raise DataError(
                f"{self.path}: not a whole zip file, perhaps truncated ({error}): fetch it again"
            ) from error
        self._names = set(self._zip.namelist())
        found = sorted(name for name in self._names if name == marker or name.split("/", 1)[-1] == marker)
        if not found:
            raise DataError(f"{self.path}: not this data set, the zip holds no {marker}")
        self._prefix = found[0][: -len(marker)]

    def has(self, name: str) -> bool:
        """Whether the data set holds the file `name` (relative to its marker file)."""
        return self._prefix + name in self._names if self._zip else (self._folder / name).is_file()

    def read(self, name: str) -> bytes:
        """The bytes of the file `name`."""
        try:
            if self._zip:
                with self._lock:
                    return self._zip.read(self._prefix + name)
            return (self._folder / name).read_bytes()
        except (KeyError, FileNotFoundError):
            raise DataError(f"{self.path}: {name} is missing") from None
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise DataError(f"{self.path}: {name} cannot be read ({error})") from error

    def text(self, name: str) -> str:
        """The text of the file `name`, UTF-8."""
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"{self.path}: {name} is not UTF-8 text ({error})") from error

    def image(self, name: str) -> Image:
        """The decoded image `name`: uint8, height x width x 3, RGB."""
        decoded = cv2.imdecode(np.frombuffer(self.read(name), np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise DataError(f"{self.path}: {name} is not an image that can be decoded")
        return np.ascontiguousarray(decoded[:, :, ::-1])
