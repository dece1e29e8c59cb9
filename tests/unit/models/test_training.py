"""Samples, targets, loss and loop of the trainings, on pictures made here."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tqdm")

from models.data import crops  # noqa: E402
from models.errors import CheckpointError  # noqa: E402
from models.pictures import not_signs, paste, scenes  # noqa: E402
from models.training import checkpoint, fit_classifier, fit_detector, loop, targets  # noqa: E402
from models.training.loop import TrainingPlan  # noqa: E402
from models.training.nets import ClassifierNet, DetectorNet, parameters  # noqa: E402


def _grounds() -> list[scenes.Background]:
    frame = np.random.default_rng(0).integers(0, 256, (800, 1360, 3), np.uint8)
    boxes = np.array([[600, 300, 660, 360]], np.float32)
    return [
        scenes.Background(
            [frame, frame], [boxes, np.zeros((0, 4), np.float32)], [np.array([19]), np.zeros(0, np.int64)], np.ones(1)
        )
    ]


def _extras() -> scenes.Extras:
    sign = paste.cut(np.full((64, 64, 3), 200, np.uint8), 14)
    return scenes.Extras(
        paste.Cutouts([sign], np.array([90], np.float32), np.array([14])), [sign], paste.code_panels(2, 1)
    )


def test_a_scene_sample_is_the_same_for_the_same_seed_and_its_boxes_lie_within() -> None:
    for seed in range(8):
        image, corners, kinds, ignored = scenes.sample(_grounds(), _extras(), np.random.default_rng(seed))
        again = scenes.sample(_grounds(), _extras(), np.random.default_rng(seed))
        assert image.shape == (scenes.SIZE, scenes.SIZE, 3)
        assert image.dtype == np.uint8
        assert np.array_equal(image, again[0])
        assert len(corners) == len(kinds) == len(ignored)
        assert (corners >= 0).all() and (corners <= scenes.SIZE).all()


def test_a_plain_sample_is_a_piece_of_the_frame_as_it_is() -> None:
    grey = [
        scenes.Background([np.full((800, 1360, 3), 90, np.uint8)], [np.zeros((0, 4))], [np.zeros(0, int)], np.ones(0))
    ]
    for seed in range(8):
        image, corners, _, _ = scenes.sample(grey, replace(_extras(), plain=1.0), np.random.default_rng(seed))
        assert len(corners) == 0
        assert set(np.unique(image)) <= set(range(90, 115))  # the frame, and the bars of 114 beside it
    changed = [scenes.sample(grey, _extras(), np.random.default_rng(seed))[0] for seed in range(8)]
    assert any(set(np.unique(image)) - set(range(90, 115)) for image in changed)


def test_a_pasted_sign_is_where_its_box_says() -> None:
    canvas = np.zeros((200, 200, 3), np.uint8)
    picture = np.full((64, 64, 4), 255, np.uint8)
    box = paste.paste(canvas, picture, (50, 60, 40, 30), np.random.default_rng(1))
    rows, columns = np.nonzero(canvas[:, :, 0] > 127)
    assert np.abs(box - [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).max() <= 1
    assert np.abs(box - [50, 60, 90, 90]).max() <= 5


def test_the_targets_decode_to_the_signs_they_were_drawn_from() -> None:
    corners = np.array([[40, 40, 72, 70], [200, 100, 212, 111]], np.float32)
    heat, counted, sides, weight, kind = targets.draw(corners, np.array([3, 14]), np.array([False, False]), 40)
    assert (heat == 1).sum() == 2
    assert counted.all()
    assert set(np.unique(kind)) == {-1, 3, 14}
    assert weight.sum() == pytest.approx(2)
    for row, column in zip(*np.nonzero(heat == 1), strict=True):
        x, y = (column + 0.5) * 8, (row + 0.5) * 8
        left, top, right, bottom = sides[:, row, column]
        box = [x - left, y - top, x + right, y + bottom]
        assert np.abs(corners - box).max(axis=1).min() < 1e-3


def test_signs_that_are_cut_off_are_not_learnt() -> None:
    heat, counted, _, weight, _ = targets.draw(
        np.array([[0, 40, 9, 70]], np.float32), np.array([3]), np.array([True]), 40
    )
    assert not heat.any()
    assert not weight.any()
    assert not counted[5:9, 0:2].any()
    assert counted.sum() == 1600 - 8


def test_the_loss_is_least_for_the_truth() -> None:
    wanted = targets.stack(
        [targets.draw(np.array([[40, 40, 72, 70]], np.float32), np.array([3]), np.array([False]), 40)]
    )
    best = torch.where(wanted.heat == 1, 9.0, -9.0)[:, None]
    named = torch.zeros(1, 43, 40, 40)
    named[:, 3] = 20
    assert targets.loss(best, wanted.sides, named, wanted) < 0.01
    assert targets.loss(-best, wanted.sides, named, wanted) > 5
    assert targets.loss(best, wanted.sides + 5, named, wanted) > 0.2
    assert targets.loss(best, wanted.sides, -named, wanted) > 1


def test_classifier_samples_keep_their_size_and_seed() -> None:
    patch = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    first = crops.sample(patch, np.random.default_rng(5))
    assert first.shape == (48, 48, 3)
    assert np.array_equal(first, crops.sample(patch, np.random.default_rng(5)))


def test_backgrounds_do_not_touch_signs() -> None:
    frame = np.zeros((400, 600, 3), np.uint8)
    frame[100:160, 100:160] = 255
    box = np.array([[100, 100, 160, 160]], np.float32)
    assert not not_signs.background_patches([frame], [box], 40, seed=0).any()


def test_what_holds_no_sign_is_learnt_as_a_class_of_its_own() -> None:
    class Fixed(torch.nn.Module):
        def __init__(self, logits: torch.Tensor) -> None:
            super().__init__()
            self.logits = logits

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.logits

    image, label = torch.zeros(1, 3, 48, 48), torch.tensor([fit_classifier.NOT_A_SIGN])
    neither, sure = torch.zeros(1, 44), torch.zeros(1, 44)
    neither[0, fit_classifier.NOT_A_SIGN] = sure[0, 14] = 9
    assert fit_classifier.loss_of(Fixed(neither), (image, label)) < fit_classifier.loss_of(Fixed(sure), (image, label))


def test_both_networks_have_the_shapes_of_the_contract() -> None:
    classifier, detector = ClassifierNet().eval(), DetectorNet().eval()
    assert classifier(torch.zeros(2, 3, 48, 48)).shape == (2, 44)
    heat, sides = detector(torch.zeros(1, 3, 64, 96))
    assert heat.shape == (1, 1, 8, 12)
    assert sides.shape == (1, 4, 8, 12)
    assert sides.min() >= 0
    assert parameters(classifier) < 250_000
    assert parameters(detector) < 340_000


def _fit(path: Path, steps: int, resume: bool) -> torch.nn.Module:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 1))

    def make(step: int) -> torch.Tensor:
        return torch.from_numpy(np.random.default_rng(step).normal(size=(8, 4)).astype(np.float32))

    def loss(net: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
        return ((net(batch)[:, 0] - batch.sum(1)) ** 2).mean()

    plan = TrainingPlan("toy", 200, batch=8, rate=0.05, seed=1, warmup=5, average=0.9)
    plan = plan if steps == 200 else TrainingPlan("toy", steps, batch=8, rate=0.05, seed=1, warmup=5, average=0.9)
    return loop.fit(network, plan, make, loss, path, resume)


def test_training_learns_and_a_resumed_training_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "toy.pt"
    network = _fit(path, 200, resume=False)
    assert network[0].weight.detach().numpy() == pytest.approx(np.ones((1, 4)), abs=0.1)
    assert checkpoint.load(path, "toy")["step"] == 200
    again = _fit(path, 200, resume=True)
    assert torch.equal(again[0].weight, network[0].weight)


def test_a_batch_follows_the_network_to_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """`meta` stands for a GPU, which the tests do not have: it has shapes and devices, no values, and no autocast."""
    elsewhere = torch.device("meta")
    monkeypatch.setattr(torch, "autocast", lambda device, dtype: nullcontext())
    image, (corners, kinds, ignored) = torch.zeros(2, 3, 64, 64, dtype=torch.uint8), _one_sign()
    wanted = targets.stack([targets.draw(corners, kinds, ignored, 8)] * 2)
    assert fit_detector.loss_of(DetectorNet().to(elsewhere), (image, wanted)).device == elsewhere
    crop, label = torch.zeros(2, 3, 48, 48, dtype=torch.uint8), torch.tensor([1, 2])
    assert fit_classifier.loss_of(ClassifierNet().to(elsewhere), (crop, label)).device == elsewhere


def _one_sign() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([[10, 10, 40, 40]], np.float32), np.array([3]), np.array([False])


def _dropping(path: Path, plan: TrainingPlan, resume: bool, stop_at: int = 10**9) -> torch.Tensor:
    """Weights of a small network with dropout; stops, as an interruption does, before step `stop_at` of the data."""
    torch.manual_seed(3)
    network = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(4, 1))

    def make(step: int) -> torch.Tensor:
        if step == stop_at:
            raise KeyboardInterrupt
        return torch.from_numpy(np.random.default_rng(step).normal(size=(8, 4)).astype(np.float32))

    def loss(net: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
        return ((net(batch)[:, 0] - batch.sum(1)) ** 2).mean()

    return loop.fit(network, plan, make, loss, path, resume)[1].weight


def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path) -> None:
    plan = TrainingPlan("toy", 40, batch=8, rate=0.05, seed=1, warmup=5, save_every_s=0.0)
    whole = _dropping(tmp_path / "whole.pt", plan, resume=False)
    with pytest.raises(KeyboardInterrupt):
        _dropping(tmp_path / "part.pt", plan, resume=False, stop_at=25)
    state = checkpoint.load(tmp_path / "part.pt", "toy")
    assert 0 < state["step"] < 40
    assert torch.equal(_dropping(tmp_path / "part.pt", plan, resume=True), whole)
    assert checkpoint.load(tmp_path / "part.pt", "toy")["seconds"] > state["seconds"] > 0


def test_a_checkpoint_of_another_plan_is_not_resumed(tmp_path: Path) -> None:
    plan = TrainingPlan("toy", 10, batch=8, rate=0.05, seed=1, warmup=5)
    _dropping(tmp_path / "toy.pt", plan, resume=False)
    with pytest.raises(CheckpointError, match=r"another plan \(steps 10 and not 20, seed 1 and not 2\)"):
        _dropping(tmp_path / "toy.pt", replace(plan, steps=20, seed=2), resume=True)


def test_a_missing_damaged_or_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        checkpoint.load(tmp_path / "none.pt", "detector")
    (tmp_path / "bad.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(tmp_path / "bad.pt", "detector")
    checkpoint.save(tmp_path / "other.pt", {"network": "classifier"})
    with pytest.raises(CheckpointError, match="not of the detector"):
        checkpoint.load(tmp_path / "other.pt", "detector")


def test_an_error_in_a_batch_reaches_the_trainer() -> None:
    def make(step: int) -> int:
        if step == 3:
            raise ValueError("bad picture")
        return step

    with pytest.raises(ValueError, match="bad picture"):
        list(loop.prefetched(make, 0, 6))


def test_an_earlier_stages_mistakes_are_shown_and_unlabelled_signs_are_not_learnt() -> None:
    (ground,) = _grounds()
    mistaken = np.array([[1, 300, 300]], np.float32)
    doubtful = [np.zeros((0, 4), np.float32), np.array([[280, 280, 320, 320]], np.float32)]
    shown = {}
    for name, mistakes in (("none", np.zeros((0, 3), np.float32)), ("some", mistaken)):
        changed = replace(ground, mistaken=mistakes, doubtful=doubtful)
        flags = [scenes.sample([changed], _extras(), np.random.default_rng(seed))[2:] for seed in range(80)]
        unlabelled = [ignored[kinds == scenes.UNLABELLED] for kinds, ignored in flags]
        shown[name] = sum(len(found) for found in unlabelled)
        assert all(found.all() for found in unlabelled)
    assert shown["some"] > shown["none"] + 8  # a fifth of the samples show the mistake, beside which it stands
