"""Passes made of pictures: what is passed grows where it is known to be, and what is believed of it is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from device.channel.messages import Box
from models.data import gtsrb
from models.data.source import DataSet
from models.errors import DataError
from models.measuring import belief, passes
from models.measuring.belief import TrackRule
from models.measuring.passes import Pass, PassedThing
from models.pictures.foreign.drawing import KINDS
from tests.support import data_sets

pytest.importorskip("scipy", reason="intervals need the extra evaluate")

GROUND = np.full((800, 1360, 3), 90, np.uint8)
RULE = TrackRule("both thresholds", 0.1, 0.33)


def square(side: float, class_id: int | None = None) -> PassedThing:
    """A white square that grows from half of `side` to all of it."""
    white = np.full((64, 64, 4), 255, np.uint8)
    return PassedThing(
        "square", lambda progress: (white, side * (1 + progress) / 2, side * (1 + progress) / 2), class_id
    )


def bright(picture: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
    """Corner and sides of each bright thing."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((picture[:, :, 0] > 170).astype(np.uint8))
    return [tuple(float(value) for value in stats[index][:4]) for index in range(1, count)]  # type: ignore[misc]


def eye(class_id: int, score: float) -> belief.Look:
    """A perception that takes every bright thing for a sign of this class."""
    return lambda picture: [Box(*place, score, class_id, 0.95) for place in bright(picture) if place[2] > 4]


def test_what_is_laid_grows_in_its_own_place() -> None:
    (one,) = passes.laid([square(40.0), square(80.0)], [GROUND], seconds=1.0)
    pictures = list(one.pictures())
    assert [pictures[0][0], pictures[30][0], pictures[59][0]] == [0, 500, 983]
    sides = [sorted(place[2] for place in bright(picture)) for _, picture in (pictures[0], pictures[59])]
    assert sides == [
        [pytest.approx(20, abs=3), pytest.approx(40, abs=3)],
        [pytest.approx(40, abs=3), pytest.approx(80, abs=3)],
    ]
    for x, y, w, h in bright(pictures[59][1]):
        assert one.thing_at(x + w / 2, y + h / 2) == (0 if w < 60 else 1)
    assert one.thing_at(700.0, 700.0) is None


def test_more_things_than_have_room_are_passed_in_turn() -> None:
    found = passes.laid([square(40.0)] * (passes.ACROSS * passes.DOWN + 1), [GROUND])
    assert [len(one.things) for one in found] == [18, 1]


def test_an_empty_scene_is_passed_by_zooming_in(tmp_path: Path) -> None:
    folder = data_sets.frames(tmp_path, {0: [], 1: [(100, 100, 40, 14)], 2: []})
    source = DataSet(folder, "gt.txt")
    scenes = passes.empty_scenes(source)
    assert [scene.number for scene in scenes] == [0, 2]
    first, _ = passes.zoomed(source, scenes)
    pictures = [picture for _, picture in first.pictures()]
    assert len(pictures) == 60
    assert pictures[0].shape == (800, 1360, 3)
    wide = cv2.resize(pictures[0][165:635, 280:1080], (1360, 800)).astype(int)  # what 1.7 times nearer shows
    assert np.abs(wide - pictures[-1]).mean() < 3 < np.abs(pictures[0].astype(int) - pictures[-1]).mean()


def test_a_track_is_passed_look_by_look_at_its_own_size(tmp_path: Path) -> None:
    source = DataSet(data_sets.final_training(tmp_path, [0, 14]), *gtsrb.TRAIN)
    things = passes.tracks(source, frozenset({"00014_00001"}))
    assert [(thing.name, thing.class_id) for thing in things] == [("00014_00001", 14)]
    cutout, wide, high = things[0].look(0.5)
    assert (wide, high, cutout.shape) == (48.0, 44.0, (44, 48, 4))
    assert cutout[0, 0, 3] < 30
    assert cutout[22, 24, 3] == 255
    shrunk = passes.tracks(source, frozenset({"00014_00001"}), largest=24.0)
    assert shrunk[0].look(0.0)[1:] == (24.0, 22.0)


def test_foreign_signs_come_with_their_kind_and_no_class(tmp_path: Path) -> None:
    (tmp_path / "sign.png").write_bytes(data_sets.encoded(data_sets.crop_picture(14, 0), ".png"))
    header = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,Kind,Path\n"
    (tmp_path / "others.csv").write_text(header + "48,44,6,4,40,38,other_warning,sign.png\n")
    (thing,) = passes.foreign_signs(DataSet(tmp_path, "others.csv"))
    assert (thing.name, thing.class_id) == ("other_warning: sign.png", None)
    assert thing.look(0.0)[1] == pytest.approx(16.0 * 48 / 34)
    (tmp_path / "others.csv").write_text(header + "48,44,6,4,x,38,other_warning,sign.png\n")
    with pytest.raises(DataError, match=r"others\.csv lacks a column or a number"):
        passes.foreign_signs(DataSet(tmp_path, "others.csv"))


def test_every_kind_of_sign_that_is_none_of_the_classes_is_drawn_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "KINDS", KINDS[:3])
    drawn = passes.drawn_signs(2, 1)
    assert [thing.name for thing in drawn] == [kind.name for kind in KINDS[:3] for _ in range(2)]
    assert all(thing.class_id is None for thing in drawn)
    first, again = drawn[0].look(1.0)[0], passes.drawn_signs(1, 1)[0].look(1.0)[0]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, drawn[1].look(1.0)[0])


# --- what is believed ---------------------------------------------------------------------------------------------


def test_what_is_believed_of_passes_is_counted_by_looks_a_second() -> None:
    laid = passes.laid([square(120.0, 14), square(120.0, 3), square(20.0, 14)], [GROUND], seconds=0.9)
    found = belief.of_passes(laid, eye(14, 0.8), RULE, "signs")
    assert (found["things"], list(found["looks_per_s"])) == (3, ["60", "30", "15", "10", "5"])
    for row in found["looks_per_s"].values():
        assert (row["believed"], row["right"], row["suspect"]) == (2, 1, 0)  # the third is too small
        assert row["interval"] == [pytest.approx(0.2077, abs=1e-3), pytest.approx(0.9385, abs=1e-3)]
        assert row["false_per_1000_frames"] == 0.0


def test_a_verdict_where_nothing_is_passed_is_a_false_positive() -> None:
    def pictures() -> Iterator[tuple[int, NDArray[np.uint8]]]:
        (one,) = passes.laid([square(120.0)], [GROUND], seconds=0.9)
        return one.pictures()

    found = belief.of_passes([Pass(pictures)], eye(14, 0.8), RULE, "scenes")
    assert found["things"] == 0
    row = found["looks_per_s"]["30"]
    assert row["false_per_1000_frames"] == pytest.approx(1000 / 27)
    assert row["interval"] is None


def test_what_perception_is_never_sure_of_is_not_believed_at_any_rate() -> None:
    laid = passes.laid([square(120.0, 14)], [GROUND], seconds=0.9)
    rows = belief.of_passes(laid, eye(14, 0.32), RULE, "signs")["looks_per_s"].values()
    assert [row["believed"] + row["suspect"] for row in rows] == [0] * 5
