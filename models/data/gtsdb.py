"""Loader of the German Traffic Sign Detection Benchmark: road scenes, and `gt.txt` with one box a line."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from models.classes import CLASS_NAMES
from models.data.source import FETCH, DataSet, Image
from models.errors import DataError

WIDTH, HEIGHT = 1360, 800
_OVERLAP = "overlap_with_gtsrb.csv"
_MEND_LIST = f"correct {_OVERLAP}, or move it away"
_CORRECT = "correct that row, or fetch the data set again"
_SUFFIXES = (".webp", ".ppm", ".png", ".jpg", ".jpeg")
_FRAME = r"00[0-8]\d\d(" + "|".join(map(re.escape, _SUFFIXES)) + ")"


@dataclass(frozen=True)
class RoadFrame:
    """One frame: its file name, corners of its signs (N x 4: left, top, right, bottom) and their classes (N)."""

    name: str
    corners: NDArray[np.float32]
    class_ids: NDArray[np.int64]

    @property
    def number(self) -> int:
        """The frame's number: 17 for 00017.webp."""
        return int(PurePosixPath(self.name).stem)


def load(source: DataSet) -> list[RoadFrame]:
    """All frames that are there, those without a sign too; every row of `gt.txt` is checked."""
    files: dict[str, str] = {}
    for name in source.names():
        if re.fullmatch(_FRAME, name, re.IGNORECASE):
            stem = PurePosixPath(name).stem
            if stem in files:
                raise DataError(
                    f"{source.path}: the frame {stem} is there twice, as {files[stem]} and {name}", "remove one of them"
                )
            files[stem] = name
    if not files:
        raise DataError(f"{source.path}: holds no frame 00000 to 00899 as {', '.join(_SUFFIXES)}", FETCH)
    rows: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for number, line in enumerate(source.text("gt.txt").splitlines(), start=1):
        if line.strip():
            name, row = _parse(source, number, line)
            stem = PurePosixPath(name).stem
            if stem not in files:
                raise DataError(f"{source.path}: gt.txt row {number}: the frame {name} is missing", FETCH)
            rows[stem].append(row)
    return [_scene(name, rows.get(stem, [])) for stem, name in sorted(files.items())]


def _parse(source: DataSet, number: int, line: str) -> tuple[str, tuple[int, ...]]:
    where = f"{source.path}: gt.txt row {number}"
    name, *fields = line.strip().split(";")
    try:
        left, top, right, bottom, class_id = (int(field) for field in fields)
    except ValueError:
        raise DataError(f"{where}: not 'file;left;top;right;bottom;class' with five integers", _CORRECT) from None
    if not re.fullmatch(r"\d{5}\.\w+", name):
        raise DataError(f"{where}: {name!r} is not a frame's file name", _CORRECT)
    if not 0 <= class_id < len(CLASS_NAMES):
        raise DataError(f"{where}: the label {class_id} is outside 0..{len(CLASS_NAMES) - 1}", _CORRECT)
    if not (0 <= left < right <= WIDTH and 0 <= top < bottom <= HEIGHT):
        raise DataError(
            f"{where}: the box {left},{top},{right},{bottom} is outside the {WIDTH}x{HEIGHT} frame", _CORRECT
        )
    return name, (left, top, right, bottom, class_id)


def _scene(name: str, rows: Sequence[tuple[int, ...]]) -> RoadFrame:
    table = np.array(rows, np.int64).reshape(-1, 5)
    return RoadFrame(name, table[:, :4].astype(np.float32), table[:, 4])


def frame(source: DataSet, scene: RoadFrame) -> Image:
    """The scene's picture, RGB."""
    image = source.image(scene.name)
    if image.shape != (HEIGHT, WIDTH, 3):
        raise DataError(
            f"{source.path}: {scene.name} is {image.shape[1]}x{image.shape[0]}, not {WIDTH}x{HEIGHT}", FETCH
        )
    return image


def has_overlap_list(source: DataSet) -> bool:
    """Whether it is known which frames and boxes are GTSRB crops as well. The publishers do not ship such a list."""
    return source.has(_OVERLAP)


def shared_tracks(source: DataSet) -> dict[int, set[str]]:
    """Frame number -> GTSRB training tracks that were cut from it, by the overlap list (empty without one)."""
    tracks: dict[int, set[str]] = defaultdict(set)
    if not source.has(_OVERLAP):
        return tracks
    for number, row in enumerate(csv.DictReader(source.text(_OVERLAP).splitlines()), start=2):
        try:
            scene, path = int(PurePosixPath(row["gtsdb_image"]).stem), PurePosixPath(row["best_gtsrb_file"])
            top = path.parts[0]
        except (KeyError, TypeError, ValueError, IndexError):
            raise DataError(
                f"{source.path}: {_OVERLAP} row {number}: no frame number or no file name", _MEND_LIST
            ) from None
        if top == "Train":
            tracks[scene].add(path.stem.rsplit("_", 1)[0])
    return tracks


def shared_boxes(source: DataSet) -> dict[int, list[tuple[int, int]]]:
    """Frame number -> left top corners of the boxes that are GTSRB crops too, by the overlap list (empty without one).

    Raises:
        DataError: a row of the list is not what it must be.
    """
    boxes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    if not source.has(_OVERLAP):
        return boxes
    for number, row in enumerate(csv.DictReader(source.text(_OVERLAP).splitlines()), start=2):
        try:
            scene = int(PurePosixPath(row["gtsdb_image"]).stem)
            boxes[scene].append((int(row["left"]), int(row["top"])))
        except (KeyError, TypeError, ValueError):
            raise DataError(
                f"{source.path}: {_OVERLAP} row {number}: no frame number or no corner", _MEND_LIST
            ) from None
    return boxes


def split_frames(scenes: Sequence[RoadFrame], tracks: dict[int, set[str]], share: float, seed: int) -> set[int]:
    """Numbers of the frames to validate on: about `share` of them, and no known track has frames on both sides."""
    group = {scene.number: scene.number for scene in scenes}
    first_of: dict[str, int] = {}
    for number in sorted(group):
        for track in sorted(tracks.get(number, ())):
            old, new = group[number], group[first_of.setdefault(track, number)]
            group = {member: new if leader == old else leader for member, leader in group.items()}
    leaders = sorted(set(group.values()))
    order = np.random.default_rng(seed).permutation(leaders)
    chosen: set[int] = set()
    for leader in order.tolist():
        if len(chosen) >= share * len(group):
            break
        chosen.update(member for member, owner in group.items() if owner == leader)
    return chosen
