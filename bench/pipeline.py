"""Where a frame's time goes in perception, how many frames a second that makes, and whether a frame is ever copied."""

from __future__ import annotations

import itertools
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.networks import POINTS
from device.launcher import settings as device_settings
from device.perception.classify import Classifier, Image
from device.perception.core import Recogniser
from device.perception.detect import Letterbox, Thresholds, decode
from device.perception.interpreter import Model
from models.release.shipped import load_manifest
from wire.manifest import Manifest, PointName

STAGES = ("resize and letterbox", "detector", "decode", "classify")


@dataclass(frozen=True)
class Pipeline:
    """One operating point at one number of threads. Times are milliseconds: `stages` on average, `whole` the median."""

    point: str
    threads: int
    stages: dict[str, float]
    whole: float
    boxes: float  # a frame, on average
    peak_frames: float  # allocated in Python at the peak of one frame, in frames

    @property
    def frames_per_second(self) -> float:
        return 1000 / self.whole


def rendered(count: int, seed: int = 3) -> list[Image]:
    """Frames of a drive, evenly spaced: uint8 BGR 864 x 1536 x 3."""
    from hardware.rig import drive

    with tempfile.TemporaryDirectory() as folder:
        now = round(time.time() * 1000)
        made = drive.render(Path(folder), seed, Ed25519PrivateKey.generate(), now, None, names=("honest", "uncoded"))
        with av.open(str(made.video)) as container:
            frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    return [np.asarray(frames[i], np.uint8) for i in np.linspace(0, len(frames) - 1, count).astype(int)]


def measure(
    models: Path, frames: Sequence[Image], threads: Sequence[int], detector: Path | None = None
) -> list[Pipeline]:
    """Every operating point at every number of threads, frame by frame in turns."""
    manifest = load_manifest(models)
    seeing = (detector or models / manifest.detector.file).read_bytes()
    naming = (models / manifest.classifier.file).read_bytes()
    running = [_Running(manifest, seeing, naming, point, count) for point in POINTS for count in threads]
    for frame in frames:
        for entry in running:
            entry.take(frame)
    return [entry.result() for entry in running]


class _Running:
    """Perception as a whole, and the same stages each by itself."""

    def __init__(
        self,
        manifest: Manifest,
        detector: bytes,
        classifier: bytes,
        point: PointName,
        threads: int,
    ) -> None:
        settings = device_settings.perception(manifest, point, threads, lockstep=True)
        self.point, self.threads, self._size = point, threads, settings.point.input
        self._settings = settings
        self._now = time.thread_time if threads == 1 else time.perf_counter  # as `networks.TimedNetwork.judged`
        self._perception = Recogniser(detector, classifier, settings, lambda stage, seconds: None)
        self._perception.warm_up()
        self._model = Model(detector, threads, self._size)
        self._classifier = Classifier(Model(classifier, 1), settings.crop_expand, settings.temperature)
        self._letterbox: Letterbox | None = None
        self._stages: list[list[float]] = []
        self._wholes: list[float] = []
        self._boxes: list[int] = []
        self._peaks: list[float] = []

    def take(self, frame: Image) -> None:
        """One frame: as a whole, stage by stage, and once more under the memory tracer, which is slow and not timed."""
        self._perception.look(frame)
        began = self._now()
        self._perception.look(frame)
        self._wholes.append((self._now() - began) * 1e3)
        self._by_stage(frame)
        tracemalloc.start()
        self._perception.look(frame)
        self._peaks.append(tracemalloc.get_traced_memory()[1] / frame.nbytes)
        tracemalloc.stop()

    def _by_stage(self, frame: Image) -> None:
        if self._letterbox is None:
            self._letterbox = Letterbox((frame.shape[0], frame.shape[1]), self._size)
        marks = [self._now()]
        picture = self._letterbox.fill(frame)
        marks.append(self._now())
        first, second = self._model.run(picture)
        marks.append(self._now())
        heat, sides = (first, second) if first.shape[-1] == 1 else (second, first)
        thresholds = Thresholds(self._settings.point.score_proposed, self._settings.nms_iou)
        found = decode(heat[0, :, :, 0], sides[0], thresholds, self._letterbox, self._settings.stride)
        marks.append(self._now())
        self._classifier(frame, [box[:4] for box in found])
        marks.append(self._now())
        self._stages.append([after - before for before, after in itertools.pairwise(marks)])
        self._boxes.append(len(found))

    def result(self) -> Pipeline:
        means = np.mean(self._stages, axis=0) * 1e3  # means: they add up, and a frame without a box classifies none
        return Pipeline(
            self.point,
            self.threads,
            dict(zip(STAGES, means.tolist(), strict=True)),
            float(np.median(self._wholes)),
            float(np.mean(self._boxes)),
            max(self._peaks[1:] or self._peaks),  # the first frame of a size sets up the letterbox
        )
