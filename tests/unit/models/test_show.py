"""The sheets of what is trained on: every column changes the picture, and a wrong call is answered with a sentence."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models import show
from models.pictures import error_sheet, tiles
from models.pictures.foreign import drawing as foreign


def test_every_column_but_the_first_changes_the_picture() -> None:
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (48, 48, 3), np.uint8), (384, 384), interpolation=cv2.INTER_CUBIC)
    sheet = show.augmentation([scene], [scene[:48, :48]], seed=1)
    names = list(show.SCENE_CHANGES)
    assert names == list(show.CROP_CHANGES)
    cells = sheet[20:, :].reshape(2, 196, len(names), 196, 3).swapaxes(1, 2)
    for row in cells:
        apart = [float(cv2.absdiff(cell, row[0]).mean()) for cell in row]
        assert apart[0] == 0
        assert min(apart[1:]) > 0.5


def test_the_sheet_of_negatives_has_a_cell_for_each_kind() -> None:
    sheet = show.negatives(seed=1, drawn=1, columns=4, side=24)
    assert sheet.shape[0] == -(-len(foreign.KINDS) // 4) * (24 + 24)


@pytest.mark.slow
def test_the_failures_on_pictures_of_our_own_are_shown_without_any_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_sheet, "_ROADS", 1)
    monkeypatch.setattr(error_sheet, "_DRAWN", 600)
    assert show.main(["failures", "--out", str(tmp_path / "sheet.png")]) == 0
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[1] == tiles.CELL * tiles.COLUMNS
    assert sheet.shape[0] > 4 * tiles.CELL


def test_the_worst_tiles_are_shown_and_all_are_counted() -> None:
    picture = np.zeros((tiles.CELL, tiles.CELL, 3), np.uint8)
    found = [(n / 40, np.full_like(picture, n), "told") for n in range(40)]
    head, first, *more = tiles.rows("title", found, 2)
    assert len(more) == 1
    assert first[10, 10].tolist() == [39] * 3
    assert first[10, -10].tolist() == [39 - tiles.COLUMNS + 1] * 3
    assert not np.array_equal(head, tiles.rows("title", found[:3], 2)[0])


def test_a_sheet_is_written_as_a_picture(tmp_path: Path) -> None:
    assert show.main(["negatives", "--out", str(tmp_path / "sheet.png")]) == 0
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["negatives", "--out", "sheet.gif"], "end the name in .jpg or .png"),
        (["negatives", "--out", "none/sheet.png"], "cannot be written"),
        (["augmentation", "--gtsdb", "none", "--out", "sheet.png"], "no such folder or zip file"),
    ],
)
def test_a_wrong_call_is_answered_with_a_sentence(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert show.main(arguments) == 2
    assert said in capsys.readouterr().err
