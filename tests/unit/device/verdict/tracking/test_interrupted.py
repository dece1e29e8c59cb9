"""A face that was lost before it was passed waits for its code, and goes with the code that is read in its place."""

from __future__ import annotations

import pytest

from device.verdict.state import FaceTrack, PanelTrack
from device.verdict.tracking import interrupted
from device.verdict.tracking.association import PhysicalSign, associated
from tests.support.verdict_samples import face, motion, panel, pose, sight, state, trend

OURS = b"SR1:A"


def lost(**changes: object) -> FaceTrack:
    """A face at 40 m and then, a second and 20 m later, at 20 m."""
    seen = sight(0, 25, first_pose=pose(0), last_pose=pose(20), pose_ms=1000)
    return face(1, sight=seen, motion=motion(900, 300, 50, 50, 1000), trend=trend(2.0, 1.0), **changes)


def symbol(north: float, *data: bytes, **changes: object) -> PanelTrack:
    """A panel that was read 10 m and 5 m before its place, which is so far up the road."""
    seen = sight(38, 44, first_pose=pose(north - 10), last_pose=pose(north - 5), pose_ms=1760)
    at, home = motion(1200, 420, 200, 200, 1760), motion(1000, 420, 100, 100, 1500)
    return panel(7, *data, **({"sight": seen, "motion": at, "home": home} | changes))


def is_one(one: FaceTrack, code: PanelTrack, *others: FaceTrack) -> bool:
    signs = associated(state(faces=[one, *others], panels=[code]))
    return any(one in sign.faces and code in sign.panels for sign in signs)


@pytest.mark.parametrize(("came_m", "waits"), [(0.0, True), (15.0, True), (40.0, False)])
def test_it_waits_until_the_vehicle_has_surely_passed_it(came_m: float, waits: bool) -> None:
    assert interrupted.is_ahead(PhysicalSign([lost()]), 3000, pose(20 + came_m)) is waits


def test_it_waits_for_a_time_where_nobody_knows_the_place_and_never_without_end() -> None:
    sign = PhysicalSign([lost()])
    assert interrupted.is_ahead(sign, 1500, None)
    assert not interrupted.is_ahead(sign, 4000, None)
    assert not interrupted.is_ahead(sign, 1000 + interrupted.MOST_MS + 1, pose(20))
    assert not interrupted.is_ahead(PhysicalSign([lost()], [symbol(40, OURS)]), 1500, pose(20)), "its code was read"


@pytest.mark.parametrize(("north", "own"), [(40.0, True), (26.0, False), (70.0, False), (120.0, False)])
def test_a_code_that_is_read_where_the_face_would_be_is_its_own(north: float, own: bool) -> None:
    assert is_one(lost(), symbol(north, OURS)) is own


def test_only_a_code_that_claims_to_be_ours_and_is_not_carried_along_is() -> None:
    assert not is_one(lost(), symbol(40, b"https://example.org"))
    assert not is_one(lost(), symbol(40))
    assert not is_one(lost(), symbol(40, OURS, carried=True))


def test_a_code_on_the_other_side_of_the_way_is_none_of_it() -> None:
    right = lost()
    right.motion.vx = 0.1
    assert is_one(right, symbol(40, OURS))
    assert not is_one(right, symbol(40, OURS, motion=motion(300, 420, 200, 200, 1760)))


def test_beside_a_face_that_the_code_hangs_at_it_must_be_of_its_class_or_seen_before_it() -> None:
    code = symbol(40, OURS, votes={2: 9})
    after, meanwhile = face(2, 30, 44), face(2, 20, 44)
    assert is_one(lost(), code, after) and is_one(lost(), code, meanwhile)
    for other in (after, meanwhile):
        other.class_weight, other.class_certainty = {1: 10.0}, {1: 9.0}
    assert is_one(lost(), code, after) and not is_one(lost(), code, meanwhile)


def test_a_face_that_rests_is_nowhere_ahead_and_takes_no_code() -> None:
    rests = lost()
    rests.trend = trend(1.0, 1.0)
    assert not is_one(rests, symbol(40, OURS))
    assert not interrupted.is_ahead(PhysicalSign([rests]), 1500, pose(20))
