"""Detection and class judged together, and what the figures of a detector leave out, on frames worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.classes import CLASS_NAMES
from models.measuring import detection_scores, end_to_end
from models.measuring.detection_scores import Detected
from models.measuring.end_to_end import Read

Box = tuple[float, float, float, float, float]
STOP, YIELD, PRIORITY, LIMIT_30, LIMIT_50 = 14, 13, 12, 1, 2
REFUSED = -1


def _corners(*boxes: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _at(place: int, score: float = 0.9, side: float = 20) -> Box:
    """The detection of the sign at `place` (see `_read`)."""
    return (100.0 * place, 100.0, side, side, score)


def _read(truth: list[int], seen: list[tuple[Box, int]], ignored: np.ndarray | None = None) -> Read:
    """A frame with the signs `truth`, 20 pixels wide, at x = 100, 200, ... and what was seen there and read as."""
    corners = _corners(*((100.0 * n, 100.0, 100.0 * n + 20, 120.0) for n in range(1, len(truth) + 1)))
    found = Detected([box for box, _ in seen], corners, _corners() if ignored is None else ignored)
    return Read(found, np.array(truth, np.int64), np.array([class_id for _, class_id in seen], np.int64))


def _confusions(frames: list[Read]) -> list[tuple[str, str, int]]:
    return [(c["truth"], c["read_as"], c["count"]) for c in end_to_end.figures(frames)["confusions"]]


def test_right_wrong_and_missed() -> None:
    frames = [
        _read([STOP, LIMIT_30], [(_at(1), STOP), (_at(2), LIMIT_50)]),
        _read([PRIORITY, LIMIT_30], [(_at(1), PRIORITY), (_at(5), YIELD)]),
    ]
    figures = end_to_end.figures(frames)
    assert (figures["boxes"], figures["precision"], figures["recall"]) == (4, 2 / 4, 2 / 4)
    assert _confusions(frames) == [
        ("speed limit 30", "speed limit 50", 1),
        ("nothing", "yield", 1),
        ("speed limit 30", "nothing", 1),
    ]


def test_a_refused_detection_claims_nothing_and_its_sign_is_missed() -> None:
    frames = [_read([LIMIT_30], [(_at(1), REFUSED), (_at(3), REFUSED)])]
    figures = end_to_end.figures(frames)
    assert (figures["precision"], figures["recall"]) == (None, 0.0)
    assert _confusions(frames) == [("speed limit 30", "nothing", 1)]


def test_a_refused_detection_does_not_take_the_sign_from_a_detection_that_reads_it() -> None:
    x, y, w, h, _ = _at(1)
    frames = [_read([LIMIT_30], [((x + 4, y, w, h, 0.95), REFUSED), ((x, y, w, h, 0.9), LIMIT_30)])]
    figures = end_to_end.figures(frames)
    assert (figures["precision"], figures["recall"], figures["confusions"]) == (1.0, 1.0, [])


def test_what_is_ignored_counts_neither_way() -> None:
    somewhere = _corners((500, 500, 600, 600))
    frames = [_read([LIMIT_30], [(_at(1), LIMIT_30), ((510.0, 510.0, 30.0, 30.0, 0.99), STOP)], somewhere)]
    figures = end_to_end.figures(frames)
    assert (figures["boxes"], figures["precision"], figures["recall"]) == (1, 1.0, 1.0)
    assert figures["confusions"] == []


def test_a_sign_read_twice_is_wrong_once() -> None:
    figures = end_to_end.figures([_read([STOP], [(_at(1, 0.9), STOP), (_at(1, 0.8), STOP)])])
    assert (figures["precision"], figures["recall"]) == (0.5, 1.0)


def test_a_box_that_covers_less_than_half_does_not_count() -> None:
    frames = [_read([STOP], [(_at(1, side=29), STOP)])]  # IoU 400 / 841
    assert _confusions(frames) == [("stop", "nothing", 1), ("nothing", "stop", 1)]
    assert end_to_end.figures([_read([STOP], [(_at(1, side=28), STOP)])])["recall"] == 1.0  # 400 / 784


def test_confusions_that_matter_most_come_first() -> None:
    frames = [_read([LIMIT_30], [(_at(1), LIMIT_50)])] * 5
    frames += [_read([LIMIT_50], [(_at(1), LIMIT_30)])] * 6
    frames += [_read([PRIORITY], [])] * 9
    frames += [_read([STOP], [(_at(1), LIMIT_30)])]
    frames += [_read([YIELD], [])] * 2
    figures = end_to_end.figures(frames)
    assert _confusions(frames) == [
        ("yield", "nothing", 2),
        ("stop", "speed limit 30", 1),
        ("speed limit 50", "speed limit 30", 6),
        ("speed limit 30", "speed limit 50", 5),
        ("priority road", "nothing", 9),
    ]
    assert [confusion["critical"] for confusion in figures["confusions"]] == [True, True, False, False, False]
    assert {CLASS_NAMES[c] for c in end_to_end.CRITICAL} == {"stop", "yield", "no entry"}


def test_frames_without_any_sign_have_no_recall() -> None:
    figures = end_to_end.figures([_read([], []), _read([], [(_at(1), STOP)])])
    assert (figures["boxes"], figures["precision"], figures["recall"]) == (0, 0.0, None)
    assert end_to_end.figures([]) == {"boxes": 0, "precision": None, "recall": None, "confusions": []}


IGNORED = _corners((500, 500, 540, 540))
TRUTH = _corners((100, 100, 120, 120))
INSIDE = (505.0, 505.0, 30.0, 30.0, 0.95)
"""Lies in the ignored box, though its IoU with it is only just over one half."""


def test_a_detection_of_what_is_ignored_is_no_match() -> None:
    frame = Detected([INSIDE, _at(1, 0.9), (700.0, 700.0, 20.0, 20.0, 0.8)], TRUTH, IGNORED)
    scores, right, found_by = detection_scores.matches(frame)
    assert (scores.tolist(), right.tolist(), found_by.tolist()) == ([0.9, 0.8], [True, False], [0.9])
    assert detection_scores.assigned(frame)[1].tolist() == [detection_scores.IGNORED, 0, -1]


def test_an_ignored_box_does_not_hide_a_sign_inside_it() -> None:
    frame = Detected([_at(1, 0.9)], TRUTH, _corners((0, 0, 400, 400)))
    assert detection_scores.matches(frame)[2].tolist() == [0.9]


def test_average_precision_leaves_out_what_is_ignored() -> None:
    pytest.importorskip("pycocotools")
    detections = [INSIDE, _at(1, 0.9)]
    assert detection_scores.map50([Detected(detections, TRUTH, IGNORED)]) == pytest.approx(1.0)
    assert detection_scores.map50([Detected(detections, TRUTH)]) == pytest.approx(0.5)
    assert detection_scores.map50([Detected([], TRUTH, IGNORED)]) == 0.0


def test_average_precision_by_hand() -> None:
    pytest.importorskip("pycocotools")
    frames = [
        Detected([_at(1, 0.9)], TRUTH),
        Detected([_at(3, 0.8)], TRUTH),
        Detected([_at(1, 0.7)], TRUTH),
    ]
    # precision 1 up to recall 1/3, then 2/3 up to recall 2/3, then 0: 34, 33 and 34 of the 101 recall points
    assert detection_scores.map50(frames) == pytest.approx((34 + 33 * 2 / 3) / 101)


@pytest.mark.parametrize(
    "frame",
    [
        Detected([], _corners()),
        Detected([INSIDE], _corners()),
        Detected([INSIDE], _corners(), IGNORED),
    ],
)
def test_without_signs_there_is_no_average_precision(frame: Detected) -> None:
    pytest.importorskip("pycocotools")
    assert detection_scores.map50([frame]) is None


def test_the_threshold_does_not_count_what_is_ignored_as_false() -> None:
    false = (700.0, 700.0, 20.0, 20.0, 0.6)
    frames = [Detected([INSIDE, false], TRUTH, IGNORED)] + [Detected([INSIDE], TRUTH, IGNORED)] * 9
    assert detection_scores.score_at_false_rate(frames) == 0.0  # one false box in ten frames is allowed
    plain = [Detected(frame.detections, frame.truth) for frame in frames]
    assert detection_scores.score_at_false_rate(plain) > 0.95
    two = [Detected([false, (*false[:4], 0.5)], TRUTH)] + [Detected([], TRUTH)] * 9
    score = detection_scores.score_at_false_rate(two)
    assert 0.5 < score < 0.6
    kept = [found for frame in two for found in frame.detections if found[4] >= score]
    assert len(kept) == 1


def test_false_boxes_of_one_score_go_together() -> None:
    false = (700.0, 700.0, 20.0, 20.0, 0.6)
    score = detection_scores.score_at_false_rate([Detected([false, false], TRUTH)] + [Detected([], TRUTH)] * 9)
    assert score > 0.6


@pytest.mark.parametrize(
    ("width", "name"),
    [
        (16, "16-24"),
        (23.5, "16-24"),
        (24, "24-32"),
        (31, "24-32"),
        (32, "32-64"),
        (63, "32-64"),
        (64, "64+"),
        (900, "64+"),
    ],
)
def test_a_width_belongs_to_the_bin_that_it_opens(width: float, name: str) -> None:
    sign = _corners((10, 10, 10 + width, 10 + width))
    frames = [Detected([(10.0, 10.0, width, width, 0.5)], sign), Detected([], sign)]
    of_none = dict.fromkeys(("16-24", "24-32", "32-64", "64+"))
    assert detection_scores.recall_by_width(frames, 0.5) == of_none | {name: 0.5}
    assert detection_scores.recall_by_width(frames, 0.51) == of_none | {name: 0.0}
    assert detection_scores.signs_by_width(frames) == dict.fromkeys(of_none, 0) | {name: 2}
