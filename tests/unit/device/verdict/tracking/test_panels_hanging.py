"""Which sign face a code panel hangs at: right below it or beside it, of about its size, and seen just now."""

from __future__ import annotations

import pytest

from device.channel.messages import Reading
from device.verdict.state import MAX_VOTED, FaceTrack, Motion, State
from device.verdict.tracking import panels
from tests.support.verdict_samples import face, moment, motion, panel, reading, state


def read(before: State, frame: int, found: Reading, t_ms: int) -> None:
    panels.read(before, moment(frame, t_ms, readings=[found]), [found], None)


def votes(found: Reading, *faces: FaceTrack, t_ms: int = 400) -> dict[int, int]:
    seen = state(faces=list(faces))
    read(seen, 10, found, t_ms=t_ms)
    return seen.panels[0].votes


def followed(number: int = 1, x: float = 500.0, y: float = 300.0, size: float = 40.0, last: int = 10) -> FaceTrack:
    return face(number, 0, last, motion=motion(x, y, size, size, last * 40))


@pytest.mark.parametrize(
    ("aside", "down", "hangs"),
    [
        (0.0, 0.4, True),
        (0.0, 0.39, False),
        (0.0, 2.2, True),
        (0.0, 2.21, False),
        (0.7, 1.0, True),
        (-0.7, 1.0, True),
        (0.71, 1.0, False),
        (-0.71, 1.0, False),
        (0.0, -1.0, False),
        (0.6, 0.0, True),
        (-0.6, 0.0, True),
        (0.59, 0.0, False),
        (1.8, 0.0, True),
        (-1.8, 0.0, True),
        (1.81, 0.0, False),
        (1.0, 0.5, True),
        (1.0, -0.5, True),
        (1.0, 0.51, False),
        (1.0, -0.51, False),
        (0.0, 0.0, False),
    ],
)
def test_a_panel_hangs_below_or_beside_its_face(aside: float, down: float, hangs: bool) -> None:
    found = votes(reading(x=500.0 + 40 * aside, y=300.0 + 40 * down), followed())
    assert found == ({1: 1} if hangs else {})


@pytest.mark.parametrize(("w", "hangs"), [(16.0, True), (15.9, False), (100.0, True), (100.1, False)])
def test_a_panel_is_about_as_wide_as_its_face(w: float, hangs: bool) -> None:
    assert votes(reading(w=w, x=500.0 + (40.0 - w) / 2), followed()) == ({1: 1} if hangs else {})


@pytest.mark.parametrize(("code_px", "sign_px"), [(60.0, 40.0), (40.0, 60.0)])
def test_distances_are_in_the_larger_of_the_two_heights(code_px: float, sign_px: float) -> None:
    for down, hangs in ((2.19, True), (2.21, False)):
        found = votes(reading(y=300.0 + 60 * down, size=code_px), followed(size=sign_px))
        assert found == ({1: 1} if hangs else {})


@pytest.mark.parametrize(("t_ms", "hangs"), [(900, True), (901, False)])
def test_a_face_that_was_not_seen_for_half_a_second_has_no_panel(t_ms: int, hangs: bool) -> None:
    assert votes(reading(), followed(), t_ms=t_ms) == ({1: 1} if hangs else {})


def test_the_face_is_where_it_is_expected_by_now() -> None:
    moving = followed()
    moving.motion = Motion(420.0, 300.0, 40.0, 40.0, 0, 0.2)
    assert votes(reading(), moving) == {1: 1}


def test_the_nearest_face_gets_the_vote_and_of_equals_the_first() -> None:
    near, far = followed(2, y=300.0), followed(1, y=280.0)
    assert votes(reading(), far, near) == {2: 1}
    assert votes(reading(), followed(4), followed(3)) == {3: 1}


def test_beside_and_below_are_measured_both_ways() -> None:
    """A face right above (1.0 down) is nearer than one beside it that is 0.7 aside and 0.4 above."""
    assert votes(reading(), followed(1, x=500.0 - 28.0, y=340.0 + 16.0), followed(2)) == {2: 1}


def test_votes_are_added_up_and_at_the_cap_only_for_known_faces() -> None:
    assert MAX_VOTED == 8
    known = {number: 2 for number in range(10, 10 + MAX_VOTED)}
    for number, expected in ((17, known | {17: 3}), (1, known)):
        seen = state(faces=[followed(number)], panels=[panel(7, votes=dict(known))])
        read(seen, 11, reading(), t_ms=440)
        assert seen.panels[0].votes == expected
    seen = state(faces=[followed(1)], panels=[panel(7, votes={10: 2})])
    read(seen, 11, reading(), t_ms=440)
    assert seen.panels[0].votes == {10: 2, 1: 1}


@pytest.mark.parametrize(
    ("quarters", "right", "down", "hangs"),
    [
        (0, 0.0, -1.0, False),
        (2, 0.0, -1.0, True),
        (2, 0.6, -2.1, True),
        (2, 0.0, -2.3, False),
        (2, 0.0, 1.0, True),
        (1, -2.0, 0.0, True),
        (1, 2.0, 0.0, False),
        (3, 2.0, 0.0, True),
        (3, -2.0, 0.0, False),
        (1, 0.0, -1.0, True),
        (1, 0.0, -2.0, False),
    ],
)
def test_where_the_symbol_is_turned_so_may_the_picture_be(
    quarters: int, right: float, down: float, hangs: bool
) -> None:
    """Upside down the panel is above its face, lying on its side beside it; hung upside down it is below as ever."""
    found = votes(reading(x=500.0 + 40 * right, y=300.0 + 40 * down, quarters=quarters), followed())
    assert found == ({1: 1} if hangs else {})


def test_of_signs_above_each_other_an_upright_panel_hangs_at_the_one_above_it_only() -> None:
    above, below = followed(1, y=290.0), followed(2, y=380.0)
    assert votes(reading(), above, below) == {1: 1}
    assert votes(reading(), below) == {}
