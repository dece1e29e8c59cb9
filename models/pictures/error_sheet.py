"""Sheets of the worst errors: on real data that no training saw, and on the project's own pictures, free to publish."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models import evaluate
from models.classes import CLASS_NAMES
from models.data import gtsdb, gtsrb, splits
from models.data.crops import INPUT_SIZE, as_cropped, load_patches
from models.data.source import DataSet, Image
from models.errors import ModelsError
from models.measuring import detection_scores, sightings
from models.measuring.detection_scores import Detected
from models.pictures import drawings, not_signs, rendered, tiles
from models.pictures.foreign import drawing as foreign
from models.pictures.tiles import Tile
from models.release import shipped

_LEAST_SCORE = 0.2
_ROADS, _DRAWN = 6, 4300


def on_real_data(folder: Path, crops: Path | None, scenes: Path | None) -> Image:
    """RGB. GTSDB at `far`: false boxes that are reported, those of the detector alone, and unsure or missed signs, a
    row each; GTSRB: three rows of crops of the wrong class."""
    models = shipped.load(folder, point="far")
    rows: list[Image] = []
    if scenes is not None:
        source = DataSet(scenes, "gt.txt")
        kept = sightings.unseen(gtsdb.load(source), splits.read(folder / splits.SPLIT_FILE.name))
        reported: list[Tile] = []
        alone: list[Tile] = []
        unsure: list[Tile] = []
        for looked in sightings.look(folder, "far", _proposed_from(models), source, kept):
            picture, names = (
                gtsdb.frame(source, looked.scene),
                [CLASS_NAMES[c] for c in looked.scene.class_ids.tolist()],
            )
            reported += _false_boxes(picture, looked.reported, str(looked.scene.number))
            alone += _false_boxes(picture, looked.alone, str(looked.scene.number))
            unsure += _unsure(picture, looked.reported, [f"{looked.scene.number} {name}" for name in names])
        rows += tiles.rows("false boxes that are reported, surest first", reported, 1)
        rows += tiles.rows("false boxes of the detector alone, most of which the classifier refuses", alone, 1)
        rows += tiles.rows("signs found least surely", unsure, 1)
    if crops is not None:
        rows += tiles.rows("crops read as another class, surest first", _wrong_crops(models, crops), 3)
    return np.vstack(rows)


def on_own_pictures(folder: Path, seed: int) -> Image:
    """RGB: rendered roads (false boxes, and signs found least surely), drawn signs that are read as another class, and
    drawn signs of kinds that no training saw, which are read as one of the 43. Give a seed that no training used.

    Raises:
        ModelsError: the test rig or the drawings are not installed.
    """
    draw = drawings.available()
    if draw is None or not rendered.available():
        raise ModelsError(
            "the sheet needs the project's `hardware` package, which is not installed", "run it in a whole checkout"
        )
    models = shipped.load(folder, score=sightings.WEAKEST, point="far")
    roads = rendered.render(_ROADS, seed)
    false: list[Tile] = []
    unsure: list[Tile] = []
    for picture, corners in zip(roads.frames, roads.corners, strict=True):
        frame = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)
        seen = sightings.seen_by_both(models, frame, _proposed_from(models))
        found = Detected([box.detection for box in seen.reported], corners)
        false += _false_boxes(picture, found, "")
        unsure += _unsure(picture, found, [""] * len(corners), whole=True)
    grounds = not_signs.background_patches(roads.frames, roads.corners, 300, seed)
    rng = np.random.default_rng(seed)
    drawn, labels = drawings.samples(draw, grounds, _DRAWN, rng)
    others = foreign.patches(grounds, _DRAWN // 3, rng, held_out=True)
    misread, taken = _misread(models, drawn, labels), _taken(models, others)
    return np.vstack(
        [
            *tiles.rows(f"false boxes in {len(roads.frames)} frames of rendered roads, surest first", false, 1),
            *tiles.rows("signs on rendered roads, found least surely", unsure, 1),
            *tiles.rows(f"of {len(drawn)} drawn signs, bent and relit: read as another class", misread, 2),
            *tiles.rows(f"of {len(others)} drawn signs of other kinds: taken for one of the 43", taken, 2),
        ]
    )


def _proposed_from(models: shipped.Shipped) -> float:
    return float(models.manifest["detector"]["operating_points"]["far"]["score_proposed"])


def _false_boxes(picture: Image, found: Detected, told: str) -> list[Tile]:
    _, which, _ = detection_scores.assigned(found)
    return [
        (score, tiles.around(picture, np.array([x, y, x + w, y + h])), f"{told} {score:.2f}".strip())
        for (x, y, w, h, score), sign in zip(found.detections, which.tolist(), strict=True)
        if sign == -1 and score > _LEAST_SCORE
    ]


def _unsure(picture: Image, found: Detected, told: Sequence[str], whole: bool = False) -> list[Tile]:
    """Each sign, or each that is wholly in the picture, and how surely it was found."""
    _, _, found_by = detection_scores.assigned(found)
    height, width = picture.shape[:2]
    return [
        (1 - score, tiles.around(picture, box), f"{score:.2f} {name}")
        for box, name, score in zip(found.truth, told, found_by.tolist(), strict=True)
        if not whole or (box[:2].min() >= 0 and box[2] <= width and box[3] <= height)
    ]


def _wrong_crops(models: shipped.Shipped, path: Path) -> list[Tile]:
    source = DataSet(path, *gtsrb.TEST)
    rows = gtsrb.load(source)
    patches = load_patches(source, rows, models.manifest["classifier"]["crop_expand"], INPUT_SIZE)
    return _misread(models, patches, np.array([row.class_id for row in rows], np.int64))


def _misread(models: shipped.Shipped, crops: NDArray[np.uint8], labels: NDArray[np.int64]) -> list[Tile]:
    """Crops (N x 48 x 48 x 3) whose likeliest class is not their label."""
    said = evaluate.answers(models.classifier, crops).probabilities
    found: list[Tile] = []
    for index in np.flatnonzero(said.argmax(1) != labels).tolist():
        best = int(said[index].argmax())
        told = f"{CLASS_NAMES[int(labels[index])]} > {CLASS_NAMES[best]}"
        found.append((float(said[index, best]), tiles.enlarged(crops[index]), told))
    return found


def _taken(models: shipped.Shipped, patches: NDArray[np.uint8]) -> list[Tile]:
    """Patches (N x 64 x 64 x 3) without one of the 43 that are not refused."""
    crops = np.stack([as_cropped(patch) for patch in patches])
    said = evaluate.answers(models.classifier, crops)
    found: list[Tile] = []
    for index in np.flatnonzero(said.not_a_sign < models.manifest["classifier"]["not_a_sign"]).tolist():
        best = int(said.probabilities[index].argmax())
        told = f"{said.probabilities[index, best]:.2f} {CLASS_NAMES[best]}"
        found.append((float(said.probabilities[index, best]), tiles.enlarged(crops[index]), told))
    return found
