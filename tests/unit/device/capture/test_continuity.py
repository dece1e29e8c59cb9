"""A picture that goes on as before is told from one of another place."""

from __future__ import annotations

import pytest

from device.capture.continuity import Continuity
from tests.support.videos import street


def watched(*numbers: int) -> list[bool]:
    continuity = Continuity()
    return [continuity.goes_on(street(number, 320, 192)) for number in numbers]


def test_the_next_frame_of_a_drive_goes_on() -> None:
    assert all(watched(*range(30))[4:])


@pytest.mark.parametrize("pause", [20, 60, 120])
def test_after_a_pause_it_does_not(pause: int) -> None:
    assert watched(*range(20), 20 + pause)[-1] is False


def test_what_cannot_be_compared_does_not_go_on() -> None:
    continuity = Continuity()
    assert not continuity.goes_on(street(0))
    assert not continuity.goes_on(street(1))  # too little was seen to know what is usual
    assert not continuity.goes_on(street(0, 320, 192))  # another size
    assert not continuity.goes_on(street(0)[:4, :4])
