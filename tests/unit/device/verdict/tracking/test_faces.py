"""From frame to frame: which boxes count, when a face is gone, what a look weighs, and who goes at the cap."""

from __future__ import annotations

import math

import pytest

from device.channel.messages import Box
from device.verdict.state import MAX_TRACKS, FaceTrack, Sight, State, Trend, Watch
from device.verdict.tracking import faces
from tests.support.verdict_samples import box, face, moment, pose, reading, sight, state
from wire.geodesy import Pose


def see(before: State, frame: int, *boxes: Box, t_ms: int | None = None, at: Pose | None = None) -> None:
    faces.see(before, moment(frame, t_ms, boxes), boxes, at, 0.5)


def one_face(*boxes: Box) -> FaceTrack:
    """The face after these boxes, thirty a second."""
    seen = state()
    for frame, each in enumerate(boxes):
        see(seen, frame, each, t_ms=33 * frame)
    (only,) = seen.faces
    return only


# --- which boxes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("w", "h", "faces"), [(2.0, 2.0, 1), (1.9, 2.0, 0), (2.0, 1.9, 0), (1.9, 30.0, 0), (30.0, 1.9, 0)]
)
def test_a_box_of_less_than_two_pixels_either_way_is_not_used(w: float, h: float, faces: int) -> None:
    seen = state()
    see(seen, 0, box(w=w, h=h))
    assert len(seen.faces) == faces


@pytest.mark.parametrize(("later_ms", "faces"), [(1, 1), (1000, 1), (1001, 2), (0, 2), (-1, 2)])
def test_a_face_goes_on_within_a_second_and_never_at_the_same_time(later_ms: int, faces: int) -> None:
    seen = state()
    see(seen, 0, box(), t_ms=500)
    see(seen, 1, box(), t_ms=500 + later_ms)
    assert len(seen.faces) == faces


def test_a_face_that_is_seen_again_moves_and_counts() -> None:
    seen = one_face(box(500.0), box(504.0))
    assert (seen.motion.x, seen.motion.t_ms, seen.sight.seen, seen.number) == (504.0, 33, 2, 0)
    assert (seen.sight.first_frame, seen.sight.last_frame) == (0, 1)


def test_faces_are_numbered_in_order_and_no_number_is_used_twice() -> None:
    seen = state(next_track=5)
    see(seen, 0, box(100.0), box(900.0))
    assert ([one.number for one in seen.faces], seen.next_track) == ([5, 6], 7)


# --- what a look weighs -------------------------------------------------------------------------------------------


def test_a_large_look_counts_by_its_score_and_its_class_score() -> None:
    seen = one_face(box(size=64.0, score=0.8, class_score=0.5), box(size=80.0, score=0.6, class_score=1.0))
    assert seen.class_weight == {14: pytest.approx(1.4)}
    assert seen.class_certainty == {14: pytest.approx(0.8 * 0.5 + 0.6)}
    assert (seen.score_sum, seen.largest) == (pytest.approx(1.4), 80.0)


def test_a_small_look_counts_by_its_area() -> None:
    assert one_face(box(size=32.0, score=0.8)).class_weight == {14: pytest.approx(0.2)}
    assert one_face(box(w=16.0, h=64.0, score=0.8)).class_weight == {14: pytest.approx(0.2)}


def test_a_score_of_nothing_weighs_a_hundredth() -> None:
    seen = one_face(box(size=64.0, score=0.0))
    assert (seen.class_weight, seen.score_sum) == ({}, 0.0)  # not surely a sign
    nothing = state()
    faces.see(nothing, moment(0, boxes=[box(size=64.0, score=0.0)]), [box(size=64.0, score=0.0)], None, 0.0)
    assert nothing.faces[0].class_weight == {14: 0.01}


def test_the_largest_side_is_kept_when_the_box_shrinks() -> None:
    assert one_face(box(size=40.0), box(size=44.0), box(size=42.0)).largest == 44.0


@pytest.mark.parametrize(("score", "sure"), [(0.5, 1), (0.49, 0)])
def test_a_look_is_sure_from_the_given_score_on(score: float, sure: int) -> None:
    seen = one_face(box(score=score))
    assert (seen.seen, seen.sure, seen.strong) == (1, sure, sure)
    assert set(seen.class_weight) == ({14} if sure else set())


def test_a_look_that_is_not_surely_a_sign_carries_the_face_on_and_says_nothing() -> None:
    seen = one_face(box(size=20.0), *(box(size=30.0, class_id=1, score=0.49, class_score=1.0) for _ in range(100)))
    assert (seen.seen, seen.sure, seen.switches, seen.largest) == (101, 1, 0, 20.0)
    assert (set(seen.class_weight), seen.last_class) == ({14}, 14)


@pytest.mark.parametrize(
    ("sure_score", "score", "strong"), [(0.3, 0.49, 0), (0.3, 0.5, 1), (0.7, 0.6, 0), (0.7, 0.7, 1)]
)
def test_a_strong_look_is_rather_a_sign_than_not_and_surely_one(sure_score: float, score: float, strong: int) -> None:
    seen = state()
    faces.see(seen, moment(0, boxes=[box(score=score)]), [box(score=score)], None, sure_score)
    assert seen.faces[0].strong == strong


def test_a_change_of_class_is_a_switch_and_the_first_class_is_none() -> None:
    seen = one_face(*(box(class_id=class_id) for class_id in (0, 0, 1, 1, 2, 0)))
    assert (seen.switches, seen.last_class) == (3, 0)
    assert set(seen.class_weight) == {0, 1, 2}


@pytest.mark.parametrize(("w", "h", "odd"), [(30.0, 20.0, 0), (30.1, 20.0, 1), (20.0, 30.0, 0), (20.0, 30.1, 1)])
def test_a_shape_is_odd_beyond_one_and_a_half_to_one_either_way(w: float, h: float, odd: int) -> None:
    assert one_face(box(w=w, h=h)).odd_shapes == odd


def test_the_trend_sums_the_logarithm_of_the_size_over_the_seconds() -> None:
    seen = one_face(box(size=40.0), box(size=42.0), box(w=40.0, h=50.0))
    logs = [math.log(40.0), math.log(42.0), math.log(math.sqrt(2000.0))]
    line = seen.trend
    assert (line.n, line.x, line.y) == (3, pytest.approx(0.099), pytest.approx(sum(logs)))
    assert line.xx == pytest.approx(0.033**2 + 0.066**2)
    assert line.xy == pytest.approx(0.033 * logs[1] + 0.066 * logs[2])
    assert seen.trend == Trend(line.n, line.x, line.y, line.xx, line.xy)


@pytest.mark.parametrize(("aside", "on_code"), [(0.0, 1), (19.0, 1), (20.0, 0)])
def test_a_box_lies_on_a_code_from_a_third_of_overlap_on(aside: float, on_code: int) -> None:
    """Two squares of 40: 19 px aside they overlap by 0.356, 20 px aside by 0.333."""
    seen = state()
    symbols = [reading(x=900.0), reading(x=500.0 + aside, y=300.0)]
    faces.see(seen, moment(0, boxes=[box()], readings=symbols), [box()], None, 0.5)
    assert seen.faces[0].on_code == on_code


def test_without_word_from_the_code_reader_no_box_lies_on_a_code() -> None:
    seen = state()
    faces.see(seen, moment(0, boxes=[box()], readings=None), [box()], None, 0.5)
    assert seen.faces[0].on_code == 0


# --- when and where -----------------------------------------------------------------------------------------------


def test_the_first_sight_has_everything_of_its_moment() -> None:
    made = faces.first_sight(moment(3), pose(7), Watch(100, 900))
    assert made == Sight(3, 3, 120, 120, 1, moment(3).utc_ms, pose(7), pose(7), 120, 900)


def test_a_sight_without_a_pose_keeps_the_poses_that_it_has() -> None:
    known = sight(0, 0, first_pose=pose(1), last_pose=pose(1), pose_ms=0)
    faces.extend(known, moment(2), None, Watch(0, 50))
    assert (known.last_frame, known.last_ms, known.watched_ms, known.seen) == (2, 80, 50, 2)
    assert known.utc_ms == moment(2).utc_ms
    assert (known.first_pose, known.last_pose, known.pose_ms) == (pose(1), pose(1), 0)


def test_a_sight_with_a_pose_keeps_the_first_and_takes_the_last() -> None:
    known = sight(0, 0)
    faces.extend(known, moment(1), pose(1), Watch(0, 50))
    faces.extend(known, moment(2), pose(2), Watch(0, 50))
    assert (known.first_pose, known.last_pose, known.pose_ms) == (pose(1), pose(2), 80)


def test_a_moment_without_a_time_leaves_the_last_known_one() -> None:
    known = sight(0, 0, utc_ms=77)
    timeless = moment(1)
    timeless.utc_ms = 0
    faces.extend(known, timeless, None, Watch(0, 50))
    assert known.utc_ms == 77


def test_sightings_are_counted_up_to_the_bound_of_a_verdict() -> None:
    known = sight(0, 0, seen=99_999)
    for frame in (1, 2):
        faces.extend(known, moment(frame), None, Watch(0, 50))
    assert known.seen == 100_000


# --- the cap ------------------------------------------------------------------------------------------------------


def test_at_the_cap_the_weakest_face_goes() -> None:
    seen = state(faces=[face(number, score_sum=float(number)) for number in range(MAX_TRACKS)], next_track=MAX_TRACKS)
    assert MAX_TRACKS == 96
    seen.faces[40].score_sum = -1.0
    see(seen, 100, box(), t_ms=90_000)
    assert [one.number for one in seen.faces] == [n for n in range(MAX_TRACKS + 1) if n != 40]


def test_of_equally_weak_faces_the_newest_goes() -> None:
    seen = state(faces=[face(number, score_sum=1.0) for number in range(MAX_TRACKS)], next_track=MAX_TRACKS)
    see(seen, 100, box(), t_ms=90_000)
    assert [one.number for one in seen.faces] == [*range(MAX_TRACKS - 1), MAX_TRACKS]


def test_up_to_the_cap_no_face_goes() -> None:
    seen = state(faces=[face(number) for number in range(MAX_TRACKS - 1)], next_track=MAX_TRACKS - 1)
    see(seen, 100, box(), t_ms=90_000)
    assert [one.number for one in seen.faces] == [*range(MAX_TRACKS)]
