"""`python -m models.train` as it is called, on a handful of pictures: it goes on where it was, or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from models import train  # noqa: E402
from models.data import splits  # noqa: E402
from models.pictures import rendered  # noqa: E402
from models.training import checkpoint, fit_classifier  # noqa: E402
from tests.support.data_sets import common, frames  # noqa: E402


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """GTSRB in `gtsrb`, GTSDB in `gtsdb`; the test rig's roads, which take half a minute, are left out."""
    monkeypatch.setattr(rendered, "available", lambda: False)
    common(tmp_path / "gtsrb", "Train", [14, 1, 14, 1])
    scenes = {number: [(300 + number, 200, 60, 14), (800, 300, 40, 1)] for number in range(4)}
    frames(tmp_path / "gtsdb", scenes | {650: [(300, 200, 60, 14)]}, ".jpg")
    return tmp_path


def _detector(data: Path, *more: str) -> int:
    paths = ["--data", str(data / "gtsdb"), "--crops", str(data / "gtsrb"), "--out", str(data / "out")]
    return train.main(["detector", *paths, "--no-drawings", "--steps", "3", "--threads", "1", *more])


def _step(path: Path, name: str = "detector") -> int:
    return int(checkpoint.load(path, name)["step"])


@pytest.mark.slow
def test_both_stages_of_the_detector_are_trained_and_a_finished_training_is_not_trained_again(data: Path) -> None:
    first, second = data / "out" / "detector-first.pt", data / "out" / "detector.pt"
    assert _detector(data) == 0
    assert (_step(first), _step(second)) == (3, 1)
    before = [checkpoint.load(path, "detector")["weights"]["heat.weight"] for path in (first, second)]
    assert not torch.equal(*before)
    assert _detector(data, "--resume") == 0
    after = [checkpoint.load(path, "detector")["weights"]["heat.weight"] for path in (first, second)]
    assert all(torch.equal(first, second) for first, second in zip(before, after, strict=True))
    plan = checkpoint.load(second, "detector")["plan"]
    assert {"data", "crops", "drawings", "first stage"} <= set(plan["inputs"])


@pytest.mark.slow
def test_another_first_stage_is_not_followed_by_an_earlier_second_stage(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = data / "out" / "detector.pt"
    assert _detector(data) == 0
    old = checkpoint.load(second, "detector")["plan"]["inputs"]["first stage"]
    assert _detector(data, "--resume", "--seed", "7") == 2
    assert "seed 1 and not 7" in capsys.readouterr().err
    assert _detector(data, "--seed", "7") == 0
    assert checkpoint.load(second, "detector")["plan"]["inputs"]["first stage"] != old


def test_frames_of_the_publishers_test_are_never_trained_on(data: Path) -> None:
    only_tested = frames(data / "tested", {650: [(300, 200, 60, 14)]}, ".jpg")
    arguments = ["detector", "--data", str(only_tested), "--out", str(data / "out")]
    assert train.main([*arguments, "--no-drawings", "--steps", "3"]) == 2
    numbers = {scene.number for scene in splits.trainable(_scenes(data))}
    assert numbers == {0, 1, 2, 3}


def _scenes(data: Path) -> list[fit_classifier.gtsdb.Scene]:
    return fit_classifier.gtsdb.load(fit_classifier.DataSet(data / "gtsdb", "gt.txt"))


def test_the_classifier_is_trained_without_scenes_and_says_what_it_then_does_not_learn(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = ["--data", str(data / "gtsrb"), "--out", str(data / "out")]
    assert train.main(["classifier", *paths, "--steps", "2", "--threads", "1"]) == 0
    shown = capsys.readouterr()
    assert "`not_a_sign` is not learnt" in shown.err
    assert _step(data / "out" / "classifier.pt", "classifier") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["detector", "--scenes", "x"], "--scenes is for the classifier"),
        (["classifier", "--crops", "x"], "--crops is for the detector"),
        (["classifier", "--detector", "x"], "give both"),
        (["classifier", "--steps", "0"], "0 is less than 1"),
        (["classifier", "--threads", "0"], "0 is less than 1"),
        (["classifier", "--seed", "-1"], "-1 is less than 0"),
        (["classifier", "--rate", "nan"], "nan is not between 0 and 1"),
    ],
)
def test_a_wrong_call_is_answered_with_the_usage(
    arguments: list[str], said: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        train.main([*arguments, "--data", str(data / "gtsdb")])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("state", [torch.zeros(3), {"network": "classifier"}, {"network": "classifier", "average": {}}])
def test_weights_that_do_not_fit_are_named(
    state: object, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.pt"
    torch.save(state, path)
    arguments = ["classifier", "--data", str(data / "gtsrb"), "--out", str(data / "out"), "--steps", "1"]
    assert train.main([*arguments, "--start-from", str(path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"python -m models.train: {path}: ")
