"""Training of the detector on GTSDB scenes with pasted GTSRB signs, drawings and panels, in two stages: the
second stage also looks at what the first mistook for signs (hard negatives: Shrivastava et al., CVPR 2016)."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from models.classes import CLASS_NAMES
from models.data import gtsdb, gtsrb, inputs, splits
from models.data.crops import load_patches
from models.data.source import DataSet
from models.errors import DataError
from models.pictures import drawings, paste, rendered
from models.pictures.scenes import SIZE, Background, Extras, sample
from models.release import shipped
from models.training import checkpoint, loop, mistakes, targets
from models.training.loop import TrainingPlan, fit
from models.training.nets import DetectorNet

Batch = tuple[Tensor, targets.Targets]

_PLAIN = 0.4
"""Share of the second stage's samples that are neither pasted into nor degraded (as the last epochs of YOLOX, 2021)."""


def run(options: Namespace) -> None:
    """Loads the data and trains."""
    source = DataSet(options.data, "gt.txt")
    scenes = splits.trainable(gtsdb.load(source))
    if not scenes:
        raise DataError(
            f"{source.path}: holds no frame below {splits.TRAINING_FRAMES}, none to train on",
            "give the whole data set with --data",
        )
    shared = gtsdb.shared_tracks(source)
    if doubt := splits.doubt(source):
        print(doubt, file=sys.stderr)
    crops = DataSet(options.crops, *gtsrb.TRAIN) if options.crops else None
    rows = gtsrb.load(crops) if crops else []
    split = splits.draw(rows, scenes, shared)
    if crops:
        splits.write(split, options.out / "split.json")
    kept = [scene for scene in scenes if scene.number not in split.frames]
    if not any(len(scene.corners) for scene in kept):
        raise DataError(
            f"{source.path}: less the frames for validation, no frame with a sign is left to train on",
            "give the whole data set with --data",
        )
    ground = load_ground(source, kept)
    signs = _cutouts(crops, [row for row in rows if row.track not in split.tracks]) if crops else _own_cutouts(ground)
    draw = None if options.no_drawings else drawings.available()
    drawn = [drawings.tight(draw(c, 160)) for c in range(len(CLASS_NAMES))] if draw else []
    panels = paste.code_panels(150, options.seed) + paste.plain_panels(80, options.seed)
    extras = Extras(signs, drawn, panels)
    grounds = [ground]
    if draw and rendered.available():
        grounds = [replace(ground, share=0.88), _rendered_ground(options.seed)]
    made_from = inputs.digests(options, data=source, crops=crops)
    plan = TrainingPlan(
        "detector",
        options.steps or 13000,
        16,
        options.rate or 2.5e-3,
        options.seed,
        average=0.999,
        inputs=made_from,
    )
    first_path, path = options.out / "detector-first.pt", options.out / "detector.pt"
    if not (options.resume and loop.steps_done(first_path, plan) == plan.steps):
        resumes = options.resume and first_path.is_file()
        _stage(plan, grounds, extras, first_path, resumes, options.start_from)
    second = replace(
        plan,
        steps=max(1, plan.steps * 5 // 13),
        rate=plan.rate * 0.4,
        seed=plan.seed + 1,
        inputs=made_from | {"first stage": inputs.of_file(first_path)},
    )
    network = DetectorNet()
    checkpoint.fill(network, first_path, "detector")
    classifier = shipped.load(options.detector).classifier if options.detector else None
    found = mistakes.find(network, ground, classifier)
    print(f"{len(found.mistaken)} mistakes, {sum(map(len, found.doubtful))} signs without a label", flush=True)
    grounds[0] = replace(grounds[0], mistaken=found.mistaken, doubtful=found.doubtful)
    going_on = options.resume and loop.steps_done(path, second) > 0
    _stage(second, grounds, replace(extras, plain=_PLAIN), path, going_on, first_path)


def _stage(
    plan: TrainingPlan,
    grounds: Sequence[Background],
    extras: Extras,
    path: Path,
    resumes: bool,
    start_from: Path | None,
) -> None:
    fit(DetectorNet(), plan, lambda step: batch_of(grounds, extras, plan, step), loss_of, path, resumes, start_from)


def load_ground(source: DataSet, scenes: Sequence[gtsdb.RoadFrame]) -> Background:
    """Decodes the scenes; rare classes are chosen more often, by the square root of their number."""
    frames = [gtsdb.frame(source, scene) for scene in tqdm(scenes, desc="decode scenes", unit="frame", mininterval=2)]
    labels = np.concatenate([scene.class_ids for scene in scenes])
    counts = np.bincount(labels, minlength=len(CLASS_NAMES))
    chances = 1 / np.sqrt(counts[labels])
    corners, kinds = [scene.corners for scene in scenes], [scene.class_ids for scene in scenes]
    return Background(frames, corners, kinds, chances / chances.sum())


def _rendered_ground(seed: int) -> Background:
    """Ten roads of the test rig: 12 % of the samples, each sign alike."""
    views = rendered.render(10, seed)
    signs = sum(len(boxes) for boxes in views.corners)
    unknown = [np.full(len(boxes), -1, np.int64) for boxes in views.corners]
    return Background(views.frames, views.corners, unknown, np.full(signs, 1 / signs), rendered.SCALE, 0.12)


def _cutouts(source: DataSet, rows: Sequence[gtsrb.Crop]) -> paste.Cutouts:
    """Every third crop of those whose sign is at least 24 pixels wide."""
    chosen = [row for row in rows if row.box[2] - row.box[0] >= 24][::3]
    patches = load_patches(source, chosen, 1.04, paste.SIDE)
    pictures = [paste.cut(patch, row.class_id) for patch, row in zip(patches, chosen, strict=True)]
    largest = np.array([1.6 * (row.box[2] - row.box[0]) for row in chosen], np.float32)
    return paste.Cutouts(pictures, largest, np.array([row.class_id for row in chosen], np.int64))


def _own_cutouts(ground: Background) -> paste.Cutouts:
    """Without GTSRB: the scenes' own signs, cut as discs."""
    pictures, largest = [], []
    for owner, box in zip(ground.owners, np.concatenate(ground.corners).astype(int), strict=True):
        left, top, right, bottom = box
        patch = cv2.resize(ground.frames[owner][top:bottom, left:right], (paste.SIDE, paste.SIDE))
        pictures.append(np.dstack([patch, paste.outline("circle")]))
        largest.append(1.6 * (right - left))
    return paste.Cutouts(pictures, np.array(largest, np.float32), np.concatenate(ground.kinds))


def batch_of(grounds: Sequence[Background], extras: Extras, plan: TrainingPlan, step: int) -> Batch:
    """The batch of one step: images N x 3 x SIZE x SIZE (uint8, channels last) and their targets."""
    rng = np.random.default_rng([plan.seed, step])
    images: list[NDArray[np.uint8]] = []
    parts = []
    for _ in range(plan.batch):
        image, corners, kinds, ignored = sample(grounds, extras, rng)
        images.append(image)
        parts.append(targets.draw(corners, kinds, ignored, SIZE // targets.STRIDE))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), targets.stack(parts)


def loss_of(network: nn.Module, batch: Batch) -> Tensor:
    """The detector's loss on a batch."""
    where = next(network.parameters()).device
    images, wanted = batch[0].to(where), batch[1].to(where)
    with torch.autocast(where.type, torch.bfloat16):
        heatmap, sides, kinds = network.with_kind(images.float())
    return targets.loss(heatmap, sides, kinds, wanted)
