"""A registered sign is missing only if the vehicle passed it nearby and both readers looked, from far to near."""

from __future__ import annotations

import pytest

from device.verdict.state import MAX_ATTRIBUTED, MAX_EXPECTED, MAX_SHOWN, ExpectedSign, Moment, SeenSign, Shown, State
from device.verdict.tracking.expected_signs import Surroundings, attribute, due, pass_by, recently_shown, show, was_seen
from tests.support.verdict_samples import ID, OTHER_ID, box, exactly_ahead, listed, moment, pose, state, unrounded
from wire.geodesy import Pose


def passing(**changes: object) -> ExpectedSign:
    """A sign that was watched and passed at 10 s."""
    fields: dict[str, object] = {"last_ms": 10_000, "farthest_ahead_m": 25.0, "nearest_ahead_m": 6.0, "closest_m": 4.0}
    fields |= {"watched_m": 19.0, "read_m": 9.0, "nearest_read_m": 6.0, "passed_ms": 10_000}
    fields |= {"view_m": 80.0, "view_ms": 9000}
    return ExpectedSign(sign_id=ID, first_frame=1, last_frame=9, **(fields | changes))  # type: ignore[arg-type]


def step(held: State, frame: int, place: Pose | None, **said: object) -> Moment:
    """The vehicle at `place` by a sign at zero."""
    at = moment(frame, **said)  # type: ignore[arg-type]
    pass_by(held, Surroundings(unrounded(listed(0.0))), at, place)
    return at


def after(place: Pose | None, before: ExpectedSign, **said: object) -> ExpectedSign:
    held = state(expected=[before])
    step(held, 300, place, **said)
    return held.expected[0]


# --- who is watched -----------------------------------------------------------------------------------------------


def test_a_sign_that_comes_near_is_watched_from_then_on() -> None:
    held = state()
    at = step(held, 5, pose(-46.0))
    assert held.expected == []
    at = step(held, 6, pose(-40.0))
    (one,) = held.expected
    assert (one.sign_id, one.first_frame, one.last_frame, one.last_ms) == (ID, 6, 6, 240)
    assert (one.farthest_ahead_m, one.nearest_ahead_m, one.closest_m) == (-45.0, 45.0, pytest.approx(40.0))
    assert (one.utc_ms, one.pose, one.passed_ms, one.settled) == (at.utc_ms, pose(-40.0), None, False)
    assert (one.watched_m, one.read_m, one.nearest_read_m) == (0, 0, None)


@pytest.mark.parametrize("place", [None, pose(-20.0, heading=None)])
def test_without_a_pose_or_a_heading_nothing_goes_by(place: Pose | None) -> None:
    held = state(expected=[passing(passed_ms=None)])
    step(held, 300, place)
    assert held.expected == [passing(passed_ms=None)]


def test_a_sign_is_watched_by_the_way_and_not_by_the_frames() -> None:
    """Standing still adds nothing, nor does rolling back; and a second way over the same metres is none."""
    held = state()
    for frame, metres in enumerate((20.0, 20.0, 20.0, 14.0, 16.0, 13.0)):
        step(held, frame, pose(-metres))
    (one,) = held.expected
    assert one.watched_m == pytest.approx(7.0)
    assert one.read_m == pytest.approx(1.0)


@pytest.mark.parametrize("metres", [0.1, 0.5, 1.0, 2.5, 5.0])
def test_as_much_of_the_way_is_watched_at_any_rate_of_looks(metres: float) -> None:
    held = state()
    for frame in range(round(26.0 / metres) + 1):
        step(held, frame, pose(-(30.0 - frame * metres)), t_ms=frame)
    (one,) = held.expected
    assert one.watched_m == pytest.approx(25.0, abs=max(1.1, metres + 0.1))
    assert one.read_m == pytest.approx(11.0, abs=max(1.1, 1.5 * metres))


@pytest.mark.parametrize(("metres", "added"), [(7.99, 7.99), (8.01, 0.0)])
def test_what_goes_by_in_one_leap_was_not_watched(metres: float, added: float) -> None:
    held = state()
    step(held, 0, pose(-25.0))
    step(held, 1, pose(-25.0 + metres))
    assert held.expected[0].watched_m == pytest.approx(added)


@pytest.mark.parametrize(
    ("changes", "t_ms", "kept"),
    [
        ({"passed_ms": None}, 15_000, True),
        ({"passed_ms": None}, 15_001, False),
        ({"settled": True}, 15_000, True),
        ({"settled": True}, 15_001, False),
        ({}, 90_000, True),  # passed, and not yet judged
        ({"passed_ms": None, "settled": True}, 15_001, False),
    ],
)
def test_a_sign_is_forgotten_five_seconds_after_it_was_last_near(
    changes: dict[str, object], t_ms: int, kept: bool
) -> None:
    held = state(expected=[passing(**changes)])
    step(held, 0, None, t_ms=t_ms)
    assert bool(held.expected) is kept


def test_at_the_cap_no_further_sign_is_watched_but_those_that_are_go_on() -> None:
    assert MAX_EXPECTED == 64
    others = [passing(last_ms=0) for _ in range(MAX_EXPECTED)]
    for number, other in enumerate(others):
        other.sign_id = bytes([number + 100]) * 8
    held = state(expected=list(others))
    step(held, 1, pose(-20.0))
    assert held.expected == others
    held.expected[-1].sign_id, held.expected[-1].passed_ms = ID, None
    step(held, 2, pose(-20.0))
    assert (held.expected[-1].last_ms, len(held.expected)) == (80, MAX_EXPECTED)
    held = state(expected=others[:-1])
    step(held, 1, pose(-20.0))
    assert (len(held.expected), held.expected[-1].sign_id) == (MAX_EXPECTED, ID)


def test_a_full_list_does_not_stop_the_signs_after_the_first_new_one() -> None:
    held = state(expected=[passing(last_ms=0) for _ in range(MAX_EXPECTED)])
    held.expected[0].sign_id, held.expected[0].passed_ms = OTHER_ID, None
    for one in held.expected[1:]:
        one.sign_id = b"\x09" * 8
    both = Surroundings(unrounded(listed(0.0), listed(5.0, sign_id=OTHER_ID)))
    pass_by(held, both, moment(1), pose(-20.0))
    assert held.expected[0].last_ms == 40


# --- how it is passed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metres", "watched"),
    [(4.99, False), (5.0, True), (30.0, True), (30.01, False), (-5.0, False), (0.0, False), (17.0, True)],
)
def test_perception_watches_between_thirty_and_five_metres_ahead(metres: float, watched: bool) -> None:
    place = Pose(-exactly_ahead(metres), 0.0, 0.0, 3.0) if metres in (5.0, 30.0) else pose(-metres)
    before = {"passed_ms": None, "nearest_ahead_m": 30.5, "farthest_ahead_m": 31.0}
    one = after(place, passing(**before))
    assert (one.nearest_ahead_m < 30.5) is watched
    one = after(place, passing(**before), boxes=None)
    assert (one.watched_m, one.farthest_ahead_m, one.nearest_ahead_m) == (19.0, 31.0, 30.5)


@pytest.mark.parametrize(("metres", "read"), [(3.99, False), (4.0, True), (15.0, True), (15.01, False), (-4.0, False)])
def test_the_code_reader_reads_between_fifteen_and_four_metres_ahead(metres: float, read: bool) -> None:
    place = Pose(-exactly_ahead(metres), 0.0, 0.0, 3.0) if metres in (4.0, 15.0) else pose(-metres)
    one = after(place, passing(passed_ms=None, nearest_read_m=None))
    assert (one.nearest_read_m is not None) is read
    assert one.read_m == 9.0
    one = after(place, passing(passed_ms=None, nearest_read_m=15.5))
    assert (one.read_m > 9.0) is (read and metres > 7.5)
    assert after(place, passing(passed_ms=None, nearest_read_m=15.5), readings=None).read_m == 9.0


def test_how_far_and_how_near_it_was_watched_is_kept() -> None:
    fresh = {"farthest_ahead_m": -45.0, "nearest_ahead_m": 45.0, "closest_m": 45.0, "passed_ms": None}
    one = after(pose(-20.0, 5.0), passing(**fresh))
    assert (one.farthest_ahead_m, one.nearest_ahead_m) == (pytest.approx(20.0), pytest.approx(20.0))
    assert one.closest_m == pytest.approx((20.0**2 + 5.0**2) ** 0.5)
    kept = after(pose(-20.0), passing(passed_ms=None))
    assert (kept.farthest_ahead_m, kept.nearest_ahead_m, kept.closest_m) == (25.0, 6.0, 4.0)


@pytest.mark.parametrize(
    ("metres", "closest", "passed"),
    [(5.01, 24.9, True), (5.0, 24.9, False), (5.01, 25.0, False), (-5.01, 4.0, False), (20.0, 4.0, True)],
)
def test_a_sign_is_passed_five_metres_behind_if_it_was_near(metres: float, closest: float, passed: bool) -> None:
    aside = 30.0 if closest > 20 else 0.0
    place = Pose(exactly_ahead(5.0), pose(0, aside).lon, 0.0, 3.0) if metres == 5.0 else pose(metres, aside)
    one = after(place, passing(passed_ms=None, closest_m=closest))
    assert one.passed_ms == (12_000 if passed else None)


def test_a_passed_sign_is_followed_no_more_but_known_to_be_near() -> None:
    one = after(pose(-2.0, 1.0), passing())
    assert one == passing(last_ms=12_000, closest_m=one.closest_m)
    assert one.closest_m == pytest.approx(5**0.5)


@pytest.mark.parametrize(
    ("place", "known", "taken"),
    [
        (pose(-1.0), pose(-9.0), True),
        (pose(0.0), pose(-9.0), True),
        (pose(1.0), pose(-9.0), False),
        (pose(1.0), None, True),
    ],
)
def test_the_place_of_a_missing_sign_is_the_last_before_it(place: Pose, known: Pose | None, taken: bool) -> None:
    one = after(place, passing(passed_ms=None, pose=known, utc_ms=7))
    if taken:
        assert (one.last_frame, one.utc_ms, one.pose) == (300, moment(300).utc_ms, place)
    else:
        assert (one.last_frame, one.utc_ms, one.pose) == (9, 7, known)


# --- what is due --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "t_ms", "finishing", "judged"),
    [
        ({}, 12_500, False, True),
        ({}, 12_499, False, False),
        ({}, 10_000, True, True),
        ({"passed_ms": None}, 90_000, True, False),
        ({"settled": True}, 90_000, True, False),
    ],
)
def test_a_sign_is_judged_once_two_and_a_half_seconds_after_it_was_passed(
    changes: dict[str, object], t_ms: int, finishing: bool, judged: bool
) -> None:
    held = state(expected=[passing(**changes)])
    assert bool(due(held, t_ms, finishing=finishing)) is judged
    assert held.expected[0].settled is (judged or "settled" in changes)
    assert due(held, t_ms, finishing=finishing) == []


def test_unless_it_is_said_nothing_is_finishing() -> None:
    assert due(state(expected=[passing()]), 10_000) == []


@pytest.mark.parametrize(
    ("changes", "watched"),
    [
        ({"farthest_ahead_m": 20.0}, True),
        ({"farthest_ahead_m": 19.9}, False),
        ({"nearest_ahead_m": 12.0}, True),
        ({"nearest_ahead_m": 12.1}, False),
        ({"watched_m": 12.0}, True),
        ({"watched_m": 11.9}, False),
        ({"read_m": 4.0}, True),
        ({"read_m": 3.9}, False),
    ],
)
def test_only_a_sign_that_was_watched_is_judged(changes: dict[str, object], watched: bool) -> None:
    held = state(expected=[passing(**changes)])
    assert bool(due(held, 20_000)) is watched
    assert held.expected[0].settled


# --- what was seen of it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sign_id", "last_ms", "seen"), [(ID, -20_000, True), (ID, -20_001, False), (OTHER_ID, 10_000, False)]
)
def test_a_sign_was_seen_if_something_was_attributed_to_it_within_half_a_minute(
    sign_id: bytes, last_ms: int, seen: bool
) -> None:
    held = state(attributed=[SeenSign(OTHER_ID, 10_000), SeenSign(sign_id, last_ms)])
    assert was_seen(held, passing()) is seen


def test_a_sign_that_is_not_passed_counts_from_the_start_of_the_stream() -> None:
    assert was_seen(state(attributed=[SeenSign(ID, -30_000)]), passing(passed_ms=None))
    assert not was_seen(state(attributed=[SeenSign(ID, -30_001)]), passing(passed_ms=None))


def test_what_was_seen_is_kept_for_a_minute() -> None:
    held = state(attributed=[SeenSign(OTHER_ID, 40_000), SeenSign(OTHER_ID, 39_999)])
    attribute(held, ID, 100_000)
    assert held.attributed == [SeenSign(OTHER_ID, 40_000), SeenSign(ID, 100_000)]
    held = state(shown=[Shown(OTHER_ID, 40_000, pose()), Shown(OTHER_ID, 39_999, pose())])
    show(held, ID, 100_000, pose(1))
    assert held.shown == [Shown(OTHER_ID, 40_000, pose()), Shown(ID, 100_000, pose(1))]


def test_at_the_cap_what_was_seen_first_goes() -> None:
    assert (MAX_ATTRIBUTED, MAX_SHOWN) == (256, 64)
    held = state()
    for number in range(MAX_ATTRIBUTED + 1):
        attribute(held, number.to_bytes(8, "big"), number)
        assert len(held.attributed) == min(number + 1, MAX_ATTRIBUTED)
    assert [one.last_ms for one in held.attributed] == [*range(1, MAX_ATTRIBUTED + 1)]
    for number in range(MAX_SHOWN + 1):
        show(held, number.to_bytes(8, "big"), number, pose())
        assert len(held.shown) == min(number + 1, MAX_SHOWN)
    assert [one.last_ms for one in held.shown] == [*range(1, MAX_SHOWN + 1)]


def test_a_box_does_not_matter_to_the_watch() -> None:
    seen = passing(passed_ms=None, nearest_ahead_m=21.0)
    assert after(pose(-20.0), seen, boxes=[box()]).watched_m == pytest.approx(20.0)


@pytest.mark.parametrize(("ago_ms", "counts"), [(0, True), (60_000, True), (60_001, False), (3_600_000, False)])
def test_a_code_that_was_read_long_ago_does_not_make_its_own_sign_a_copy(ago_ms: int, counts: bool) -> None:
    known = State("test", shown=[Shown(ID, 1_000, Pose(52.0, 13.0, 0.0, 1.0))])
    assert bool(recently_shown(known, 1_000 + ago_ms)) == counts
