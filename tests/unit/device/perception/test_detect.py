"""The detector's run-time side: letterbox geometry, decoding, suppression."""

from __future__ import annotations

import numpy as np
import pytest

from device.perception.detect import Letterbox, Thresholds, decode, peaks, suppress


def _maps(signs: list[tuple[int, int, float, tuple[float, float, float, float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Empty maps of a 64 x 96 input with (row, column, logit, distances) written in."""
    heat, sides = np.full((8, 12), -9.0, np.float32), np.zeros((8, 12, 4), np.float32)
    for row, column, logit, distances in signs:
        heat[row, column], sides[row, column] = logit, distances
    return heat, sides


@pytest.mark.parametrize(
    ("frame", "scale", "left", "top"),
    [((864, 1536), 2 / 3, 0, 0), ((800, 1360), 0.72, 22, 0), ((404, 700), 1024 / 700, 0, -1), ((576, 1024), 1, 0, 0)],
)
def test_a_frame_is_scaled_evenly_and_centred(frame: tuple[int, int], scale: float, left: int, top: int) -> None:
    box = Letterbox(frame, (576, 1024))
    assert box.scale == pytest.approx(min(scale, 576 / frame[0]))
    if top >= 0:
        assert (box.left, box.top) == (left, top)


def test_the_letterbox_makes_rgb_of_a_read_only_frame_and_reuses_its_buffer() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[:, :, 0] = 200  # blue in BGR
    frame.flags.writeable = False
    box = Letterbox((100, 100), (64, 96))
    filled = box.fill(frame)
    assert filled.shape == (64, 96, 3)
    assert filled[32, 48].tolist() == [0, 0, 200]
    assert filled[32, 2].tolist() == [114, 114, 114]
    assert box.fill(frame) is filled


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="frame is 50x60, not 100x100"):
        Letterbox((100, 100), (64, 96)).fill(np.zeros((60, 50, 3), np.uint8))


def test_corners_come_back_to_where_they_were_in_the_frame() -> None:
    frame = np.zeros((800, 1360, 3), np.uint8)
    frame[48:88, 100:148] = 255
    box = Letterbox((800, 1360), (576, 1024))
    rows, columns = np.nonzero(box.fill(frame)[:, :, 0] > 127)
    seen = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    assert np.abs(box.to_frame(seen) - [100, 48, 148, 88]).max() < 1.0


def test_a_peak_becomes_a_box_around_its_cell() -> None:
    heat, sides = _maps([(2, 3, 2.0, (10, 11, 12, 13))])
    ((x, y, w, h, score),) = decode(heat, sides, Thresholds(0.5))
    assert (x, y, w, h) == (28 - 10, 20 - 11, 22, 24)
    assert score == pytest.approx(1 / (1 + np.exp(-2)))


def test_only_the_top_of_a_hill_is_a_peak() -> None:
    heat, sides = _maps([(2, 3, 2.0, (9, 9, 9, 9)), (2, 4, 1.5, (9, 9, 9, 9)), (6, 9, 1.0, (9, 9, 9, 9))])
    corners, scores = peaks(heat, sides, 8, Thresholds(0.5))
    assert len(corners) == 2
    assert scores[0] > scores[1]


@pytest.mark.parametrize("distances", [(40, 5, 40, 5), (1, 1, 1, 1), (0, 0, 0, 0)])
def test_slivers_and_specks_are_no_signs(distances: tuple[float, float, float, float]) -> None:
    heat, sides = _maps([(2, 3, 2.0, distances)])
    assert decode(heat, sides, Thresholds(0.5)) == []


def test_of_overlapping_boxes_the_best_stays() -> None:
    corners = np.array([[0, 0, 20, 20], [2, 2, 22, 22], [40, 0, 60, 20], [44, 4, 52, 12]], np.float32)
    assert suppress(corners, np.array([0.8, 0.9, 0.5, 0.4], np.float32), 0.4, 10).tolist() == [1, 2]


def test_no_more_boxes_than_asked_for_are_kept() -> None:
    corners = np.array([[30 * n, 0, 30 * n + 20, 20] for n in range(9)], np.float32)
    assert suppress(corners, np.linspace(0.9, 0.1, 9).astype(np.float32), 0.4, 3).tolist() == [0, 1, 2]


def test_an_empty_heatmap_gives_nothing() -> None:
    heat, sides = _maps([])
    assert decode(heat, sides, Thresholds(0.3), Letterbox((128, 192), (64, 96))) == []


def test_detections_are_clipped_to_the_frame() -> None:
    heat, sides = _maps([(0, 0, 2.0, (30, 30, 10, 10))])
    ((x, y, w, h, _),) = decode(heat, sides, Thresholds(0.5), Letterbox((128, 192), (64, 96)))
    assert (x, y, w, h) == (0, 0, 28, 28)
