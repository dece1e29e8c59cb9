"""What the user is told of pictures: once, and only where there is something to tell."""

from __future__ import annotations

import pytest

from device.cli.pictures import picture_notes


@pytest.mark.parametrize("pictures", [None, {}, {"carried_codes": 0, "blank_s": 0.0}])
def test_nothing_is_said_where_nothing_was_left_out(pictures: dict[str, float] | None) -> None:
    assert picture_notes(pictures) == []


def test_codes_that_are_carried_along_are_told_once() -> None:
    assert picture_notes({"carried_codes": 1})[0].startswith("1 code was left out: carried along")
    assert picture_notes({"carried_codes": 3})[0].startswith("3 codes were left out")


def test_codes_that_were_seen_mirrored_are_told_with_what_a_mirroring_camera_needs() -> None:
    assert "mirrored once" in picture_notes({"mirrored_codes": 1})[0]
    [note] = picture_notes({"mirrored_codes": 31})
    assert "mirrored 31 times" in note and "[camera] flip" in note


def test_time_without_a_picture_is_told_with_what_to_look_at() -> None:
    [note] = picture_notes({"blank_s": 9.4})
    assert note.startswith("for 9.4 s the picture was blank") and "covered" in note


def test_frames_of_which_perception_says_nothing_to_codes_are_told_beyond_those_in_flight() -> None:
    assert picture_notes({"without_regions": 4}) == []
    assert "in 5 frames" in picture_notes({"without_regions": 5})[0]


@pytest.mark.parametrize("placed", [0, 1, 4])
def test_registered_signs_whose_codes_were_not_read_are_told_beside_those_that_were(placed: int) -> None:
    [one] = picture_notes({"unread_codes": 1, "placed_codes": placed})
    assert one.startswith("1 registered sign was seen and its code not read") and "in focus" in one
    assert f"(codes that were read in their places: {placed})" in one
    assert picture_notes({"unread_codes": 3})[0].startswith("3 registered signs were seen, their codes not read")
    assert picture_notes({"unread_codes": 0, "placed_codes": placed}) == []
