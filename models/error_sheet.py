"""A sheet of the worst errors on data that no training saw: false boxes, missed signs, crops of the wrong class."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models import detection_scores, evaluate, gtsdb, gtsrb, shipped, sightings, splits
from models.classes import CLASS_NAMES
from models.crops import INPUT_SIZE, load_patches
from models.detection_scores import Found
from models.source import Image, Source

_CELL, _COLUMNS, _LABEL = 120, 12, 26
_LEAST_SCORE = 0.2
_PAPER, _INK, _BOX = 255, (30, 30, 30), (0, 220, 0)

Tile = tuple[float, Image, str]
"""How bad it is, the picture, and what is written below."""


def sheet(folder: Path, crops: Path | None, scenes: Path | None) -> Image:
    """RGB. GTSDB at `far`: false boxes that are reported, those that the classifier refused, and missed or unsure
    signs, a row each; GTSRB: three rows of crops of the wrong class."""
    models = shipped.load(folder, point="far")
    rows: list[Image] = []
    if scenes is not None:
        source = Source(scenes, "gt.txt")
        kept = sightings.unseen(gtsdb.load(source), splits.read(folder / splits.SPLIT_FILE.name))
        proposed_from = float(models.manifest["detector"]["operating_points"]["far"]["score_proposed"])
        looked = sightings.look(folder, "far", proposed_from, source, kept)
        reported = [tile for one in looked for tile in _false_boxes(source, one.scene, one.reported)]
        alone = [tile for one in looked for tile in _false_boxes(source, one.scene, one.alone)]
        unsure = [tile for one in looked for tile in _unsure(source, one)]
        rows += _rows("false boxes that are reported, surest first", reported, 1)
        rows += _rows("false boxes of the detector alone, most of which the classifier refuses", alone, 1)
        rows += _rows("signs found least surely", unsure, 1)
    if crops is not None:
        rows += _rows("crops read as another class, surest first", _classifier_errors(models, crops), 3)
    return np.vstack(rows)


def _false_boxes(source: Source, scene: gtsdb.Scene, found: Found) -> list[Tile]:
    _, which, _ = detection_scores.assigned(found)
    picture, tiles = gtsdb.frame(source, scene), []
    for (x, y, w, h, score), sign in zip(found.detections, which.tolist(), strict=True):
        if sign == -1 and score > _LEAST_SCORE:
            tile = _around(picture, np.array([x, y, x + w, y + h]))
            tiles.append((score, tile, f"{scene.number} {score:.2f}"))
    return tiles


def _unsure(source: Source, one: sightings.Looked) -> list[Tile]:
    _, _, found_by = detection_scores.assigned(one.reported)
    picture, tiles = gtsdb.frame(source, one.scene), []
    for box, class_id, score in zip(one.scene.corners, one.scene.class_ids, found_by.tolist(), strict=True):
        told = f"{one.scene.number} {score:.2f} {CLASS_NAMES[int(class_id)]}"
        tiles.append((1 - score, _around(picture, box), told))
    return tiles


def _classifier_errors(models: shipped.Shipped, path: Path) -> list[Tile]:
    source = Source(path, *gtsrb.TEST)
    rows = gtsrb.load(source)
    patches = load_patches(source, rows, models.manifest["classifier"]["crop_expand"], INPUT_SIZE)
    said = evaluate.answers(models.classifier, patches).probabilities
    wrong = np.flatnonzero(said.argmax(1) != [row.class_id for row in rows])
    tiles: list[Tile] = []
    for index in wrong.tolist():
        best = int(said[index].argmax())
        told = f"{CLASS_NAMES[rows[index].class_id]} > {CLASS_NAMES[best]}"
        picture = np.asarray(cv2.resize(patches[index], (_CELL, _CELL), interpolation=cv2.INTER_NEAREST), np.uint8)
        tiles.append((float(said[index, best]), picture, told))
    return tiles


def _around(frame: Image, box: NDArray[np.floating]) -> Image:
    """The box in its surroundings, drawn in."""
    middle, reach = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) * 1.2
    left, top = np.floor(middle - reach).astype(int).tolist()
    side = max(2, int(np.ceil(2 * reach)))
    room = side + 8
    padded = cv2.copyMakeBorder(frame, room, room, room, room, cv2.BORDER_CONSTANT, value=(128,) * 3)
    x, y = max(0, left + room), max(0, top + room)
    piece = cv2.resize(np.ascontiguousarray(padded[y : y + side, x : x + side]), (_CELL, _CELL))
    scale = _CELL / side
    corners = np.round((np.asarray(box) - [left, top, left, top]) * scale).astype(int).tolist()
    cv2.rectangle(piece, tuple(corners[:2]), tuple(corners[2:]), _BOX, 1)
    return np.asarray(piece, np.uint8)


def _rows(title: str, tiles: list[Tile], count: int) -> list[Image]:
    width = _COLUMNS * _CELL
    head = np.full((_LABEL, width, 3), _PAPER, np.uint8)
    cv2.putText(head, f"{title} ({len(tiles)})", (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, _INK, 1, cv2.LINE_AA)
    rows = [head]
    worst = sorted(tiles, key=lambda tile: -tile[0])[: count * _COLUMNS]
    for start in range(0, len(worst), _COLUMNS):
        row = np.full((_CELL + _LABEL, width, 3), _PAPER, np.uint8)
        for column, (_, picture, told) in enumerate(worst[start : start + _COLUMNS]):
            left = column * _CELL
            row[:_CELL, left : left + _CELL] = picture
            for line, text in enumerate((told[:19], told[19:38])):
                place = (left + 2, _CELL + 11 + 12 * line)
                cv2.putText(row, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.33, _INK, 1, cv2.LINE_AA)
        rows.append(row)
    return rows
