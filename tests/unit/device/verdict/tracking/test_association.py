"""Faces and panels of one physical sign together: who belongs to whom, and when the sign has gone by."""

from __future__ import annotations

import pytest

from device.verdict.state import Beside, FaceTrack, PanelTrack, Watch
from device.verdict.tracking.association import PhysicalSign, associated, drop
from tests.support.verdict_samples import face, motion, panel, pose, sight, state


def together(faces: list[FaceTrack], panels: list[PanelTrack]) -> list[tuple[list[int], list[int]]]:
    """The numbers of the faces and of the panels of each pass."""
    found = associated(state(faces=faces, panels=panels))
    return [([one.number for one in sign.faces], [one.number for one in sign.panels]) for sign in found]


def test_each_face_without_a_panel_is_a_pass_of_its_own() -> None:
    assert together([face(1), face(2)], []) == [([1], []), ([2], [])]


def test_a_panel_without_votes_is_a_pass_of_its_own() -> None:
    assert together([face(1, 0, 10)], [panel(7, first=2)]) == [([1], []), ([], [7])]


def test_a_panel_hangs_at_the_face_with_most_votes_and_of_equals_at_the_first() -> None:
    assert together([face(1), face(2)], [panel(7, votes={1: 3, 2: 4})]) == [([1], []), ([2], [7])]
    assert together([face(1), face(2)], [panel(7, votes={2: 4, 1: 4})]) == [([1], [7]), ([2], [])]


def test_votes_for_a_face_that_is_gone_do_not_count() -> None:
    assert together([face(1)], [panel(7, votes={9: 8, 1: 1})]) == [([1], [7])]
    assert together([face(1, 5, 9)], [panel(7, votes={9: 8}, first=6)]) == [([1], []), ([], [7])]


@pytest.mark.parametrize(
    ("second", "votes", "joined"),
    [
        (face(2, 11, 20), {1: 5, 2: 2}, True),
        (face(2, 11, 20), {1: 5, 2: 1}, False),  # a single vote
        (face(2, 10, 20), {1: 5, 2: 2}, False),  # in sight at the same time
        (face(2, 11, 20), {1: 2, 2: 5}, True),  # the other way round
        (face(2, 10, 20), {1: 2, 2: 5}, False),
    ],
)
def test_faces_of_one_panel_are_one_sign_if_they_were_seen_one_after_the_other(
    second: FaceTrack, votes: dict[int, int], joined: bool
) -> None:
    found = together([face(1, 0, 10), second], [panel(7, votes=votes)])
    if joined:
        main, other = sorted(votes, key=lambda number: -votes[number])
        assert found == [([main, other], [7])]
    else:
        assert sorted(len(faces) for faces, _ in found) == [1, 1]


def test_panels_that_share_a_face_are_one_sign() -> None:
    first, second, third = face(1, 0, 10), face(2, 11, 20), face(3, 21, 30)
    panels = [panel(7, votes={1: 5, 2: 2}), panel(8, votes={2: 5, 3: 2})]
    assert together([first, second, third], panels) == [([1, 2, 3], [7, 8])]
    assert together([first, second], [panel(7, votes={1: 2}), panel(8, votes={1: 2})]) == [([1], [7, 8]), ([2], [])]


def test_the_passes_come_in_the_order_in_which_they_were_first_seen() -> None:
    assert together([face(1, 5, 10), face(2, 3, 20), face(3, 3, 8)], []) == [([3], []), ([2], []), ([1], [])]
    assert together([face(1, 5, 10)], [panel(7, first=4, last=6)]) == [([], [7]), ([1], [])]
    shown_first = panel(7, first=1, last=6, votes={2: 1})
    assert together([face(1, 2, 10), face(2, 5, 10)], [shown_first]) == [([2], [7]), ([1], [])]


def test_a_pass_that_is_over_takes_only_its_own_parts_along() -> None:
    held = state(faces=[face(1), face(2)], panels=[panel(7, votes={1: 2}), panel(8, votes={2: 2})])
    drop(held, associated(held)[0])
    assert ([one.number for one in held.faces], [one.number for one in held.panels]) == ([2], [8])


# --- one pass -----------------------------------------------------------------------------------------------------


def test_a_pass_goes_from_the_first_to_the_last_frame_of_all_its_parts() -> None:
    sign = PhysicalSign([face(1, 5, 12), face(2, 14, 30)], [panel(7, first=3, last=20), panel(8, first=8, last=25)])
    assert (sign.first_frame, sign.last.last_frame) == (3, 30)
    assert [one.first_frame for one in sign.sights] == [5, 14, 3, 8]


def test_the_last_pose_is_that_of_the_part_seen_last_with_one() -> None:
    early = face(1, sight=sight(0, 10, last_pose=pose(1)))
    late = face(2, sight=sight(0, 20, last_pose=pose(2)))
    blind = face(3, sight=sight(0, 30))
    assert PhysicalSign([early, late, blind], []).last_pose == pose(2)
    assert PhysicalSign([late, early, blind], []).last_pose == pose(2)
    assert PhysicalSign([blind], []).last_pose is None


@pytest.mark.parametrize(("pose_ms", "placed"), [(400, True), (-100, True), (-101, False)])
def test_a_pass_is_placed_if_its_pose_is_half_a_second_old_at_most(pose_ms: int, placed: bool) -> None:
    known = face(1, sight=sight(0, 10, last_pose=pose(1), pose_ms=pose_ms))
    assert PhysicalSign([known], []).is_placed is placed
    older = face(2, sight=sight(0, 9, last_pose=pose(1), pose_ms=-5000))
    assert PhysicalSign([known, older], []).is_placed is placed


def test_a_pass_without_any_pose_is_not_placed() -> None:
    assert not PhysicalSign([face(1, sight=sight(0, 0, pose_ms=0))], []).is_placed


@pytest.mark.parametrize(("t_ms", "over"), [(1400, False), (1401, True)])
def test_a_pass_is_over_a_second_after_all_its_parts(t_ms: int, over: bool) -> None:
    both_look = state(looked=Watch(t_ms, 2000), read=Watch(t_ms, 2000))
    sign = PhysicalSign([face(1, 0, 10)], [panel(7, first=0, last=5)])
    assert sign.is_over(both_look, t_ms) is over
    assert PhysicalSign([face(1, 0, 5)], [panel(7, first=0, last=10)]).is_over(both_look, t_ms) is over


def test_a_pass_is_not_over_while_one_of_the_readers_does_not_look() -> None:
    sign = PhysicalSign([face(1, 0, 10)], [panel(7, first=0, last=5)])
    for looked, read in ((2000, 0), (0, 2000), (0, 0)):
        assert not sign.is_over(state(looked=Watch(3000, looked), read=Watch(3000, read)), 3000)


# --- faces that are of something else -----------------------------------------------------------------------------


def test_a_face_that_rested_while_the_panel_went_by_does_not_own_it() -> None:
    held = panel(
        7, votes={1: 9, 2: 3}, beside={1: Beside(motion(), motion(), parted=True), 2: Beside(motion(), motion())}
    )
    assert together([face(1), face(2)], [held]) == [([1], []), ([2], [7])]


@pytest.mark.parametrize(
    ("came_m", "accuracy_m", "unread_ms", "by_itself"),
    [
        (30.1, 3.0, 1100, True),
        (29.0, 3.0, 1100, False),  # it may be ahead yet
        (35.0, 6.0, 1100, False),  # as far as anybody knows
        (36.5, 6.0, 1100, True),
        (60.0, 3.0, 900, False),  # it was just read
    ],
)
def test_a_panel_that_was_passed_is_not_held_up_by_a_face_that_is_still_in_sight(
    came_m: float, accuracy_m: float, unread_ms: int, by_itself: bool
) -> None:
    now = 400 + unread_ms
    read = panel(7, votes={1: 9, 2: 5}, sight=sight(0, 10, last_pose=pose(0, accuracy_m=accuracy_m)))
    in_sight, gone = face(1, 0, 400), face(2, -20, -5)
    gone.sight.last_ms = -2000
    held = state(faces=[in_sight, gone], panels=[read], looked=Watch(now, 9000), read=Watch(now, 9000))
    found = associated(held, now, pose(came_m, accuracy_m=accuracy_m))
    parts = [(sorted(one.number for one in sign.faces), len(sign.panels)) for sign in found]
    assert sorted(parts) == sorted([([1], 0), ([2], 1)] if by_itself else [([1, 2], 1)])
    assert len(associated(held, now, None)) == 1, "without a place nobody knows that it was passed"


def test_a_face_holds_no_codes_of_two_signs_that_were_read_one_after_the_other() -> None:
    def owner(one: PanelTrack) -> frozenset[bytes]:
        return frozenset({b"A" if one.number == 7 else b"B"})

    after = state(
        faces=[face(1, 0, 90)],
        panels=[panel(7, first=0, last=9, votes={1: 9}), panel(8, first=20, last=30, votes={1: 9})],
    )
    assert [[one.number for one in sign.panels] for sign in associated(after, sign_ids=owner)] == [[7], [8]]
    assert len(associated(after)) == 1, "what cannot be told apart stays together: the worst decides"
    at_once = state(
        faces=[face(1, 0, 90)], panels=[panel(7, last=25, votes={1: 9}), panel(8, first=20, last=30, votes={1: 9})]
    )
    assert len(associated(at_once, sign_ids=owner)) == 1, "of two codes that hang side by side neither is believed"
