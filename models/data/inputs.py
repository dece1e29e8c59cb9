"""Digests of what a training is made from: they go into its plan, so that it is resumed with the same data only."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

from models.data.source import DataSet
from models.errors import DataError

_TABLES = (".csv", ".txt")


def digests(options: Namespace, **sources: DataSet | None) -> dict[str, str]:
    """SHA-256 of each data set's tables, of the earlier models' manifest and of the checkpoint that it starts from."""
    found = {name: source.digest(_TABLES)["sha256"] for name, source in sources.items() if source is not None}
    if options.detector is not None:
        found["earlier models"] = of_file(options.detector / "manifest.json")
    if options.start_from is not None:
        found["start from"] = of_file(options.start_from)
    return found | ({"drawings": "none"} if options.no_drawings else {})


def of_file(path: Path) -> str:
    """SHA-256 of a file. Raises DataError when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})", "check its name and who may read it") from error
