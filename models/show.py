"""Command line: `python -m models.show augmentation|negatives|errors|failures --out FILE`: labelled sheets of pictures.

`augmentation` shows scenes and classifier crops as weather, lens and codec leave them. They are frames of the test rig
and the project's own drawings, or real ones where `--gtsdb` and `--gtsrb` are given. `negatives` shows every kind of
sign outside the 43 classes. `errors` shows the shipped models' worst errors on the data sets given, `failures` those on
rendered roads and drawn signs, which may be published. Exit status 2 and one sentence when the data or the usage is
wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

import program
from device.perception.classify import crop
from hardware import signs
from models.data import gtsdb, gtsrb
from models.data.crops import CROP_EXPAND, INPUT_SIZE, load_patches
from models.data.source import DataSet, Image
from models.errors import DataError, ModelsError
from models.pictures import augment, error_sheet, rendered
from models.pictures.drawings import over
from models.pictures.foreign import drawing as foreign
from models.pictures.scenes import SIZE
from models.release import shipped
from program import outputs
from program.arguments import new_parser, place, whole

Change = Callable[[Image, Generator], Image]

_CELL = 192
_ENLARGED = 2  # scenes; crops are enlarged to the cell
_ROWS = 3  # of scenes, and of crops
_DRAWS = 8
_GAP, _LABEL = 4, 20
_PAPER, _INK, _GROUND = 255, (30, 30, 30), (126, 138, 126)
_DARKENING = {"dusk", "backlit"}
_CLASSES = (2, 14, 25)  # of the drawings: a speed limit, stop, road works

SCENE_CHANGES: dict[str, Change] = {
    "original": lambda image, rng: image,
    "dusk": augment.dusk,
    "backlit": augment.backlit,
    "rain": augment.rain,
    "compressed": partial(augment.compressed, worst=30),
    "blur": partial(augment.blur, most=1.3),
    "noise": augment.noise,
    "small video": partial(augment.far, least=SIZE * 2 // 5, most=SIZE * 9 // 10),
}
"""The changes with the strengths that `models.pictures.scenes` trains the detector on."""

CROP_CHANGES: dict[str, Change] = {
    **SCENE_CHANGES,
    "compressed": augment.compressed,
    "blur": partial(augment.blur, most=1.6),
    "small video": partial(augment.small_video, least=20, most=44),
}
"""The same with the strengths that `models.data.crops` trains the classifier on."""


def augmentation(scenes: Sequence[Image], crops: Sequence[Image], seed: int) -> Image:
    """A sheet: a column for each change, a row for each scene and each crop, both enlarged.

    Args:
        scenes: SIZE x SIZE x 3, RGB; the middle is shown.
        crops: 48 x 48 x 3, RGB.
        seed: a cell is the strongest of some random draws, as most are too mild to be seen in a sheet; of the
            changes that darken the picture it is the median draw, since the strongest leaves nothing to see.
    """
    rows = [_titles(list(SCENE_CHANGES))]
    start, extent = (SIZE - _CELL // _ENLARGED) // 2, _CELL // _ENLARGED
    middle = slice(start, start + extent), slice(start, start + extent)
    whole = slice(None), slice(None)
    for index, scene in enumerate(scenes):
        rows.append(_in_row(_changed(scene, SCENE_CHANGES, middle, [seed, 0, index])))
    for index, picture in enumerate(crops):
        rows.append(_in_row(_changed(picture, CROP_CHANGES, whole, [seed, 1, index])))
    return np.vstack(rows)


def negatives(seed: int, drawn: int = 3, columns: int = 6, side: int = 54) -> Image:
    """A sheet of `foreign.KINDS`, each drawn a few times; a star marks the kinds that are held out."""
    cells = []
    for number, kind in enumerate(foreign.KINDS):
        cell = np.full((side + 24, drawn * (side + 4) + 8, 3), _GROUND, np.uint8)
        for index in range(drawn):
            left = 4 + index * (side + 4)
            square = cell[20 : 20 + side, left : left + side]
            square[:] = over(foreign.draw(kind, side, np.random.default_rng([seed, number, index])), square)
        _write(cell, kind.name + (" *" if kind.held_out else ""), (4, 14), 0.4, (255, 255, 255))
        cells.append(cell)
    cells += [np.full_like(cells[0], _GROUND)] * (-len(cells) % columns)
    return np.vstack([np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)])


def _changed(image: Image, changes: dict[str, Change], shown: tuple[slice, slice], seed: list[int]) -> list[Image]:
    """The `shown` part of the image after each change."""
    made = []
    for number, (name, change) in enumerate(changes.items()):
        rng = np.random.default_rng([*seed, number])
        draws = [change(image, rng)[shown] for _ in range(_DRAWS)]
        draws.sort(key=lambda drawn: float(cv2.absdiff(drawn, image[shown]).mean()))
        made.append(draws[_DRAWS // 2 if name in _DARKENING else -1])
    return made


def _in_row(images: Sequence[Image]) -> Image:
    cells = [cv2.resize(image, (_CELL, _CELL), interpolation=cv2.INTER_NEAREST) for image in images]
    padded = [cv2.copyMakeBorder(c, 0, _GAP, 0, _GAP, cv2.BORDER_CONSTANT, value=(_PAPER,) * 3) for c in cells]
    return np.asarray(np.hstack(padded), np.uint8)


def _titles(names: Sequence[str]) -> Image:
    row = np.full((_LABEL, len(names) * (_CELL + _GAP), 3), _PAPER, np.uint8)
    for index, name in enumerate(names):
        _write(row, name, (index * (_CELL + _GAP) + 4, 15), 0.5, _INK)
    return row


def _write(image: Image, text: str, place: tuple[int, int], scale: float, colour: tuple[int, int, int]) -> None:
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def _around(frame: Image, box: NDArray[np.float32], scale: float) -> Image:
    """The SIZE x SIZE piece of a frame that has the box in its middle, or as near to it as the frame allows."""
    scaled = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    limits = np.array(scaled.shape[1::-1]) - SIZE
    x, y = np.clip((box[:2] + box[2:]) / 2 * scale - SIZE / 2, 0, limits).astype(int)
    return np.ascontiguousarray(scaled[y : y + SIZE, x : x + SIZE])


def _pieces(
    frames: Sequence[Image], corners: Sequence[NDArray[np.float32]], scale: float, rng: Generator
) -> list[Image]:
    """Pieces around signs of 25 to 60 pixels, the signs apart from the frame's edge."""
    found = []
    for frame, boxes in zip(frames, corners, strict=True):
        sides = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0) * scale
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2 * scale
        limits = np.array(frame.shape[1::-1]) * scale - SIZE / 3
        usable = (sides > 25) & (sides < 60) & (middles > SIZE / 3).all(1) & (middles < limits).all(1)
        found += [(frame, box) for box in boxes[usable][:1]]
    if len(found) < _ROWS:
        raise DataError(
            f"{len(found)} frames show a sign of 25 to 60 pixels, {_ROWS} are needed",
            "give a larger data set with --gtsdb",
        )
    return [_around(*found[int(index)], scale) for index in rng.choice(len(found), _ROWS, replace=False)]


def _scenes(path: Path | None, seed: int) -> list[Image]:
    rng = np.random.default_rng(seed)
    if path is None:
        if not rendered.available():
            raise DataError("the test rig is not installed here", "give --gtsdb a folder or a zip")
        road = rendered.render(1, seed)
        return _pieces(road.frames, road.corners, rendered.SCALE, rng)
    source = DataSet(path, "gt.txt")
    marked = [scene for scene in gtsdb.load(source) if len(scene.corners)]
    chosen = [marked[int(index)] for index in rng.permutation(len(marked))[:40]]
    return _pieces([gtsdb.frame(source, scene) for scene in chosen], [scene.corners for scene in chosen], 1.0, rng)


def _crops(path: Path | None, scenes: Sequence[Image], seed: int) -> list[Image]:
    if path is None:
        return [_on_ground(signs.draw(kind, 128), scene) for kind, scene in zip(_CLASSES, scenes, strict=True)]
    source = DataSet(path, *gtsrb.TRAIN)
    large = [row for row in gtsrb.load(source) if row.box[2] - row.box[0] > INPUT_SIZE]
    order = np.random.default_rng(seed).permutation(len(large))
    of_class = {large[int(index)].class_id: large[int(index)] for index in order}
    return list(load_patches(source, list(of_class.values())[:_ROWS], CROP_EXPAND, INPUT_SIZE))


def _on_ground(face: NDArray[np.uint8], scene: Image) -> Image:
    """A classifier crop of a drawn face before a corner of a scene."""
    side = face.shape[0]
    ground = scene[: 2 * side, : 2 * side].copy()
    square = ground[side // 2 : side // 2 + side, side // 2 : side // 2 + side]
    square[:] = over(face, square)
    return crop(ground, (side / 2, side / 2, side, side), CROP_EXPAND, (INPUT_SIZE, INPUT_SIZE))


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    result = new_parser(prog="python -m models.show", description=(__doc__ or "").splitlines()[0])
    result.add_argument("sheet", choices=["augmentation", "negatives", "errors", "failures"])
    result.add_argument("--out", required=True, type=place, help="picture to write, .jpg or .png")
    result.add_argument("--gtsdb", type=place, help="GTSDB; augmentation: for real scenes")
    result.add_argument("--gtsrb", type=place, help="GTSRB; augmentation: for real crops")
    result.add_argument("--seed", type=whole(0, 2**31), default=1)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes one sheet; returns the exit status."""
    return program.run("python -m models.show", lambda: _work(arguments))


def _work(arguments: Sequence[str] | None = None) -> int | None:
    options = parser().parse_args(arguments)
    _save(_sheet(options), options.out)
    return 0


def _sheet(options: argparse.Namespace) -> Image:
    if options.sheet == "negatives":
        return negatives(options.seed)
    if options.sheet == "errors":
        if options.gtsdb is None and options.gtsrb is None:
            raise ModelsError("errors are shown on real data only", "give --gtsdb, --gtsrb or both")
        return error_sheet.on_real_data(shipped.ARTIFACTS, options.gtsrb, options.gtsdb)
    if options.sheet == "failures":
        return error_sheet.on_own_pictures(shipped.ARTIFACTS, 1000 + options.seed)
    scenes = _scenes(options.gtsdb, options.seed)
    return augmentation(scenes, _crops(options.gtsrb, scenes, options.seed), options.seed)


def _save(sheet: Image, path: Path) -> None:
    kind = path.suffix.lower()
    if kind not in (".jpg", ".png"):
        raise ModelsError(
            f"{path}: a sheet is not written as {kind or 'a file without an ending'}", "end the name in .jpg or .png"
        )
    quality = [cv2.IMWRITE_JPEG_QUALITY, 70] if kind == ".jpg" else []
    data = cv2.imencode(kind, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), quality)[1]
    outputs.write(path, data.tobytes())


if __name__ == "__main__":
    sys.exit(main())
