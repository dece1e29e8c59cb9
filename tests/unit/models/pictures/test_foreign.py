"""Signs outside the 43 classes: every kind can be drawn, and the held-out kinds are never trained on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware import signs
from models.pictures import drawings
from models.pictures.drawings import tight
from models.pictures.foreign import drawing as foreign
from models.pictures.foreign.drawing import KINDS, Kind

NAMES = [kind.name for kind in KINDS]
FACES = [signs.draw(class_id, 48)[:, :, :3] for class_id in range(signs.NUMBER_OF_SIGNS)]


def _drawn(kind: Kind, seed: int, side: int = 96) -> NDArray[np.uint8]:
    return foreign.draw(kind, side, np.random.default_rng(seed))


@pytest.fixture
def grounds() -> NDArray[np.uint8]:
    return np.full((3, 64, 64, 3), (90, 120, 60), np.uint8)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_a_kind_fills_its_square_in_one_direction(kind: Kind) -> None:
    for seed in range(3):
        picture = _drawn(kind, seed)
        assert picture.shape == (96, 96, 4)
        assert max(tight(picture).shape[:2]) >= 80
        assert min(tight(picture).shape[:2]) >= 16


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_a_seed_gives_the_same_drawing_and_another_seed_another(kind: Kind) -> None:
    assert np.array_equal(_drawn(kind, 1), _drawn(kind, 1))
    assert not np.array_equal(_drawn(kind, 1), _drawn(kind, 2))


def _likeness(kind: Kind, seed: int) -> float:
    """The greatest correlation with the face of a class, over what the drawing covers."""
    drawing = _drawn(kind, seed, 48)
    mask = drawing[:, :, 3] > 200
    shown = drawing[mask][:, :3].astype(float).ravel()
    if shown.std() < 2:  # a sheet of one grey
        return 0.0
    return max(np.corrcoef(shown, face[mask].astype(float).ravel())[0, 1] for face in FACES)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_no_kind_looks_like_a_class(kind: Kind) -> None:
    assert max(_likeness(kind, seed) for seed in range(4)) < 0.95


def test_the_likeness_finds_a_class_among_the_kinds() -> None:
    for class_id in range(signs.NUMBER_OF_SIGNS):
        assert _likeness(Kind("a class", "GTSRB", classes=(class_id,)), seed=0) > 0.95


def test_names_are_unique_and_about_a_quarter_is_held_out() -> None:
    assert len(set(NAMES)) == len(KINDS) >= 60
    assert 0.2 < np.mean([kind.held_out for kind in KINDS]) < 0.35


def test_kinds_held_out_have_outlines_of_every_family() -> None:
    held = {id(kind.outline) for kind in KINDS if kind.held_out}
    assert len(held) >= 5


@pytest.mark.parametrize("held_out", [False, True])
def test_patches_show_only_kinds_of_their_side(
    held_out: bool, grounds: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Kind] = []
    draw = foreign.draw

    def noted(kind: Kind, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        seen.append(kind)
        return draw(kind, side, rng)

    monkeypatch.setattr(foreign, "draw", noted)
    patches = foreign.patches(grounds, 2 * len(KINDS), np.random.default_rng(0), held_out)
    assert patches.shape == (2 * len(KINDS), 64, 64, 3)
    assert patches.dtype == np.uint8
    assert {kind.name for kind in seen} == {kind.name for kind in KINDS if kind.held_out == held_out}


def test_a_patch_keeps_its_ground_around_the_sign(grounds: NDArray[np.uint8]) -> None:
    patches = foreign.patches(grounds, 80, np.random.default_rng(0), held_out=False)
    around = patches[:, 0, 0]
    left = patches[:, :, :8]
    assert (left == around[:, None, None]).all()  # but for a post in the middle
    assert (patches[:, 24:40, 24:40] != around[:, None, None]).any((1, 2, 3)).all()
    same = (around == grounds[0, 0, 0]).all(1)
    assert 0.5 < same.mean() < 0.9  # the rest: a bright sky behind a sign in shade, or a veil of light


def test_patches_repeat_with_their_seed(grounds: NDArray[np.uint8]) -> None:
    first, second = (foreign.patches(grounds, 30, np.random.default_rng(7), held_out=True) for _ in range(2))
    assert np.array_equal(first, second)


def test_laid_pictures_differ_in_light_and_some_hang_on_posts(grounds: NDArray[np.uint8]) -> None:
    """A quarter is veiled: the contrast of face and ground falls; a half has a post: what is below the face changes."""
    face = np.full((64, 64, 4), 255, np.uint8)
    laid = drawings.laid([face], grounds, np.zeros(400, np.int64), np.random.default_rng(5)).astype(int)
    side = laid.shape[1]
    contrast = np.abs(laid[:, side // 2, side // 2] - laid[:, 1, 1]).sum(axis=1)
    full = np.abs(255 - grounds[0, 0, 0].astype(int)).sum()
    assert 0.3 < (contrast < 0.95 * full).mean() < 0.65
    posts = np.abs(laid[:, -1, side // 2] - laid[:, -1, 1]).sum(axis=1) > 0
    assert 0.4 < posts.mean() < 0.6
