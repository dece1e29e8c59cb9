"""Loader of the German Traffic Sign Recognition Benchmark: one row of `Train.csv` or `Test.csv` is one crop."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from models.classes import CLASS_NAMES
from models.data.source import FETCH, DataSet, Image
from models.errors import DataError

_CORRECT = "correct that row, or fetch the data set again"
_FIELDS = ("Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId")


@dataclass(frozen=True)
class Crop:
    """One row: image path, pixel box of the sign (left, top, right, bottom; the last two exclusive), its class, the
    image's height and width, and where the row stands."""

    path: str
    box: tuple[int, int, int, int]
    class_id: int
    shape: tuple[int, int] = (0, 0)
    where: str = field(default="", compare=False)

    @property
    def track(self) -> str:
        """The physical sign, class and track, from the names of folder and file; the file's stem in the test set."""
        path = PurePosixPath(self.path)
        track = path.stem.rsplit("_", 1)[0]
        return f"{path.parent.name}_{track}" if re.fullmatch(r"\d{5}/\d{5}", f"{path.parent.name}/{track}") else track


TRAIN = ("Train.csv", "00000/GT-00000.csv")
"""What proves the training set: one table for all, or the publisher's one table for each class."""

TEST = ("Test.csv", "GT-final_test.csv")
"""What proves the test set: the common table, or the publisher's own."""

_FINAL_TEST = "GTSRB/Final_Test/Images/"
"""Where the publisher's zip of the test images unpacks; its zip of the table unpacks beside `GTSRB`."""


def load(source: DataSet) -> list[Crop]:
    """All rows of the set, checked: labels within 0..42, ROI within the image, image present.

    The publisher's training set has a folder and a table for each class: 00014/GT-00014.csv.
    """
    if source.marker == TRAIN[1]:
        folders = sorted({name[:6] for name in source.names() if re.match(r"\d{5}/", name)})
        return [crop for folder in folders for crop in _table(source, f"{folder}GT-{folder[:5]}.csv", folder)]
    apart = source.marker == TEST[1] and any(name.startswith(_FINAL_TEST) for name in source.names())
    return _table(source, source.marker, _FINAL_TEST if apart else "")


def _table(source: DataSet, table: str, folder: str) -> list[Crop]:
    lines = source.text(table).splitlines()
    rows = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    name = "Path" if "Path" in (rows.fieldnames or ()) else "Filename"
    missing = {*_FIELDS, name} - set(rows.fieldnames or ())
    if missing:
        raise DataError(f"{source.path}: {table} lacks the column {sorted(missing)[0]}", FETCH)
    try:
        crops = [_parse(source, table, rows.line_num, row, folder + (row[name] or "")) for row in rows]
    except csv.Error as error:
        raise DataError(
            f"{source.path}: {table} row {rows.line_num + 1}: cannot be read ({error})", _CORRECT
        ) from error
    if not crops:
        raise DataError(f"{source.path}: {table} holds no rows", FETCH)
    return crops


def _parse(source: DataSet, table: str, number: int, row: dict[str, str], path: str) -> Crop:
    where = f"{source.path}: {table} row {number}"
    try:
        width, height, left, top, right, bottom, class_id = (int(row[field]) for field in _FIELDS)
    except (TypeError, ValueError):
        raise DataError(f"{where}: a number is missing or is not an integer", _CORRECT) from None
    if not 0 <= class_id < len(CLASS_NAMES):
        raise DataError(f"{where}: the label {class_id} is outside 0..{len(CLASS_NAMES) - 1}", _CORRECT)
    if not (0 <= left < right < width and 0 <= top < bottom < height):
        raise DataError(
            f"{where}: the ROI {left},{top},{right},{bottom} is outside its {width}x{height} image", _CORRECT
        )
    if not source.has(path):
        raise DataError(f"{where}: the image {path!r} is missing", FETCH)
    return Crop(path, (left, top, right + 1, bottom + 1), class_id, (height, width), where)


def image(source: DataSet, crop: Crop) -> Image:
    """The row's picture, RGB; its size must be what the row says, or the ROI would mean nothing."""
    try:
        picture = source.image(crop.path)
    except DataError as error:
        raise DataError(f"{crop.where}: {error.sentence}", error.remedy) from error
    if picture.shape[:2] != crop.shape:
        high, wide = picture.shape[:2]
        said = f"{crop.shape[1]}x{crop.shape[0]}"
        raise DataError(f"{crop.where}: the image {crop.path!r} is {wide}x{high}, not {said} as the row says", FETCH)
    return picture


def split_tracks(crops: list[Crop], share: float, seed: int) -> set[str]:
    """The tracks to validate on: `share` of each class's tracks, at least one of two or more, and never all of them."""
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
