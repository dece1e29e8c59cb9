"""The networks of one comparison, loaded side by side, and their times, taken in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from bench import graphs, macs
from device.perception.classify import Classifier
from device.perception.interpreter import Model
from models.release.shipped import load_manifest
from wire.manifest import PointName, operating_point

POINTS: tuple[PointName, ...] = get_args(PointName)
CROP, CROP_SIZE = "ours: classifier, one crop", (48, 48)
_RUNS_A_TURN = 3


@dataclass(frozen=True)
class BenchNetwork:
    """One network at one input size (height, width)."""

    name: str
    content: bytes
    size: tuple[int, int]
    crop_expand: float | None = None  # of a classifier: it is timed from the box in a frame to the probabilities

    def cost(self) -> macs.Cost:
        """Its multiply-adds and parameters."""
        return macs.count(self.content, self.size)


@dataclass
class TimedNetwork:
    """Milliseconds of single runs: on the clock, and of processor time of the thread that called."""

    network: BenchNetwork
    threads: int
    samples: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """On the clock."""
        return float(np.percentile(self.samples, percent))

    @property
    def judged(self) -> float:
        """The median that budgets go by. With one thread it is processor time, which leaves out the time that other
        programs had the core; with more threads the caller's processor time is not all of it, and the clock counts."""
        return float(np.median(self.processor if self.threads == 1 else self.samples))


def ours(models: Path, detector: Path | None = None, classifier: Path | None = None) -> list[BenchNetwork]:
    """What the device runs, from the folder of the shipped models; another file may replace each.

    Raises:
        ArtifactError: the manifest is missing or is not what it must be.
    """
    manifest = load_manifest(models)
    seeing = (detector or models / manifest.detector.file).read_bytes()
    naming = (classifier or models / manifest.classifier.file).read_bytes()
    found = [BenchNetwork(f"ours: {name}", seeing, operating_point(manifest, name).input) for name in POINTS]
    crop = BenchNetwork(CROP, naming, CROP_SIZE, manifest.classifier.crop_expand)
    return [*found, crop]


def references(cache: Path = graphs.CACHE) -> list[BenchNetwork]:
    """The reference graphs that are there."""
    return [
        BenchNetwork(f"{reference.title} {precision}", path.read_bytes(), reference.size)
        for reference in graphs.REFERENCES
        for precision in graphs.PRECISIONS
        if (path := reference.path(precision, cache)).is_file()
    ]


def take_turns(networks: Sequence[BenchNetwork], threads: Sequence[int], rounds: int) -> list[TimedNetwork]:
    """Runs every network at every number of threads in each round, so that a disturbance of the machine meets all."""
    timed = [(TimedNetwork(network, count), _ready(network, count)) for network in networks for count in threads]
    for _ in range(rounds):
        for entry, run in timed:
            run()  # brings the network back into the caches
            for _ in range(_RUNS_A_TURN):
                began, used = time.perf_counter(), time.thread_time()
                run()
                entry.processor.append((time.thread_time() - used) * 1e3)
                entry.samples.append((time.perf_counter() - began) * 1e3)
    return [entry for entry, _ in timed]


def _ready(network: BenchNetwork, threads: int) -> Callable[[], object]:
    """What runs the network once: a detector's graph alone; a classifier with its crop, as the device calls it."""
    rng = np.random.default_rng(0)
    if network.crop_expand is not None:
        classifier = Classifier(Model(network.content, threads), network.crop_expand, 1.0)
        frame = rng.integers(0, 256, (864, 1536, 3), np.uint8)
        return lambda: classifier(frame, [(700.0, 300.0, 40.0, 40.0)])
    interpreter = Interpreter(model_content=network.content, num_threads=threads)
    (detail,) = interpreter.get_input_details()
    shape = [1, *network.size, 3]
    if list(detail["shape"]) != shape:
        interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    pixels = rng.integers(0, 256, shape).astype(np.int16)
    filled = (pixels - 128).astype(np.int8) if detail["dtype"] == np.int8 else pixels.astype(detail["dtype"])
    interpreter.set_tensor(detail["index"], filled)
    run: Callable[[], object] = interpreter.invoke
    return run
