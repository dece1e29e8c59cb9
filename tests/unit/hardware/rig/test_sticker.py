"""The sticker search, against a stand-in classifier that is easily fooled: its rules, not its strength."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.rig import sticker
from hardware.rig.assembly import face_picture
from hardware.rig.errors import StickerFailedError
from hardware.rig.views import AttackedClassifier, View, found, outline_of, view_of
from hardware.signs.shapes import Image

TRUE, OTHER = 2, 7


class BlueIsOther(AttackedClassifier):
    """Says OTHER the more surely, the more blue there is on the face."""

    def __init__(self, gullible: bool = True) -> None:
        self.answers = 0
        self._gullible = gullible

    def log_probabilities(self, face: Image, views: Sequence[View]) -> NDArray[np.float64]:
        self.answers += len(views)
        blue = float((face[:, :, 0].astype(int) - face[:, :, 2] > 60).mean()) if self._gullible else 0.0
        row = np.full(43, -9.0)
        row[TRUE], row[OTHER] = -2.0, -6.0 + 400 * blue
        return np.tile(row, (len(views), 1))


def test_patches_stay_inside_the_signs_mask_and_off_its_edge() -> None:
    face = face_picture(18, 96)
    inside = sticker.room(face)
    whole = sticker.Patch(0.0, 0.0, 2.0, 2.0, 0.0, 3, False)
    result, area = sticker.painted(face, (whole,), inside)
    changed = (result != face).any(axis=2)
    assert changed.any()
    assert not changed[face[:, :, 3] < 255].any()
    assert (result[:, :, 3] == face[:, :, 3]).all()
    assert 0.1 < area < 0.9


def test_a_sticker_is_found_within_the_allowed_area_and_reported_as_measured() -> None:
    judge = BlueIsOther()
    face, report = sticker.make(TRUE, judge, random.Random(1), 128)
    assert face.shape == (128, 128, 4)
    assert report.target_class_id == OTHER
    assert report.fooled == report.as_target == 1.0
    assert 0 < report.area <= 0.4
    assert report.answers == judge.answers


def test_the_same_seed_gives_the_same_sticker() -> None:
    first, second = (sticker.make(TRUE, BlueIsOther(), random.Random(4), 64)[0] for _ in range(2))
    assert (first == second).all()


def test_a_classifier_that_cannot_be_fooled_ends_the_search_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sticker, "_BUDGET", 600)
    with pytest.raises(StickerFailedError, match="try another seed"):
        sticker.make(TRUE, BlueIsOther(gullible=False), random.Random(1), 64)


def test_the_box_of_a_view_lies_around_the_tight_outline_of_the_sign() -> None:
    outline = outline_of(face_picture(18, 96)[:, :, 3])
    view = view_of(40.0, random.Random(2))
    left, top, width, height = found(outline, view)
    assert 34 < width < 48
    assert height < width
    assert abs(left + width / 2 - view.corner[0] - 20) < 4
    assert abs(top + height / 2 - view.corner[1] - 20) < 4
