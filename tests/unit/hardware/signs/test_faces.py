"""The drawn sign faces: 43 of them, each its own, each with a mask."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.signs import NUMBER_OF_SIGNS, NoSuchSignError, draw

ROUND, TRIANGLE, YIELD, OCTAGON, DIAMOND = 1, 18, 13, 14, 12


def test_every_gtsrb_class_has_a_face() -> None:
    assert NUMBER_OF_SIGNS == 43


@pytest.mark.parametrize("class_id", range(NUMBER_OF_SIGNS))
def test_a_face_is_rgba_of_the_size_asked_for_and_has_an_opaque_middle(class_id: int) -> None:
    face = draw(class_id, 48)
    assert face.shape == (48, 48, 4)
    assert face.dtype == np.uint8
    assert (face[20:28, 20:28, 3] == 255).all()
    assert face[0, 0, 3] == 0
    assert 0.4 < (face[:, :, 3] > 127).mean() < 0.9


def test_no_two_faces_look_alike() -> None:
    faces = [draw(class_id, 48)[:, :, :3].astype(float) for class_id in range(NUMBER_OF_SIGNS)]
    for first in range(NUMBER_OF_SIGNS):
        for second in range(first):
            assert np.abs(faces[first] - faces[second]).mean() > 2.0, (first, second)


def test_masks_have_the_outline_of_their_sign() -> None:
    shares = {class_id: (draw(class_id, 64)[:, :, 3] > 127).mean() for class_id in (ROUND, TRIANGLE, OCTAGON, DIAMOND)}
    assert shares[ROUND] == pytest.approx(np.pi / 4, abs=0.02)
    assert shares[TRIANGLE] == pytest.approx(0.47, abs=0.03)
    assert shares[OCTAGON] == pytest.approx(0.82, abs=0.03)
    assert shares[DIAMOND] == pytest.approx(0.5, abs=0.04)
    yield_mask = draw(YIELD, 64)[:, :, 3]
    assert yield_mask[10].sum() > yield_mask[-10].sum()


def test_mirrored_classes_are_mirror_images() -> None:
    for left, right in ((19, 20), (34, 33), (37, 36), (39, 38)):
        difference = draw(left, 64)[:, ::-1].astype(int) - draw(right, 64).astype(int)
        assert np.abs(difference).mean() < 2.0


def test_the_callers_copy_may_be_painted_on_without_harm() -> None:
    draw(14, 32)[:] = 0
    assert draw(14, 32).any()


@pytest.mark.parametrize(("class_id", "size"), [(-1, 48), (43, 48), (0, 7), (0, 4096)])
def test_an_unknown_class_or_size_is_refused(class_id: int, size: int) -> None:
    with pytest.raises(NoSuchSignError):
        draw(class_id, size)
