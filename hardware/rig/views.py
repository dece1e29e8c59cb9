"""Views of a sign's face: the transformations that a sticker must survive, and the classifier that it attacks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.perception.classify import Box, Classifier
from device.perception.errors import ModelUnreadableError
from device.perception.interpreter import Model
from hardware.rig.blend import level_for, over, premultiplied, pyramid
from hardware.rig.errors import ClassifierNeededError
from hardware.signs.shapes import Image
from program.chatter import TFLITE, without
from wire import manifest
from wire.errors import ArtifactError

Scores = NDArray[np.float64]

_GIVE = "give another classifier.tflite, with its manifest beside it"
_LARGEST_PX = 110.0  # nearer faces are shrunk to the classifier's input anyway
_SCENERY = ((214, 190, 160), (212, 206, 198), (70, 104, 82), (52, 96, 66), (104, 110, 100))  # BGR


@dataclass(frozen=True)
class View:
    """One look at a face: side in pixels, place in its small frame, light, blur, noise.

    `miss`: by how much the box that is found is shifted (two shares of its size) and too wide and high (two factors).
    """

    size: float
    background: Image
    noise: Image
    gain: float
    blur: float
    corner: tuple[float, float]
    miss: tuple[float, float, float, float]


def view_of(size: float, rng: random.Random) -> View:
    """A random look at a face that appears `size` pixels wide."""
    size = min(size, _LARGEST_PX)
    side = (round(size * 1.7) + 5) // 2 * 2
    noise = np.random.default_rng(rng.getrandbits(32))
    low = np.array(rng.choice(_SCENERY), np.float32) + noise.normal(0, 22, (4, 4, 3)).astype(np.float32)
    background = cv2.resize(np.clip(low, 0, 255).astype(np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    grain = np.rint(noise.normal(128, rng.uniform(1.0, 2.5), (side, side))).astype(np.uint8)
    x, y = ((side - size) / 2 + rng.uniform(-0.5, 0.5) for _ in range(2))
    scale = rng.uniform(0.95, 1.1)
    miss = (
        rng.uniform(-0.05, 0.05),
        rng.uniform(-0.05, 0.05),
        scale * rng.uniform(0.97, 1.03),
        scale * rng.uniform(0.97, 1.03),
    )
    blur = rng.uniform(0.25, 0.8)
    return View(size, np.asarray(background, np.uint8), grain, rng.uniform(0.8, 1.15), blur, (x, y), miss)


def outline_of(alpha: Image) -> Box:
    """The tight box around a mask as shares of its side: left, top, width, height."""
    rows, columns = np.nonzero(alpha.any(axis=1))[0], np.nonzero(alpha.any(axis=0))[0]
    left, top = columns[0], rows[0]
    side = len(alpha)
    return left / side, top / side, (columns[-1] + 1 - left) / side, (rows[-1] + 1 - top) / side


def found(outline: Box, view: View) -> Box:
    """The box that a detector finds around the sign in a view, pixels of the small frame."""
    left, top, width, height = (share * view.size for share in outline)
    shift_x, shift_y, wider, higher = view.miss
    return (
        view.corner[0] + left + width * (0.5 + shift_x - wider / 2),
        view.corner[1] + top + height * (0.5 + shift_y - higher / 2),
        width * wider,
        height * higher,
    )


def look(levels: list[Image], view: View) -> Image:
    """What a camera makes of a face (pyramid of premultiplied BGRA) in a view: a small uint8 BGR frame."""
    texture = levels[level_for(levels, len(levels[0]) / view.size)]
    scale = view.size / len(texture)
    matrix = np.array([(scale, 0, view.corner[0]), (0, scale, view.corner[1])])
    frame = view.background.copy()
    side = len(frame)
    over(frame, np.asarray(cv2.warpAffine(texture, matrix, (side, side), flags=cv2.INTER_LINEAR), np.uint8))
    cv2.GaussianBlur(frame, (5, 5), view.blur, dst=frame)
    planes = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420)
    cv2.addWeighted(planes[:side], view.gain, view.noise, 1.0, -128 - 16 * (view.gain - 1), dst=planes[:side])
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), np.uint8)


class AttackedClassifier:
    """The classifier that is attacked, black box: a face goes in, probabilities come out. Counts its answers."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.answers = 0

    @classmethod
    def load(cls, path: Path) -> AttackedClassifier:
        """The shipped classifier, with the settings of the manifest beside it.

        Raises:
            ClassifierNeededError: the model or its manifest cannot be used.
        """
        try:
            beside = path.with_name(manifest.MANIFEST)
            entry = manifest.parse(beside.read_bytes(), str(beside)).classifier
            with without(TFLITE):
                model = Model(path)
        except (ArtifactError, ModelUnreadableError) as error:
            raise ClassifierNeededError(f"the classifier {path} cannot be used: {error.sentence}", _GIVE) from error
        except OSError as error:
            raise ClassifierNeededError(f"the classifier {path} cannot be read ({error.strerror})", _GIVE) from error
        return cls(Classifier(model, entry.crop_expand, entry.temperature))

    def log_probabilities(self, face: Image, views: Sequence[View]) -> Scores:
        """Natural logarithms of a face's probabilities (BGRA, not premultiplied): views x 44, `not_a_sign` last."""
        levels = pyramid(premultiplied(face[:, :, :3], face[:, :, 3]))
        outline = outline_of(face[:, :, 3])
        seen = [self._classifier(look(levels, view), [found(outline, view)])[0] for view in views]
        rows = [np.append(answer.probabilities, answer.not_a_sign) for answer in seen]
        self.answers += len(rows)
        return np.asarray(np.log(np.maximum(np.array(rows), 1e-30)), np.float64)
