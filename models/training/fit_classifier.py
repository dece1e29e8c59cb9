"""Training of the classifier on GTSRB crops, sign drawings and, as `not_a_sign`, backgrounds and other drawn signs."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from device.perception.classify import evened
from models.classes import CLASS_NAMES
from models.data import gtsdb, gtsrb, inputs, splits
from models.data.crops import CROP_EXPAND, INPUT_SIZE, PATCH_EXPAND, PATCH_SIZE, load_patches, sample
from models.data.source import DataSet
from models.errors import DataError
from models.pictures import drawings, not_signs
from models.pictures.foreign import drawing as foreign
from models.release import shipped
from models.training.loop import TrainingPlan, fit
from models.training.nets import ClassifierNet

NOT_A_SIGN = len(CLASS_NAMES)
"""Label, and index of the logit, of what is none of the 43: background, other signs, what the detector mistook."""


@dataclass(frozen=True)
class Pool:
    """Patches of one kind (N x 64 x 64 x 3), their labels (N), and which share of each batch they fill.

    `index`, where given, is drawn from instead of 0..N-1: it can repeat rare classes.
    """

    patches: NDArray[np.uint8]
    labels: NDArray[np.int64]
    share: float
    hard: bool = False
    index: NDArray[np.int64] | None = None


Batch = tuple[Tensor, Tensor]


def batches(pools: list[Pool], plan: TrainingPlan, step: int) -> Batch:
    """The batch of one step: images N x 3 x 48 x 48 (uint8, channels last) and labels N."""
    rng = np.random.default_rng([plan.seed, step])
    images = np.empty((plan.batch, INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
    labels = np.empty(plan.batch, np.int64)
    kinds = rng.choice(len(pools), plan.batch, p=[pool.share for pool in pools])
    for index, kind in enumerate(kinds):
        images[index], labels[index] = _draw(pools[kind], rng)
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels)


def _draw(pool: Pool, rng: Generator) -> tuple[NDArray[np.uint8], int]:
    chosen = int(rng.integers(len(pool.patches)) if pool.index is None else rng.choice(pool.index))
    return sample(pool.patches[chosen], rng, pool.hard), int(pool.labels[chosen])


def loss_of(network: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy with a little label smoothing."""
    where = next(network.parameters(), batch[0]).device
    images, labels = batch[0].to(where), batch[1].to(where)
    with torch.autocast(where.type, torch.bfloat16):
        logits = network(images.float())
    return functional.cross_entropy(logits.float(), labels, label_smoothing=0.03)


def class_balanced(labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """Indices that repeat rare classes towards the square root of their number: 210 crops count as 687 of 2250."""
    counts = np.bincount(labels, minlength=int(labels.max()) + 1)
    repeats = np.sqrt(counts.max() / np.maximum(counts, 1))[labels]
    whole = np.floor(repeats).astype(np.int64) + (rng.random(len(labels)) < repeats % 1)
    return np.repeat(np.arange(len(labels)), whole)


def run(options: Namespace) -> None:
    """Loads the data, trains, and reports the validation accuracy of the float network."""
    source = DataSet(options.data, *gtsrb.TRAIN)
    rows = gtsrb.load(source)
    if options.scenes is None:
        print("without --scenes nothing but signs is seen, and `not_a_sign` is not learnt", file=sys.stderr)
        tracks, scenes = frozenset(gtsrb.split_tracks(rows, 0.1, options.seed)), None
        pools = []
    else:
        scenes = DataSet(options.scenes, "gt.txt")
        split = splits.draw(rows, gtsdb.load(scenes), gtsdb.shared_tracks(scenes))
        if not split.frames:
            raise DataError(
                f"{scenes.path}: too few frames below {splits.TRAINING_FRAMES} to keep some for validation",
                "give the whole data set with --scenes",
            )
        splits.write(split, options.out / "split.json")
        if doubt := splits.doubt(scenes):
            print(doubt, file=sys.stderr)
        tracks = split.tracks
        pools = _scene_pools(scenes, split, options)
    train = [row for row in rows if row.track not in tracks]
    labels = np.array([row.class_id for row in train], np.int64)
    order = class_balanced(labels, np.random.default_rng(options.seed))
    patches = load_patches(source, train, PATCH_EXPAND, PATCH_SIZE)
    rest = 1.0 - sum(pool.share for pool in pools)
    pools.append(Pool(patches, labels, rest, index=order))
    plan = TrainingPlan(
        "classifier",
        options.steps or 16000,
        batch=128,
        rate=options.rate or 3e-3,
        seed=options.seed,
        average=0.999,
        inputs=inputs.digests(options, data=source, scenes=scenes),
    )
    network = fit(
        ClassifierNet(),
        plan,
        lambda step: batches(pools, plan, step),
        loss_of,
        options.out / "classifier.pt",
        options.resume,
        options.start_from,
    )
    held = [row for row in rows if row.track in tracks]
    if not held:
        print("no track could be kept apart to validate with")
        return
    seen = load_patches(source, held, CROP_EXPAND, INPUT_SIZE)
    right = predict(network, seen)[:, :NOT_A_SIGN].argmax(1) == np.array([row.class_id for row in held])
    print(f"validation: {right.mean():.4%} of {len(held)} crops of {len(tracks)} held-out tracks")


def _scene_pools(source: DataSet, split: splits.Split, options: Namespace) -> list[Pool]:
    scenes = [scene for scene in splits.trainable(gtsdb.load(source)) if scene.number not in split.frames]
    frames = [gtsdb.frame(source, scene) for scene in tqdm(scenes, desc="decode scenes", unit="frame")]
    corners = [scene.corners for scene in scenes]
    grounds = not_signs.background_patches(frames, corners, 12000, options.seed)
    if not len(grounds):
        raise DataError(
            f"{source.path}: signs fill its frames, no background is left to learn from",
            "give the whole data set with --scenes",
        )
    rng = np.random.default_rng(options.seed)
    others = [
        (grounds, 0.04),
        (not_signs.bags(grounds, 600, options.seed), 0.01),
        (foreign.patches(grounds, 20000, rng, held_out=False), 0.09),
    ]
    if options.detector is not None:
        models = shipped.load(options.detector, score=0.15)
        others.append((not_signs.false_detections(models, frames, corners), 0.04))
    pools = [Pool(found, np.full(len(found), NOT_A_SIGN, np.int64), share) for found, share in others if len(found)]
    draw = None if options.no_drawings else drawings.available()
    if draw is not None:
        drawn, labels = drawings.patches(draw, grounds, 6000, np.random.default_rng(options.seed))
        pools.append(Pool(drawn, labels, 0.08, hard=True))
    return pools


def predict(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits (N x 44) of the float network on crops (N x 48 x 48 x 3)."""
    network.eval()
    even = np.stack([evened(image) for image in images])
    parts = torch.split(torch.from_numpy(even).permute(0, 3, 1, 2), 512)
    with torch.inference_mode():
        logits = torch.cat([network(part.float()) for part in parts])
    return np.asarray(logits.numpy(), np.float32)
