"""What the summary says of the track: position's word within its vocabulary, verdict's counts."""

from __future__ import annotations

import pytest

from device.channel.tracks import LEFT_OUT, LEFT_OUT_WORDS, MISWRITTEN, MISWRITTEN_WORDS
from device.position.core import read_track
from device.warden.track import summarise_track
from tests.support import tracks
from tests.support.tracks import but, drive

PLACES = {"moments": 75, "unplaced": 3, "vague": 2, "set_aside": 1, "unstored": 0}


def test_a_run_without_a_track_has_none() -> None:
    assert summarise_track({}, PLACES) is None
    assert summarise_track({"fixes": 0}, PLACES) is None


def test_what_was_used_and_left_out_is_told_by_reason() -> None:
    track = read_track(tracks.gpx(but(drive(30, every=5.0), n3={"text": ""}), drive(9, start=600)))
    assert summarise_track(track.facts(), PLACES) == {
        "fixes": 16,
        "left_out": {"no_time": 1},
        "typical_s": 1.0,
        "longest_gap_s": 10.0,
        "unsure": 0,
        "breaks": 1,
        "cut_off": False,
        "rounded_m": None,
        "other_courses": 0,
        "moments": 75,
        "unplaced": 3,
        "vague": 2,
        "not_believed": 1,
        "nearest_sign_m": None,
        "miswritten": None,
    }


@pytest.mark.parametrize(("word", "meant"), [(0, None), (1, "swapped"), (4, "minutes_for_decimals"), (5, None)])
def test_how_the_places_may_have_been_meant_is_one_of_our_words(word: int, meant: str | None) -> None:
    said = summarise_track({"fixes": 2}, PLACES | {"remote_m": 5300, "miswritten": word})
    assert said is not None
    assert (said["nearest_sign_m"], said["miswritten"]) == (5300, meant)


def test_a_hostile_position_can_add_no_word_of_its_own() -> None:
    said = summarise_track({"fixes": 2**53, "left_no_time": 2**53, "left_<b>": 1, "left_": 1, "cut": 7}, {})
    assert said is not None
    assert (said["left_out"], said["cut_off"]) == ({"no_time": 2**53}, True)


def test_every_reason_has_its_words() -> None:
    assert set(LEFT_OUT_WORDS) == set(LEFT_OUT)
    assert set(MISWRITTEN_WORDS) == set(MISWRITTEN)
