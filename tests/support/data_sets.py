"""Small data sets in the layouts of GTSRB's and GTSDB's publishers, and other packings of them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hardware import signs
from models.data import gtsdb

FIELDS = ("Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId")
SUFFIXES = (".ppm", ".png", ".jpg", ".webp")
Sign = tuple[int, int, int, int]
"""Left, top, side in pixels, class."""


def encoded(picture: NDArray[np.uint8], suffix: str) -> bytes:
    done, data = cv2.imencode(suffix.lower(), np.ascontiguousarray(picture[:, :, ::-1]))
    assert done
    return data.tobytes()


def road(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """A smooth RGB picture of greys and greens."""
    coarse = np.random.default_rng(seed).integers(60, 150, (6, 9, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def with_sign(picture: NDArray[np.uint8], left: int, top: int, side: int, class_id: int) -> NDArray[np.uint8]:
    face = signs.draw(class_id, side)
    place = picture[top : top + side, left : left + side]
    place[:] = np.where(face[:, :, 3:] > 127, face[:, :, :3], place)
    return picture


def crop_picture(class_id: int, seed: int) -> NDArray[np.uint8]:
    """44 x 48 pixels, the sign from (6, 4) to (39, 37)."""
    return with_sign(road(44, 48, seed), 6, 4, 34, class_id)


def table(names: Sequence[str], classes: Sequence[int], column: str, mark: str) -> str:
    rows = [["48", "44", "6", "4", "39", "37", str(c), name] for name, c in zip(names, classes, strict=True)]
    if column == "Filename":  # the publisher's order: name first, class last
        return "".join(mark.join([row[-1], *row[:-1]]) + "\n" for row in [[*FIELDS, column], *rows])
    return "".join(mark.join(row) + "\n" for row in [[*FIELDS, column], *rows])


def common(folder: Path, part: str, classes: Sequence[int], suffix: str = ".png") -> Path:
    """`Train.csv` or `Test.csv` with the pictures below it."""
    names = [
        f"Train/{c}/{c:05d}_{n:05d}_00000{suffix}" if part == "Train" else f"Test/{n:05d}{suffix}"
        for n, c in enumerate(classes)
    ]
    for number, (name, class_id) in enumerate(zip(names, classes, strict=True)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encoded(crop_picture(class_id, number), suffix))
    (folder / f"{part}.csv").write_text(table(names, classes, "Path", ","))
    return folder


def final_test(folder: Path, classes: Sequence[int], suffix: str = ".ppm") -> Path:
    """The publisher's test set: GT-final_test.csv beside its pictures."""
    images = folder / "GTSRB" / "Final_Test" / "Images"
    images.mkdir(parents=True)
    names = [f"{number:05d}{suffix}" for number in range(len(classes))]
    for number, (name, class_id) in enumerate(zip(names, classes, strict=True)):
        (images / name).write_bytes(encoded(crop_picture(class_id, number), suffix))
    (images / "GT-final_test.csv").write_text(table(names, classes, "Filename", ";"))
    return folder


def final_training(folder: Path, classes: Sequence[int], tracks: int = 2) -> Path:
    """The publisher's training set: a folder and a table for each class, every track with its own numbers."""
    for class_id in classes:
        place = folder / "GTSRB" / "Final_Training" / "Images" / f"{class_id:05d}"
        place.mkdir(parents=True)
        names = [f"{track:05d}_{frame:05d}.ppm" for track in range(tracks) for frame in range(2)]
        for name in names:
            (place / name).write_bytes(encoded(crop_picture(class_id, 0), ".ppm"))
        (place / f"GT-{class_id:05d}.csv").write_text(table(names, [class_id] * len(names), "Filename", ";"))
    return folder


def frames(folder: Path, scenes: dict[int, Sequence[Sign]], suffix: str = ".ppm", named: str | None = None) -> Path:
    """GTSDB: road frames with the signs pasted, and gt.txt, which calls them `named`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, pasted in scenes.items():
        picture = road(gtsdb.HEIGHT, gtsdb.WIDTH, number)
        for left, top, side, class_id in pasted:
            with_sign(picture, left, top, side, class_id)
            rows.append(f"{number:05d}{named or suffix};{left};{top};{left + side};{top + side};{class_id}\n")
        (folder / f"{number:05d}{suffix}").write_bytes(encoded(picture, suffix))
    (folder / "gt.txt").write_text("".join(rows))
    return folder


def as_folder(folder: Path, tmp_path: Path) -> Path:
    return folder


def as_zip(folder: Path, tmp_path: Path) -> Path:
    return zipped(folder, tmp_path / "flat.zip", "")


def as_zip_with_a_top_folder(folder: Path, tmp_path: Path) -> Path:
    return zipped(folder, tmp_path / "top.zip", "data/")


def in_a_folder(folder: Path, tmp_path: Path) -> Path:
    (tmp_path / "outer").mkdir()
    return folder.rename(tmp_path / "outer" / folder.name).parent


def zipped(folder: Path, path: Path, top: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(folder.rglob("*")):
            archive.write(place, top + place.relative_to(folder).as_posix())
    return path


publishers = pytest.mark.parametrize("packed", [as_folder, as_zip, as_zip_with_a_top_folder])
packings = pytest.mark.parametrize("packed", [as_folder, in_a_folder, as_zip, as_zip_with_a_top_folder])
Packing = Callable[[Path, Path], Path]
