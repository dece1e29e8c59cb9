"""When the stream begins: whose word is taken, what else is possible, and what is known to be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from device.channel.messages import Codec, Go, encode
from device.config import Config
from device.launcher.errors import StartError
from device.launcher.plan import RunPlan
from device.warden.notes import DOUBTS
from device.warden.stream import (
    DAY_MS,
    DRIFT_MS,
    GIVEN_ERROR_MS,
    MAX_FACT,
    RELEASED_MS,
    UNKNOWN_LENGTH_MS,
    WEEKS_1024_MS,
    StreamClock,
    claim,
)

HOUR_MS = 3_600_000
NOW_MS = RELEASED_MS + 100 * DAY_MS
T = RELEASED_MS + 50 * DAY_MS
LENGTH_MS = 10_000
STREAM = {"utc_ms": T, "frames": 100, "milli_fps": 10_000}
TIMELESS = {**STREAM, "utc_ms": 0}
FACTORY_MS = 1_325_376_000_000  # 2012
GIVEN = (-GIVEN_ERROR_MS, GIVEN_ERROR_MS)


def plan(**changes: Any) -> RunPlan:
    fields: dict[str, Any] = {
        "kind": "video", "input": "/v", "shown": "v.mp4", "gpx": "/g", "gpx_shown": "g.gpx", "pace": "lockstep",
        "start": "file", "home": "/h", "models": "/m", "run_id": "0" * 32, "config": Config(), **changes,
    }  # fmt: skip
    return RunPlan(**fields)


def track(before_ms: int, after_ms: int, start_ms: int = T) -> dict[str, int]:
    """A track that begins and ends this much before and after a video that begins at `start_ms`."""
    return {"fixes": 5, "first_utc_ms": start_ms - before_ms, "last_utc_ms": start_ms + LENGTH_MS + after_ms}


DAY = track(6 * HOUR_MS, 6 * HOUR_MS)
ROUGH = track(60_000, 60_000)


def made(stream: dict[str, int], of_track: dict[str, int], **changes: Any) -> StreamClock:
    return claim(plan(**changes), stream, of_track, NOW_MS)


def test_the_stream_begins_as_the_user_says_else_as_the_file_else_as_the_track_else_it_is_not_known() -> None:
    for found, utc_ms, source in (
        (made(STREAM, ROUGH), T, "container"),
        (made(TIMELESS, ROUGH, shown="x_19700101_000000.mp4"), T - 60_000, "guessed"),
        (made(TIMELESS, ROUGH), T - 60_000, "guessed"),
        (made(STREAM, ROUGH, start="gps"), T - 60_000, "gps"),
        (made(STREAM, ROUGH, start=str(T + 30_000)), T + 30_000, "given"),
        (made(TIMELESS, {}), 0, "none"),
        (made(TIMELESS, {}, start="gps"), 0, "none"),
    ):
        assert (found.utc_ms, found.source) == (utc_ms, source)


def test_what_the_user_says_is_sure() -> None:
    for found in (made(STREAM, DAY, start=str(T)), made(STREAM, DAY, start="gps"), made(STREAM, DAY, offset_ms=0)):
        assert (found.span, found.dated, found.doubts) == (GIVEN, True, ())


@pytest.mark.parametrize(
    "name", ["20270112_103000.mp4", "2027-01-12 10.30.00.mov", "CAM_2027_0112_103000_001.MP4", "x2027-01-12T10:30:00y"]
)
def test_a_name_tells_the_time_as_a_label_without_a_zone(name: str) -> None:
    found = made(TIMELESS, {}, shown=name)
    assert (found.utc_ms, found.source) == (1_799_749_800_000, "file")
    assert found.doubts == ("label_unsure",)


@pytest.mark.parametrize("name", ["20271312_103000.mp4", "120270112_103000.mp4", "clip.mp4", "2027.mp4"])
def test_a_name_without_a_time_tells_none(name: str) -> None:
    assert made(TIMELESS, {}, shown=name).source == "none"


def test_a_label_alone_may_mean_any_zone_the_end_or_a_clock_some_minutes_off() -> None:
    assert made(STREAM, {}).span == (-14 * HOUR_MS - LENGTH_MS - DRIFT_MS, 12 * HOUR_MS + DRIFT_MS)
    assert made({**STREAM, "zoned": 1}, {}).span == (-LENGTH_MS - DRIFT_MS, DRIFT_MS)
    assert made({"utc_ms": T}, {}).span[0] == -14 * HOUR_MS - UNKNOWN_LENGTH_MS - DRIFT_MS
    assert made(STREAM, {}).doubts == ("label_unsure",)


def test_of_these_only_what_the_track_allows() -> None:
    assert made(STREAM, DAY).span == (-6 * HOUR_MS - LENGTH_MS, 6 * HOUR_MS + LENGTH_MS)
    assert made(STREAM, ROUGH).span == (-60_000 - LENGTH_MS, 60_000 + LENGTH_MS)
    assert made(STREAM, ROUGH).error_ms == 60_000 + LENGTH_MS
    assert made({**STREAM, "zoned": 1}, DAY).span == (-LENGTH_MS - DRIFT_MS, DRIFT_MS)


@pytest.mark.parametrize(
    ("before", "after", "span"),
    [
        (0, 0, (-1000, 1000)),
        (2000, 2100, (-3000, 3100)),
        (-900, 2500, (-1000, 3500)),
        (5000, 0, (-6000, 1000)),
        (0, 5000, (-1000, 6000)),
    ],
)
def test_a_track_that_just_covers_the_video_settles_its_start(before: int, after: int, span: tuple[int, int]) -> None:
    found = made(STREAM, track(before, after))
    assert (found.span, found.doubts) == (span, ())


@pytest.mark.parametrize(("before", "after"), [(5001, 0), (0, 5001), (2600, 2600), (-1001, 900), (900, -1001)])
def test_a_track_that_is_longer_or_does_not_cover_it_does_not(before: int, after: int) -> None:
    assert made(STREAM, track(before, after)).doubts == ("label_unsure",)


@pytest.mark.parametrize(
    ("length_ms", "room_ms", "sure"), [(4000, 4000, True), (4000, 4001, False), (2500, 0, True), (2400, 0, False)]
)
def test_a_short_recording_needs_a_tighter_track(length_ms: int, room_ms: int, sure: bool) -> None:
    short = {**STREAM, "frames": length_ms // 100}
    found = made(short, {"fixes": 5, "first_utc_ms": T, "last_utc_ms": T + length_ms + room_ms})
    assert found.doubts == (() if sure else ("label_unsure",))


@pytest.mark.parametrize("margin", [0, 1000, 1250, 2500, 4000, 9000])
@pytest.mark.parametrize("length_ms", [2500, 5000, LENGTH_MS])
def test_a_label_that_is_the_end_is_never_sure_beside_a_track_around_the_video(margin: int, length_ms: int) -> None:
    end = {**STREAM, "frames": length_ms // 100, "utc_ms": T + length_ms}
    around = {"fixes": 5, "first_utc_ms": T - margin, "last_utc_ms": T + length_ms + margin}
    assert made(end, around).doubts == ("label_unsure",)


def test_the_track_of_the_recording_before_does_not_settle_a_label_that_is_the_end() -> None:
    assert made(STREAM, track(LENGTH_MS, -LENGTH_MS + 2000)).doubts == ("label_unsure",)


@pytest.mark.parametrize("label", [FACTORY_MS, 1, RELEASED_MS - 1])
def test_a_time_before_the_first_release_is_no_time(label: int) -> None:
    found = made({**STREAM, "utc_ms": label}, ROUGH)
    assert (found.utc_ms, found.source, found.doubts[0]) == (T - 60_000, "guessed", "time_impossible")
    alone = made({**STREAM, "utc_ms": label}, {})
    assert (alone.utc_ms, alone.source, alone.dated, alone.doubts[0]) == (label, "container", False, "time_impossible")


def test_where_the_user_says_when_a_wrong_label_is_no_matter() -> None:
    wrong = {**STREAM, "utc_ms": FACTORY_MS}
    for changes in ({"start": str(T)}, {"start": "gps"}, {"offset_ms": 60_000}):
        assert made(wrong, ROUGH, **changes).doubts == () and made(wrong, ROUGH, **changes).dated


def test_a_clock_is_not_wrong_for_being_some_minutes_behind_the_authoritys() -> None:
    assert claim(plan(newest_s=NOW_MS // 1000 + 600), STREAM, {}, NOW_MS).wall
    assert not claim(plan(newest_s=NOW_MS // 1000 + 601), STREAM, {}, NOW_MS).wall


def test_a_time_in_the_future_is_no_time_where_this_machines_clock_is_sure() -> None:
    future = {**STREAM, "utc_ms": NOW_MS + DAY_MS + 1}
    assert not made(future, {}, clock_error_ms=5).dated
    assert made(future, {}).dated  # who knows what time it is
    assert made({**STREAM, "utc_ms": NOW_MS + DAY_MS}, {}, clock_error_ms=5).dated
    assert made(future, ROUGH, clock_error_ms=5).source == "guessed"


def test_a_time_before_the_register_counts_only_where_a_track_confirms_it() -> None:
    newer = (T + DAY_MS) // 1000
    alone = made(STREAM, {}, newest_s=newer)
    assert (alone.utc_ms, alone.dated, alone.doubts[0]) == (T, False, "time_old")
    assert made(STREAM, ROUGH, newest_s=newer).dated
    assert not made(STREAM, {}, newest_s=newer, offset_ms=1000).dated


def test_a_guess_may_lie_anywhere_on_the_track() -> None:
    assert made(TIMELESS, ROUGH).span == (-LENGTH_MS, 120_000 + LENGTH_MS)
    assert made(TIMELESS, ROUGH).doubts == ("start_guessed",)
    assert made(TIMELESS, track(2000, 2100)).span == (-1000, 5100)  # no more room than that


def test_an_offset_counts_from_the_files_own_time_else_from_the_track() -> None:
    assert made(STREAM, DAY, offset_ms=-7_200_000).utc_ms == T - 7_200_000
    assert made(TIMELESS, ROUGH, offset_ms=60_000).utc_ms == T
    assert made(STREAM, DAY, offset_ms=-7_200_000).source == "given"


@pytest.mark.parametrize("weeks", [WEEKS_1024_MS, 2 * WEEKS_1024_MS])
def test_a_track_whose_weeks_have_rolled_over_is_not_used(weeks: int) -> None:
    early = track(2000, 2000, T - weeks)
    found = made(STREAM, early)
    assert (found.utc_ms, found.source, found.doubts[0]) == (T, "container", "track_rollover")
    assert made(STREAM, track(2000, 2000, FACTORY_MS)).doubts[0] == "track_impossible"


def test_a_rolled_over_track_gives_a_place_but_no_date() -> None:
    for stream in (TIMELESS, {**STREAM, "utc_ms": T - WEEKS_1024_MS}):
        found = made(stream, track(2000, 2000, T - WEEKS_1024_MS))
        assert not found.dated and found.utc_ms > 0 and "track_impossible" in found.doubts


@pytest.mark.parametrize("first", [T - 50_000, T + 2 * LENGTH_MS])
def test_a_track_before_or_after_the_video_is_refused(first: int) -> None:
    away = {"fixes": 2, "first_utc_ms": first, "last_utc_ms": first + 1000}
    for changes in ({}, {"start": str(T)}, {"offset_ms": 5000}):
        with pytest.raises(StartError, match="do not overlap"):
            made(STREAM, away, **changes)


def test_a_track_that_fits_in_another_zone_only_is_refused_with_the_offset_that_fits() -> None:
    with pytest.raises(StartError, match="do not overlap") as refused:
        made(STREAM, track(2000, 2000, T - 2 * HOUR_MS))
    assert "--offset (with -7200, another time zone, they do)" in refused.value.remedy
    with pytest.raises(StartError) as refused:
        made(STREAM, track(2000, 2000, T - 2 * DAY_MS))
    assert "--offset" not in refused.value.remedy


def test_two_impossible_times_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(StartError, match="do not overlap"):
        made({**STREAM, "utc_ms": FACTORY_MS}, track(0, 0, FACTORY_MS + 1000 * DAY_MS))


@pytest.mark.parametrize("facts", [{}, {"utc_ms": 2**53}, {"fixes": 1}, {"fixes": 2**53, "first_utc_ms": 2**53}])
def test_facts_that_are_missing_or_absurd_do_not_end_warden(facts: dict[str, int]) -> None:
    for stream, of_track in ((facts, ROUGH), (STREAM, facts), (facts, facts)):
        try:
            found = made(stream, of_track)
        except StartError:
            continue
        assert 0 <= found.utc_ms <= MAX_FACT
        assert Codec(Go).decode(encode(found.go(5))) == found.go(5)


# --- a camera -----------------------------------------------------------------------------------------------------


def camera(now_ms: int = NOW_MS, **changes: Any) -> StreamClock:
    return claim(plan(kind="camera", **changes), {"utc_ms": 5, "milli_fps": 15_000}, {}, now_ms)


def test_a_camera_goes_by_wardens_own_clock_and_by_how_sure_that_is() -> None:
    kept = camera(clock_error_ms=40)
    assert (kept.utc_ms, kept.source, kept.span, kept.doubts) == (NOW_MS, "system", (-40, 40), ())
    adrift = camera()
    assert (adrift.utc_ms, adrift.doubts) == (NOW_MS, ("clock_unsynchronised",)) and adrift.error_ms > 365 * DAY_MS


def test_a_clock_before_the_register_or_the_certificate_is_known_to_be_wrong() -> None:
    for kept in (None, 40):
        found = camera(FACTORY_MS, newest_s=NOW_MS // 1000, clock_error_ms=kept)
        assert (found.utc_ms, found.dated, found.wall, found.doubts) == (0, False, False, ("clock_impossible",))
    assert not claim(plan(newest_s=NOW_MS // 1000), STREAM, {}, FACTORY_MS).wall  # beside a recording too


def test_every_doubt_has_its_sentence_and_remedy() -> None:
    from typing import get_args

    from device.warden.stream import Doubt

    assert set(DOUBTS) == set(get_args(Doubt))
    assert all(sentence and remedy for sentence, remedy in DOUBTS.values())
