"""What perception said over a pass: every limit of what confirms a face, what stands alone, and what is doubted."""

from __future__ import annotations

import math

import pytest

from device.verdict.state import FaceTrack, Trend
from device.verdict.tracking import faces, looks
from device.verdict.tracking.approach import growth
from device.verdict.tracking.faces import Perceived, is_confirmed, perceived, stands_alone
from tests.support.verdict_samples import face, pose, sight, trend


def voted(share: float, certainty: float = 0.9, weight: float = 10.0, **changes: object) -> FaceTrack:
    """A face whose class 14 has `share` of the weight, each look with `certainty`."""
    weights = {14: share * weight, 1: (1 - share) * weight}
    return face(class_weight=weights, class_certainty={c: w * certainty for c, w in weights.items()}, **changes)


# --- what is said at the end --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "stable"), [(0.6, True), (0.5999, False), (1.0, True)])
def test_a_class_is_stable_from_its_share_on(share: float, stable: bool) -> None:
    assert Perceived(14, share).stable is stable
    assert Perceived(0, share).stable is stable  # class 0 is a class too


def test_nothing_is_not_stable() -> None:
    assert Perceived(None, 1.0).stable is False


@pytest.mark.parametrize(
    ("seen", "insists"),
    [
        (Perceived(14, 0.6, 0.6, 9, (), 0.5), True),
        (Perceived(14, 0.59, 0.6, 9, (), 0.5), False),
        (Perceived(14, 0.6, 0.59, 9, (), 0.5), False),
        (Perceived(14, 0.6, 0.6, 9, (), 0.49), False),
        (Perceived(None, 0.6, 0.6, 9, (), 0.5), False),
    ],
)
def test_perception_insists_only_if_stable_certain_and_sure(seen: Perceived, insists: bool) -> None:
    assert seen.insists is insists


def test_nothing_confirmed_is_nothing_perceived() -> None:
    assert perceived([], coded=True) == Perceived(None, 0.0, 0.0, 0, (), 0.0)
    assert perceived([face(sure=0)], coded=True) == Perceived()


def test_the_faces_of_one_sign_are_counted_together() -> None:
    first = face(1, 0, 9, class_weight={14: 6.0, 1: 2.0}, class_certainty={14: 5.4, 1: 1.0}, sure=7)
    second = face(2, 10, 19, class_weight={14: 1.0, 1: 3.0}, class_certainty={14: 0.5, 1: 2.4}, sure=5)
    said = perceived([first, second], coded=True)
    assert (said.class_id, said.seen, said.sure) == (14, 20, pytest.approx(12 / 20))
    assert said.share == pytest.approx(7 / 12)
    assert said.certainty == pytest.approx(5.9 / 7)


def test_the_most_voted_class_is_taken_and_of_equals_the_lower() -> None:
    assert perceived([voted(0.51)], coded=True).class_id == 14
    assert perceived([voted(0.49)], coded=True).class_id == 1
    assert perceived([voted(0.5)], coded=True).class_id == 1


def test_an_unconfirmed_face_adds_nothing() -> None:
    weak = face(2, class_weight={1: 500.0}, class_certainty={1: 400.0}, sure=2.0, last=5)
    assert perceived([face(), weak], coded=True) == perceived([face()], coded=True)


def test_sightings_are_counted_up_to_the_bound_of_a_verdict() -> None:
    many = face(sight=sight(0, 10, seen=100_000), sure=100_000)
    assert perceived([many, many], coded=True).seen == 100_000


def test_without_a_code_a_face_that_does_not_grow_says_nothing() -> None:
    still = face(trend=trend(1.0, 0.4))
    assert perceived([still], coded=True).class_id == 14
    assert perceived([still], coded=False) == Perceived()


# --- a confirmed face ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "confirmed"),
    [
        ({"seen": 5.0, "sure": 3.0}, True),
        ({"seen": 4.9, "sure": 3.0}, False),
        ({"seen": 5.0, "sure": 2.9}, False),
        ({"seen": 7.9, "sure": 2.9}, False),
        ({"seen": 8.0, "sure": 1.0}, True),  # seen for long, one sure look is enough
        ({"seen": 8.0, "sure": 0.9}, False),
        ({"class_weight": {}, "class_certainty": {}}, False),
        ({"largest": 16.0}, True),
        ({"largest": 15.9}, False),
        ({"class_certainty": {14: 4.5}}, True),
        ({"class_certainty": {14: 4.4}}, False),
        ({"class_weight": {14: 4.0, 1: 3.0, 2: 3.0}}, True),
        ({"class_weight": {14: 3.9, 1: 3.1, 2: 3.0}}, False),
        ({"on_code": 1}, True),
        ({"on_code": 2}, False),
    ],
)
def test_a_face_is_confirmed_from_each_limit_on(changes: dict[str, object], confirmed: bool) -> None:
    assert is_confirmed(face(**changes)) is confirmed


@pytest.mark.parametrize(
    ("changes", "alone"),
    [
        ({}, True),
        ({"class_weight": {14: 2.0}, "class_certainty": {14: 1.8}}, True),
        ({"class_weight": {14: 1.9}, "class_certainty": {14: 1.71}}, False),
        ({"trend": trend(1.16, 0.4)}, True),
        ({"trend": trend(1.14, 0.4)}, False),
        ({"strong": 3.0}, True),
        ({"strong": 2.9}, False),  # barely a sign, each time
        ({"seen": 700 * 0.5 / 33}, True),
        ({"seen": 10.5}, False),  # now and then
        ({"watched_ms": 700, "trend": trend(1.49, 0.4)}, True),
        ({"watched_ms": 699, "trend": trend(1.49, 0.4)}, False),  # at one distance only
        ({"watched_ms": 400, "trend": trend(1.51, 0.4)}, True),  # passed fast
        ({"watched_ms": 399, "trend": trend(1.51, 0.4)}, False),
    ],
)
def test_a_face_stands_alone_with_evidence_and_growth(changes: dict[str, object], alone: bool) -> None:
    assert stands_alone(face(**changes)) is alone


@pytest.mark.parametrize(
    ("share", "certainty", "switches", "alone"),
    [
        (0.75, 0.8, 1.7, True),
        (0.74, 0.8, 1.7, False),
        (0.75, 0.79, 1.7, False),
        (0.75, 0.8, 1.8, False),  # of five sure looks, 0.34 each
    ],
)
def test_a_face_that_is_seldom_sure_has_to_be_steady(
    share: float, certainty: float, switches: float, alone: bool
) -> None:
    assert stands_alone(voted(share, certainty, sure=5.0, switches=switches)) is alone


@pytest.mark.parametrize(("sure", "alone"), [(6.6, True), (6.5, False)])
def test_a_face_that_is_not_steady_has_to_be_sure(sure: float, alone: bool) -> None:
    assert stands_alone(voted(0.5, sure=sure)) is alone


# --- growth -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [0.5, 1.0, 1.3, 2.0])
def test_growth_is_read_from_the_line_over_the_whole_sight(times: float) -> None:
    assert growth(face(trend=trend(times, 0.4))) == pytest.approx(times)
    assert growth(face(first=5, last=15, trend=trend(times, 0.2))) == pytest.approx(times**2)


def test_growth_is_that_of_the_best_line_through_all_sizes() -> None:
    sizes = [(0.0, 1.0), (0.1, 1.2), (0.2, 1.1), (0.4, 1.5)]
    line = Trend()
    for seconds, log in sizes:
        line = Trend(line.n + 1, line.x + seconds, line.y + log, line.xx + seconds**2, line.xy + seconds * log)
    mean_x, mean_y = 0.175, 1.2
    slope = sum((x - mean_x) * (y - mean_y) for x, y in sizes) / sum((x - mean_x) ** 2 for x, _ in sizes)
    assert growth(face(trend=line)) == pytest.approx(math.exp(slope * 0.4))


@pytest.mark.parametrize(("log", "expected"), [(6.0, 5.0), (-6.0, -5.0)])
def test_growth_is_bounded_both_ways(log: float, expected: float) -> None:
    assert growth(face(trend=trend(math.exp(log), 0.4))) == pytest.approx(math.exp(expected))


@pytest.mark.parametrize(("line", "expected"), [(Trend(1, 0.0, 3.0), 1.0), (Trend(2, 0.4, 3.0, 0.08, 9.0), 1.0)])
def test_sizes_of_one_time_tell_no_growth(line: Trend, expected: float) -> None:
    assert growth(face(trend=line)) == expected


def test_the_least_spread_of_times_tells_growth() -> None:
    assert growth(face(trend=trend(2.0, 0.001), first=0, last=10)) == pytest.approx(math.exp(5.0))


# --- doubts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doubtful", "doubts"),
    [
        (voted(0.75), ()),
        (voted(0.74), ("class_flips",)),
        (face(switches=3), ()),
        (face(switches=4), ("class_flips",)),
        (voted(1.0, 0.8), ()),
        (voted(1.0, 0.79), ("class_uncertain",)),
        (face(last=9, odd_shapes=5), ()),
        (face(last=9, odd_shapes=6), ("shape_odd",)),
    ],
)
def test_a_doubt_begins_right_beyond_its_limit(doubtful: FaceTrack, doubts: tuple[str, ...]) -> None:
    assert perceived([doubtful], coded=True).doubts == doubts


def test_flips_at_exactly_their_share_are_no_doubt() -> None:
    assert 0.34 * 50 == 17
    assert perceived([face(last=49, switches=17)], coded=True).doubts == ()
    assert perceived([face(last=49, switches=18)], coded=True).doubts == ("class_flips",)


def test_weak_looks_between_do_not_make_a_class_that_flips_steady() -> None:
    assert perceived([face(last=99, sure=10.0, switches=3.0)], coded=True).doubts == ()
    assert perceived([face(last=99, sure=10.0, switches=4.0)], coded=True).doubts == ("class_flips",)


def test_the_doubts_are_named_in_their_order() -> None:
    still = {"first_pose": pose(0), "last_pose": pose(30)}
    worst = voted(0.5, 0.5, odd_shapes=9, trend=trend(1.0, 0.4), sight=sight(0, 10, **still))
    words = ("class_flips", "class_uncertain", "shape_odd", "moves_with_vehicle")
    assert perceived([worst], coded=True).doubts == words


def test_switches_and_odd_shapes_of_all_faces_are_added_up() -> None:
    pair = [face(1, switches=4, odd_shapes=6), face(2, switches=4, odd_shapes=6)]
    assert perceived(pair, coded=True).doubts == ("class_flips", "shape_odd")
    assert perceived([pair[0], face(2)], coded=True).doubts == ()


@pytest.mark.parametrize(
    ("first", "last", "times", "doubted"),
    [
        (pose(0), pose(25.01), 1.14, True),
        (pose(0), pose(24.99), 1.14, False),
        (pose(0), pose(25.01), 1.16, False),
        (None, pose(25.01), 1.14, False),
        (pose(0), None, 1.14, False),
        (pose(0, 0), pose(0, 25.01), 1.14, True),
    ],
)
def test_a_face_moves_along_if_the_vehicle_came_nearer_and_it_did_not_grow(
    first: object, last: object, times: float, doubted: bool
) -> None:
    along = face(trend=trend(times, 0.4), sight=sight(0, 10, first_pose=first, last_pose=last))
    assert ("moves_with_vehicle" in perceived([along], coded=True).doubts) is doubted
    assert ("moves_with_vehicle" in perceived([face(2), along], coded=True).doubts) is doubted


def test_the_limits_stand_where_they_were_measured() -> None:
    assert (looks.LINGER_MS, faces.MAX_ASPECT, faces.SAME_PLACE) == (1000, 1.5, 0.35)
