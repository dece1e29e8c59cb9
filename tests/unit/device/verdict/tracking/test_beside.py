"""A face that rests in the picture while a panel goes by it is of another thing; one that moves with it is its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from device.channel.messages import Box
from device.verdict.state import MAX_VOTED, FaceTrack, PanelTrack
from device.verdict.tracking import beside
from device.verdict.tracking.motion import moved, start
from tests.support.verdict_samples import box, face, panel, reading

LOOKS = range(0, 500, 40)


def followed(way: Callable[[float], Box], symbol: Callable[[float], tuple[float, float, float]]) -> PanelTrack:
    """The panel after half a second; both ways are told by how far it has gone, 0 to 1."""
    held: tuple[FaceTrack, PanelTrack] | None = None
    for t_ms in LOOKS:
        x, y, size = symbol(t_ms / 500)
        seen, read = way(t_ms / 500), reading(x=x, y=y, size=size)
        if held is None:
            held = face(1), panel(7)
            held[0].motion, held[1].motion = start(seen, t_ms), start(read, t_ms)
        else:
            held[0].motion, held[1].motion = moved(held[0].motion, seen, t_ms), moved(held[1].motion, read, t_ms)
        beside.compare(held[1], [held[0]], t_ms)
    assert held is not None
    return held[1]


def passing(gone: float) -> tuple[float, float, float]:
    return 900 + 300 * gone, 400.0, 80 + 80 * gone


def test_a_face_that_rests_while_the_panel_grows_and_goes_by_is_none_of_its_sign() -> None:
    assert followed(lambda gone: box(1000, 280, 100), passing).beside[1].parted
    trembling = followed(lambda gone: box(1000 + 10 * (gone * 12 % 2), 280, 100 + 6 * (gone * 12 % 2)), passing)
    assert trembling.beside[1].parted


@pytest.mark.parametrize(
    "way",
    [
        lambda gone: box(900 + 300 * gone, 300 - 60 * gone, 80 + 80 * gone),  # of the same sign
        lambda gone: box(1000, 60, w=80 + 80 * gone, h=100 - 10 * gone),  # cut off by the picture's edge
    ],
)
def test_a_face_that_grows_or_moves_as_the_panel_does_stays_its_own(way: Callable[[float], Box]) -> None:
    assert not followed(way, passing).beside[1].parted


def test_before_a_sign_at_which_the_vehicle_waits_both_rest() -> None:
    assert not followed(lambda gone: box(1000, 280, 100), lambda gone: (1000, 400, 100)).beside[1].parted


def test_a_face_that_rested_and_then_drives_by_with_the_panel_is_its_own() -> None:
    def late(gone: float) -> float:
        return max(0.0, gone - 0.5) * 2

    found = followed(lambda gone: box(900 + 300 * late(gone), 300, 80 + 80 * late(gone)), lambda g: passing(late(g)))
    assert not found.beside[1].parted


def test_a_face_that_was_not_just_seen_is_not_compared() -> None:
    held, other = panel(7), face(1)
    other.motion = start(box(1000, 280, 100), 0)
    for t_ms in LOOKS:
        x, y, size = passing(t_ms / 500)
        held.motion = start(reading(x=x, y=y, size=size), t_ms)
        beside.compare(held, [other], t_ms)
    assert not held.beside[1].parted


def test_a_flood_of_faces_is_remembered_up_to_a_bound_and_the_nearest_first() -> None:
    held = panel(7)
    held.motion = start(reading(x=1000, y=400, size=80), 0)
    crowd = [face(number) for number in range(40)]
    for number, one in enumerate(crowd):
        one.motion = start(box(1000 + 2 * number, 300, 80), 0)
    beside.compare(held, crowd[::-1], 0)
    assert sorted(held.beside) == list(range(MAX_VOTED))
    beside.compare(held, crowd[3:], 0)
    assert not set(held.beside) & {0, 1, 2}, "a face that is followed no longer is forgotten"
