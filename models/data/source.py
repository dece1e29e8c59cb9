"""Read-only view of a data set that is either a folder or a zip, laid out as its publisher does."""

from __future__ import annotations

import hashlib
import lzma
import struct
import threading
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.errors import DataError

Image = NDArray[np.uint8]

# The `DataError` says in a sentence what OpenCV would print of a broken picture.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

FETCH = "fetch the data set again"
_GIVE = "give the folder or zip as its publisher has it"
_DEEPEST = 3
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, ValueError, EOFError)
"""What `zipfile` raises at damaged, encrypted (RuntimeError) and strangely packed (its NotImplementedError) files."""


class DataSet:
    """The files of one data set. Thread-safe; every failure is a `DataError` that names the file.

    Args:
        path: a folder or a zip file.
        markers: files (`Train.csv`, `00000/GT-00000.csv`) of which one shows the layout; it lies at the top or up to
            three folders below it. `marker` is the first of them that is there.
    """

    def __init__(self, path: str | Path, *markers: str) -> None:
        self.path = Path(path)
        self._zip: zipfile.ZipFile | None = None
        self._lock = threading.Lock()
        if self.path.is_dir():
            self._open_folder(markers)
        elif self.path.is_file():
            self._open_zip(markers)
        else:
            raise DataError(f"{self.path}: no such folder or zip file", "give the folder or zip of the data set")

    def _open_folder(self, markers: Sequence[str]) -> None:
        tops = [("*/" * depth, marker) for marker in markers for depth in range(_DEEPEST + 1)]
        found = next(((p, marker) for top, marker in tops for p in sorted(self.path.glob(top + marker))), None)
        if found is None:
            raise DataError(
                f"{self.path}: not this data set, "
                f"{' or '.join(markers)} is neither in it nor up to three folders below",
                _GIVE,
            )
        self.marker, self._folder = found[1], found[0].parents[found[1].count("/")]

    def _open_zip(self, markers: Sequence[str]) -> None:
        try:
            self._zip = zipfile.ZipFile(self.path)
        except _BROKEN_ZIP as error:
            raise DataError(f"{self.path}: not a whole zip file, perhaps truncated ({error})", FETCH) from error
        self._names = set(self._zip.namelist())
        names = sorted(self._names, key=lambda name: (name.count("/"), name))
        found = next(
            (
                (name, marker)
                for marker in markers
                for name in names  # a zip of a folder has that folder's own name on top
                if f"/{name}".endswith(f"/{marker}") and name.count("/") <= marker.count("/") + _DEEPEST + 1
            ),
            None,
        )
        if found is None:
            raise DataError(f"{self.path}: not this data set, the zip holds no {' or '.join(markers)}", _GIVE)
        self.marker = found[1]
        self._prefix = found[0][: -len(self.marker)]

    def names(self) -> list[str]:
        """All files, by their names relative to the marker, sorted."""
        if self._zip:
            inside = (name for name in self._names if name.startswith(self._prefix) and not name.endswith("/"))
            return sorted(name[len(self._prefix) :] for name in inside)
        files = (place for place in self._folder.rglob("*") if place.is_file())
        return sorted(place.relative_to(self._folder).as_posix() for place in files)

    def digest(self, suffixes: tuple[str, ...] = ("",)) -> dict[str, Any]:
        """How many files (of these suffixes) there are, and the SHA-256 of what `sha256sum` prints of them all, their
        names in byte order."""
        whole = hashlib.sha256()
        names = sorted((name for name in self.names() if name.lower().endswith(suffixes)), key=str.encode)
        for name in tqdm(names, desc=f"hash {self.path.name}", unit="file", mininterval=2, disable=None):
            whole.update(f"{hashlib.sha256(self.read(name)).hexdigest()}  {name}\n".encode())
        return {"files": len(names), "sha256": whole.hexdigest()}

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
            raise DataError(f"{self.path}: {name} is missing", FETCH) from None
        except (*_BROKEN_ZIP, OSError) as error:
            raise DataError(f"{self.path}: {name} cannot be read ({error})", FETCH) from error

    def text(self, name: str) -> str:
        """The text of the file `name`, UTF-8."""
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"{self.path}: {name} is not UTF-8 text ({error})", FETCH) from error

    def image(self, name: str) -> Image:
        """The decoded image `name`: uint8, height x width x 3, RGB."""
        content = self.read(name)
        try:
            decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
        except cv2.error:  # a header that promises too many pixels
            decoded = None
        if decoded is None:
            raise DataError(f"{self.path}: {name} is not an image that can be decoded", FETCH)
        return np.ascontiguousarray(decoded[:, :, ::-1])
