"""Loader of the German Traffic Sign Recognition Benchmark: one row of `Train.csv` or `Test.csv` is one crop."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from models.classes import CLASS_NAMES
from models.errors import DataError
from models.source import Source

_FIELDS = ("Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId")


@dataclass(frozen=True)
class Crop:
    """One row: image path, pixel box of the sign (left, top, right, bottom; the last two exclusive) and its class."""

    path: str
    box: tuple[int, int, int, int]
    class_id: int

    @property
    def track(self) -> str:
        """The physical sign, `class_track` of the file name class_track_frame; the file's stem in the test set."""
        stem = PurePosixPath(self.path).stem
        return stem.rsplit("_", 1)[0]


def load(source: Source, table: str = "Train.csv") -> list[Crop]:
    """All rows of `table`, checked: labels within 0..42, ROI within the image, image present."""
    rows = csv.DictReader(source.text(table).splitlines())
    missing = {*_FIELDS, "Path"} - set(rows.fieldnames or ())
    if missing:
        raise DataError(f"{source.path}: {table} lacks the column {sorted(missing)[0]}")
    crops = [_parse(source, table, number, row) for number, row in enumerate(rows, start=2)]
    if not crops:
        raise DataError(f"{source.path}: {table} holds no rows")
    return crops


def _parse(source: Source, table: str, number: int, row: dict[str, str]) -> Crop:
    where = f"{source.path}: {table} row {number}"
    try:
        width, height, left, top, right, bottom, class_id = (int(row[field]) for field in _FIELDS)
    except (TypeError, ValueError):
        raise DataError(f"{where}: a number is missing or is not an integer") from None
    path = row["Path"] or ""
    if not 0 <= class_id < len(CLASS_NAMES):
        raise DataError(f"{where}: the label {class_id} is outside 0..{len(CLASS_NAMES) - 1}")
    if not (0 <= left < right < width and 0 <= top < bottom < height):
        raise DataError(f"{where}: the ROI {left},{top},{right},{bottom} is outside its {width}x{height} image")
    if not source.has(path):
        raise DataError(f"{where}: the image {path!r} is missing")
    return Crop(path, (left, top, right + 1, bottom + 1), class_id)


def split_tracks(crops: list[Crop], share: float, seed: int) -> set[str]:
    """The tracks to validate on: `share` of each class's tracks, at least one and never all of them."""
    by_class: dict[int, set[str]] = defaultdict(set)
    for crop in crops:
        by_class[crop.class_id].add(crop.track)
    rng = np.random.default_rng(seed)
    chosen: set[str] = set()
    for class_id in sorted(by_class):
        tracks = sorted(by_class[class_id])
        count = min(max(1, round(share * len(tracks))), len(tracks) - 1)
        chosen.update(str(track) for track in rng.permutation(tracks)[:count])
    return chosen
