"""Video and track that have no moment in common: refused with the option that would make them meet."""

from __future__ import annotations

from typing import Any

import pytest

from device.channel.tracks import LEFT_OUT, LEFT_OUT_REMEDIES, LEFT_OUT_WORDS, LeftOut
from device.config import Config
from device.launcher.errors import StartError
from device.launcher.plan import RunPlan
from device.warden.meeting import UNKNOWN_LENGTH_MS, check, option, overlaps
from device.warden.track import left_out_points

T = 1_800_000_000_000
LENGTH_MS, HOUR_MS = 60_000, 3_600_000
TRACK = (T, T + LENGTH_MS)


def plan(**changes: Any) -> RunPlan:
    fields: dict[str, Any] = {
        "kind": "video", "input": "/v", "shown": "v.mp4", "gpx": "/g", "gpx_shown": "g.gpx", "pace": "lockstep",
        "start": "file", "home": "/h", "models": "/m", "run_id": "0" * 32, "config": Config(), **changes,
    }  # fmt: skip
    return RunPlan(**fields)


def remedy(away_ms: int, track: tuple[int, int] = TRACK, *, labelled: bool = True, **changes: Any) -> str:
    with pytest.raises(StartError, match="do not overlap") as refused:
        check(plan(**changes), track, T + away_ms, LENGTH_MS, labelled=labelled)
    return refused.value.remedy


@pytest.mark.parametrize(
    ("away_ms", "length_ms", "meets"),
    [
        (0, LENGTH_MS, True),
        (LENGTH_MS, LENGTH_MS, True),
        (LENGTH_MS + 1, LENGTH_MS, False),
        (-LENGTH_MS, LENGTH_MS, True),
        (-LENGTH_MS - 1, LENGTH_MS, False),
        (-UNKNOWN_LENGTH_MS, 0, True),
        (-UNKNOWN_LENGTH_MS - 1, 0, False),
    ],
)
def test_they_meet_where_they_have_a_moment_in_common(away_ms: int, length_ms: int, meets: bool) -> None:
    assert overlaps(TRACK, T + away_ms, length_ms) is meets
    assert overlaps(None, T + away_ms, length_ms)


@pytest.mark.parametrize(("away_ms", "says"), [(65_000, "-65"), (-70_500, "+70.5"), (1_000_000, "-1000")])
def test_a_little_beside_the_video_would_begin_with_the_track(away_ms: int, says: str) -> None:
    assert f"--offset {says} makes them meet (the video then begins with the track)" in remedy(away_ms)


def test_a_long_track_beside_a_short_video_speaks_for_a_zone_first() -> None:
    day = (T - 2 * HOUR_MS, T - LENGTH_MS - 1)
    assert "--offset -1800 makes them meet (the video's time is of another zone then)" in remedy(0, day)


def test_a_day_away_nothing_is_proposed() -> None:
    assert remedy(30 * HOUR_MS) == "give the matching track, or --video-start TIME"


def test_a_start_that_a_person_gave_is_moved_by_the_option_that_was_given() -> None:
    moved = remedy(65_000, start=str(T + 65_000), labelled=False)
    assert "--video-start 2027-01-15T08:00:00.000Z makes them meet" in moved
    assert "--offset -60 makes" in remedy(65_000, offset_ms=5000)


@pytest.mark.parametrize("shift_ms", [-7_200_000, 300, 0])
def test_the_option_counts_on_from_what_was_given(shift_ms: int) -> None:
    assert option(plan(), T, shift_ms) == f"--offset {shift_ms / 1000:+g}"
    assert option(plan(offset_ms=-shift_ms), T, shift_ms) == "--offset +0"


def test_a_track_of_which_much_cannot_be_used_is_not_taken_to_end_there() -> None:
    many = left_out_points({"left_impossible": 30, "left_no_fix": 1})
    with pytest.raises(StartError, match=r"31 more points of it cannot be used: most where no vehicle can") as refused:
        check(plan(), TRACK, T + 65_000, LENGTH_MS, labelled=True, left_out=many)
    assert "makes them meet" not in refused.value.remedy
    assert "one receiver alone" in refused.value.remedy


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_why_points_are_left_out_has_words_and_a_remedy(reason: LeftOut) -> None:
    one = left_out_points({f"left_{reason}": 1})
    assert one is not None and (one.total, one.words, one.remedy) == (
        1, LEFT_OUT_WORDS[reason], LEFT_OUT_REMEDIES[reason]
    )  # fmt: skip
    with pytest.raises(StartError, match="1 more point of it cannot be used: ") as refused:
        check(plan(), TRACK, T + 65_000, LENGTH_MS, labelled=True, left_out=one)
    assert refused.value.remedy == f"{one.remedy}, or --video-start TIME"


def test_a_track_without_points_left_out_has_none() -> None:
    assert left_out_points({"fixes": 3}) is None
