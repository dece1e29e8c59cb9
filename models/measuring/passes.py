"""Passes made of still pictures: what a camera sees of a thing that the vehicle comes nearer to, look by look.

Things of a known kind are laid on road scenes without a sign and grow as the distance shrinks at constant speed; scenes
are passed by zooming in. They stand in for videos: none that is public shows so many signs that are none, and says so.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from models.data import gtsdb, gtsrb
from models.data.source import FETCH, DataSet, Image
from models.errors import DataError
from models.pictures.foreign.drawing import KINDS, draw
from models.pictures.paste import Cutout

LOOKS_PER_S: Final = 60
"""Looks a second of a pass before any is left out."""
SECONDS: Final = 1.5
SIDES: Final = (16.0, 96.0)
"""First and last side in pixels of a thing that is passed."""
TRACK_SECONDS: Final = 1.2
"""The shortest pass in GTSRB: 30 frames at 25 a second (Stallkamp et al., Neural Networks 32, 2012, section 3.1)."""
ZOOM: Final = 1.7
ZOOM_SECONDS: Final = 1.0
ACROSS, DOWN = 6, 3
"""Things that are passed side by side in one picture, far enough apart not to be taken for each other."""
_REACH: Final = 100.0  # pixels either way from a thing's place
_FEATHER: Final = 0.12
_QUALITY: Final = 85
_DRAWN_SIDE: Final = 96

Pictures = Iterator[tuple[int, Image]]


@dataclass(frozen=True)
class PassedThing:
    """Something to pass.

    `look` gives for the share of the pass that has gone by, 0 to 1, the picture with the sign in it (RGBA) and the
    width and height in pixels that it has on the road; `class_id` is the sign's class, None where it is none of the 43.
    """

    name: str
    look: Callable[[float], tuple[Cutout, float, float]]
    class_id: int | None = None


@dataclass(frozen=True)
class Pass:
    """Some things that are passed at once: milliseconds and pictures (BGR), and the places where the things are."""

    pictures: Callable[[], Pictures]
    things: Sequence[PassedThing] = ()
    centres: Sequence[tuple[float, float]] = ()

    def thing_at(self, x: float, y: float) -> int | None:
        """The index of the thing at a place in the picture; None where there is none."""
        for index, (across, down) in enumerate(self.centres):
            if abs(x - across) <= _REACH and abs(y - down) <= _REACH:
                return index
        return None


def empty_scenes(source: DataSet) -> list[gtsdb.RoadFrame]:
    """The frames that hold none of the 43 classes; some hold other signs."""
    return [scene for scene in gtsdb.load(source) if not len(scene.class_ids)]


def zoomed(source: DataSet, scenes: Sequence[gtsdb.RoadFrame]) -> list[Pass]:
    """Each scene, zoomed into: everything in it grows as it would if the vehicle came nearer."""
    return [Pass(partial(_zoom, source, scene)) for scene in scenes]


def _zoom(source: DataSet, scene: gtsdb.RoadFrame) -> Pictures:
    picture = gtsdb.frame(source, scene)
    height, width = picture.shape[:2]
    looks = round(LOOKS_PER_S * ZOOM_SECONDS)
    for number in range(looks):
        factor = _nearer(number / (looks - 1), ZOOM)
        matrix = np.array([[factor, 0, (1 - factor) * width / 2], [0, factor, (1 - factor) * height / 2]])
        nearer = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR)
        yield _ms(number), _as_video(nearer)


def laid(things: Sequence[PassedThing], grounds: Sequence[Image], seconds: float = SECONDS) -> list[Pass]:
    """Things passed at once, as many as have room in one picture."""
    passes = []
    room = ACROSS * DOWN
    for number, some in enumerate(things[first : first + room] for first in range(0, len(things), room)):
        ground = grounds[number % len(grounds)]
        height, width = ground.shape[:2]
        centres = [
            ((index % ACROSS + 0.5) * width / ACROSS, (index // ACROSS + 0.5) * height / DOWN)
            for index in range(len(some))
        ]
        passes.append(Pass(partial(_laid, some, ground, centres, seconds), some, centres))
    return passes


def _laid(
    things: Sequence[PassedThing], ground: Image, centres: Sequence[tuple[float, float]], seconds: float
) -> Pictures:
    looks = round(LOOKS_PER_S * seconds)
    for number in range(looks):
        picture, progress = ground.copy(), number / looks
        for thing, (x, y) in zip(things, centres, strict=True):
            cutout, wide, high = thing.look(progress)
            _lay(picture, cutout, x + 12 * progress, y - 8 * progress, wide, high)
        yield _ms(number), _as_video(picture)


def _lay(picture: Image, cutout: Cutout, x: float, y: float, wide: float, high: float) -> None:
    """Blends a cutout of this size into the picture around a place, to fractions of a pixel."""
    shape = int(np.ceil(wide)) + 2, int(np.ceil(high)) + 2
    left, top = int(np.floor(x - wide / 2)), int(np.floor(y - high / 2))
    factors = wide / cutout.shape[1], high / cutout.shape[0]
    shrink = min(1.0, 1.5 * max(factors))
    small = cv2.resize(cutout, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else cutout
    across, down = wide / small.shape[1], high / small.shape[0]
    matrix = np.array([[across, 0, x - wide / 2 - left], [0, down, y - high / 2 - top]])
    part = cv2.warpAffine(small, matrix, shape, flags=cv2.INTER_LINEAR)
    ground = picture[top : top + shape[1], left : left + shape[0]]
    alpha = part[: ground.shape[0], : ground.shape[1], 3:].astype(np.float32) / 255
    ground[:] = part[: ground.shape[0], : ground.shape[1], :3] * alpha + ground * (1 - alpha) + 0.5


def foreign_signs(source: DataSet) -> list[PassedThing]:
    """Photographs of signs outside the 43 classes: `others.csv` in GTSRB's columns, with `Kind`."""
    things = []
    for row in csv.DictReader(source.text("others.csv").splitlines()):
        try:
            box = tuple(int(row[name]) for name in ("Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2"))
            name = f"{row['Kind']}: {row['Path']}"
            picture = _feathered(source.image(row["Path"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{source.path}: others.csv lacks a column or a number ({error})", FETCH) from None
        side = max(box[2] - box[0], box[3] - box[1])
        things.append(PassedThing(name, _growing(picture, picture.shape[1] / side, picture.shape[0] / side)))
    return things


def drawn_signs(times: int, seed: int) -> list[PassedThing]:
    """Every kind of sign outside the 43 classes that can be drawn, `times` each, anew each time."""
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in KINDS for _ in range(times)]
    return [PassedThing(kind.name, _growing(draw(kind, _DRAWN_SIDE, rng), 1.0, 1.0)) for kind in kinds]


def _growing(cutout: Cutout, wide: float, high: float) -> Callable[[float], tuple[Cutout, float, float]]:
    def look(progress: float) -> tuple[Cutout, float, float]:
        side = SIDES[0] * _nearer(progress, SIDES[1] / SIDES[0])
        return cutout, wide * side, high * side

    return look


def tracks(source: DataSet, names: frozenset[str], largest: float = 200.0) -> list[PassedThing]:
    """The passes of `names` in GTSRB's training set: each look is shown for its share of the pass, and at its size."""
    rows: dict[str, list[gtsrb.Crop]] = defaultdict(list)
    for row in gtsrb.load(source):
        if row.track in names:
            rows[row.track].append(row)
    return [
        PassedThing(name, _track(source, found, largest), found[0].class_id) for name, found in sorted(rows.items())
    ]


def _track(
    source: DataSet, rows: Sequence[gtsrb.Crop], largest: float
) -> Callable[[float], tuple[Cutout, float, float]]:
    looks: list[Cutout] = []

    def look(progress: float) -> tuple[Cutout, float, float]:
        if not looks:
            looks.extend(_feathered(gtsrb.image(source, row)) for row in rows)
        place = progress * (len(rows) - 1)
        index = round(place)
        sizes = [np.interp(place, range(len(rows)), [row.shape[axis] for row in rows]) for axis in (1, 0)]
        shrink = min(1.0, largest / max(sizes))
        return looks[index], sizes[0] * shrink, sizes[1] * shrink

    return look


def _nearer(progress: float, ratio: float) -> float:
    """How many times its first size a thing has at constant speed, `ratio` at the end."""
    return 1.0 / (1.0 - progress * (1.0 - 1.0 / ratio))


def _feathered(picture: Image) -> Cutout:
    """The picture, transparent towards its edges."""
    height, width = picture.shape[:2]
    ramps = [
        np.clip(np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) / (_FEATHER * n), 0, 1) for n in (height, width)
    ]
    alpha = np.minimum.outer(ramps[0], ramps[1])
    return np.dstack([picture, np.round(255 * alpha).astype(np.uint8)])


def _as_video(picture: Image) -> Image:
    """BGR, once compressed: a camera's frames are."""
    packed = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _ms(number: int) -> int:
    return round(number * 1000 / LOOKS_PER_S)
