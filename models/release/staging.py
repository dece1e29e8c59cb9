"""A folder's files replaced at the end, one right after the other: an interruption before leaves them as they are."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A copy of `folder` (its plain files) to work in; its files replace the folder's when the block ends well.

    The folder is made where it is not there. Raises OSError as the file system does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
        copy = Path(made)
        for file in folder.iterdir():
            if file.is_file():
                shutil.copy2(file, copy)
        yield copy
        for file in copy.iterdir():
            if file.is_file():
                file.replace(folder / file.name)
