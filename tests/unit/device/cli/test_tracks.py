"""The lines about the track, and none where nothing is to be said."""

from __future__ import annotations

from typing import Any

import pytest

from device.cli.tracks import track_notes

GOOD: dict[str, Any] = {
    "fixes": 30, "left_out": {}, "typical_s": 1.0, "longest_gap_s": 1.0, "breaks": 0, "cut_off": False,
    "rounded_m": None, "other_courses": 0,
    "moments": 75, "unplaced": 0, "vague": 0, "not_believed": 0, "unsure": 0,
    "nearest_sign_m": None, "miswritten": None,
}  # fmt: skip


@pytest.mark.parametrize("track", [None, {}, GOOD])
def test_a_good_track_or_none_is_not_talked_about(track: dict[str, Any] | None) -> None:
    assert track_notes(track, "drive.gpx") == []


def test_what_was_left_out_is_told_with_count_and_reason() -> None:
    track = GOOD | {"left_out": {"no_time": 1, "impossible": 6}, "cut_off": True, "not_believed": 2}
    assert track_notes(track, "drive.gpx") == [
        "drive.gpx: 7 of 37 points left out: 1 without a time that can be read, "
        "6 where no vehicle can have been then",
        "drive.gpx ends before its end tags, as a file that was cut off",
        "2 fixes were not believed: no vehicle can have driven so",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, "can be VERIFIED (place_unchecked)"),
        (
            {"typical_s": 5.0, "longest_gap_s": 11.0},
            "a point each 5 s, gaps of up to 11 s: record a point each second)",
        ),
        ({"longest_gap_s": 11.0}, "a point each 1 s, gaps of up to 11 s)"),
        ({"unsure": 16}, "uneven or imprecise in 16 of its 30 points: the reception was bad)"),
        ({"unsure": 15}, "(place_unchecked)"),
        ({"breaks": 1}, "a point each 1 s, gaps of up to 1 s and 1 break)"),
        ({"breaks": 2}, "a point each 1 s, gaps of up to 1 s and 2 breaks)"),
    ],
)
def test_why_places_were_not_known_is_told(changes: dict[str, Any], end: str) -> None:
    (note,) = track_notes(GOOD | {"unplaced": 3, "vague": 4} | changes, "drive.gpx")
    assert note.startswith("the place was not known well enough in 7 of 75 frames; no code read there can be VERIFIED")
    assert note.endswith(end)


@pytest.mark.parametrize(("metres", "away"), [(512, "512 m"), (9999, "9999 m"), (5_340_321, "5340 km")])
def test_a_way_far_from_all_registered_signs_is_told_once(metres: int, away: str) -> None:
    assert track_notes(GOOD | {"nearest_sign_m": metres}, "drive.gpx") == [
        f"the way in drive.gpx comes near no registered sign (the nearest is {away} away): "
        "none of them could be checked"
    ]


def test_how_the_places_may_have_been_meant_is_told_and_nothing_is_changed() -> None:
    (note,) = track_notes(GOOD | {"nearest_sign_m": 5_000_000, "miswritten": "swapped"}, "drive.gpx")
    assert note.endswith(
        "; with latitude and longitude swapped it would come near some: check how drive.gpx was written "
        "(nothing was changed)"
    )


def test_places_that_are_rounded_and_courses_of_another_way_are_named_as_such() -> None:
    (said,) = track_notes(GOOD | {"rounded_m": 8}, "a.gpx")
    assert said == "the places in a.gpx are rounded, by up to 8 m"
    said, why = track_notes(GOOD | {"rounded_m": 786, "unsure": 30, "vague": 9}, "a.gpx")
    assert said.endswith("by up to 786 m: too coarse to put codes in their places") and "reception" not in why
    (said,) = track_notes(GOOD | {"other_courses": 7}, "a.nmea")
    assert said.startswith("a.nmea: in 7 of 30 points the receiver tells another direction of travel than its own way")
