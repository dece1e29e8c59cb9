"""When the stream begins: whose word is taken, what else is possible, and what is known to be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from device.channel.messages import Codec, Go, encode
from device.config import Config
from device.launcher.errors import StartError
from device.launcher.plan import RunPlan
from device.warden.dating import DAY_MS, RELEASED_MS, WEEKS_1024_MS
from device.warden.meeting import UNKNOWN_LENGTH_MS
from device.warden.notes import DOUBTS
from device.warden.stream import (
    DRIFT_MS,
    DRIFT_PPM,
    GIVEN_ERROR_MS,
    MAX_FACT,
    NOMINAL_PPM,
    UNCONFIRMED_MS,
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
    for found in (made(STREAM, DAY, start=str(T)), made(STREAM, DAY, offset_ms=0)):
        assert (found.span, found.dated, found.doubts, found.date_doubt) == (GIVEN, True, (), (0, 0))


def test_that_the_video_begins_with_the_track_is_sure_only_where_the_two_are_as_long() -> None:
    for of_track in (DAY, ROUGH, track(60_000, -5000), track(-4000, 60_000)):
        found = made(STREAM, of_track, start="gps")
        room = of_track["last_utc_ms"] - of_track["first_utc_ms"]
        assert found.span == (-LENGTH_MS, room) and found.doubts == ("start_with_track",)
        assert found.span[0] <= T - found.utc_ms <= found.span[1]  # the true start is in it
    beside = made(STREAM, track(2000, 2100), start="gps")
    assert (beside.span, beside.doubts) == ((-1000, 5100), ())


@pytest.mark.parametrize(
    "name", ["20270112_103000.mp4", "2027-01-12 10.30.00.mov", "CAM_2027_0112_103000_001.MP4", "x2027-01-12T10:30:00y"]
)
def test_a_name_tells_the_time_as_a_label_without_a_zone(name: str) -> None:
    found = made(TIMELESS, {}, shown=name)
    assert (found.utc_ms, found.source) == (1_799_749_800_000, "file")
    assert found.doubts == ("label_unsure",)


@pytest.mark.parametrize(
    ("name", "utc_ms"),
    [
        ("VID_20270112_103000.mp4", 1_799_749_800_000),
        ("PXL_20270112_103000123.mp4", 1_799_749_800_000),
        ("20270112_1030.mp4", 1_799_749_800_000),
        ("99999999_999999_20270112_103000.mp4", 1_799_749_800_000),
        ("20270112_102960.mp4", 1_799_749_799_000),  # a leap second
    ],
)
def test_names_of_phones_and_names_with_other_digits_tell_it_too(name: str, utc_ms: int) -> None:
    assert made(TIMELESS, {}, shown=name).utc_ms == utc_ms


@pytest.mark.parametrize("name", ["20260512_101500.mp4", "VID_19800106_000013.mp4", "20991231_235959.mp4"])
def test_an_impossible_time_in_the_name_is_no_time(name: str) -> None:
    assert not made(TIMELESS, {}, shown=name).dated
    assert made(TIMELESS, ROUGH, shown=name).doubts == ("time_impossible", "start_guessed")


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
    for changes in ({"start": str(T)}, {"offset_ms": 60_000}):
        assert made(wrong, ROUGH, **changes).doubts == () and made(wrong, ROUGH, **changes).dated
    assert made(wrong, ROUGH, start="gps").doubts == ("start_with_track",)


def test_a_clock_is_not_wrong_for_being_some_minutes_behind_the_authoritys() -> None:
    assert claim(plan(newest_s=NOW_MS // 1000 + 600), STREAM, {}, NOW_MS).wall
    assert not claim(plan(newest_s=NOW_MS // 1000 + 601), STREAM, {}, NOW_MS).wall


FUTURE = {
    "two days ahead": NOW_MS + 2 * DAY_MS,
    "weeks": NOW_MS + 30 * DAY_MS,
    "years": NOW_MS + 4 * 366 * DAY_MS,
    "2038": 2_147_483_647_000,
    "2046": T + WEEKS_1024_MS,
    "2106": 4_294_967_295_000,
}


@pytest.mark.parametrize("kept", [5, None], ids=["synchronised", "unsynchronised"])
@pytest.mark.parametrize("label", FUTURE.values(), ids=FUTURE)
def test_a_time_in_the_future_is_no_date_whether_this_machines_clock_is_kept_right_or_not(
    label: int, kept: int | None
) -> None:
    future = {**STREAM, "utc_ms": label}
    alone = made(future, {}, clock_error_ms=kept)
    assert (alone.utc_ms, alone.dated) == (label, False)
    assert alone.doubts[0] in (["time_impossible"] if kept else ["time_impossible", "time_ahead"])
    beside = made(future, ROUGH, clock_error_ms=kept)  # the good track is used as far as it goes
    assert (beside.utc_ms, beside.source, beside.dated) == (T - 60_000, "guessed", True)
    assert beside.doubts == (alone.doubts[0], "start_guessed")


@pytest.mark.parametrize("kept", [5, None])
def test_local_time_of_the_farthest_zone_is_not_the_future(kept: int | None) -> None:
    assert made({**STREAM, "utc_ms": NOW_MS + DAY_MS}, {}, clock_error_ms=kept).dated


@pytest.mark.parametrize("kept", [5, None])
@pytest.mark.parametrize("label", FUTURE.values(), ids=FUTURE)
def test_a_track_of_the_future_is_left_out_beside_a_good_time(label: int, kept: int | None) -> None:
    found = made(STREAM, track(2000, 2000, label), clock_error_ms=kept)
    assert (found.utc_ms, found.source, found.dated, len(found.doubts)) == (T, "container", True, 1)
    assert found.doubts[0] in ("track_impossible", "track_ahead", "track_rollover")
    assert (found.doubts[0] == "track_rollover") is (label == FUTURE["2046"])


def test_video_and_track_that_agree_on_a_time_ahead_of_a_doubtful_clock_accuse_no_code_by_their_date() -> None:
    ahead = NOW_MS + 300 * DAY_MS
    found = made({**STREAM, "utc_ms": ahead}, track(2000, 2000, ahead))
    assert (found.utc_ms, found.dated, found.date_doubt) == (ahead, True, (ahead - RELEASED_MS, 0))
    assert not made({**STREAM, "utc_ms": ahead}, track(2000, 2000, ahead), clock_error_ms=5).dated


def test_a_machine_clock_that_is_wrong_itself_says_nothing_about_dates_but_the_register_does() -> None:
    for label, dated in ((T, True), (NOW_MS + 2 * DAY_MS, False), (FUTURE["2106"], False)):
        found = claim(plan(newest_s=T // 1000), {**STREAM, "utc_ms": label}, {}, FACTORY_MS)
        assert (found.dated, found.wall) == (dated, False)


def test_a_date_that_nothing_confirms_accuses_only_where_it_is_off_by_a_month() -> None:
    assert made(STREAM, {}).date_doubt == (UNCONFIRMED_MS, UNCONFIRMED_MS)
    assert made(STREAM, DAY).date_doubt == (0, 0)


def test_an_offset_sets_a_clock_of_another_year_right() -> None:
    year = 366 * DAY_MS
    for label in (T - 10 * year, T + 5 * year):
        found = made({**STREAM, "utc_ms": label}, ROUGH, offset_ms=T - label)
        assert (found.utc_ms, found.source, found.dated, found.doubts) == (T, "given", True, ())


def test_a_clock_that_was_never_set_is_told_like_one_at_its_factorys_date() -> None:
    for of_track in ({}, ROUGH):
        unset = made({**TIMELESS, "unset": 1}, of_track)
        assert "time_impossible" in unset.doubts and "time_missing" not in unset.doubts
    assert made({**TIMELESS, "unset": 1}, ROUGH).doubts == made({**STREAM, "utc_ms": FACTORY_MS}, ROUGH).doubts


def test_the_better_of_the_containers_time_and_the_names_is_taken() -> None:
    name = "20270112_103000.mp4"
    for label in (FACTORY_MS, FUTURE["2106"], 1):
        found = made({**STREAM, "utc_ms": label, "zoned": 1}, {}, shown=name)
        assert (found.utc_ms, found.source) == (1_799_749_800_000, "file")
        assert found.span[0] < -14 * HOUR_MS  # the zone was the container's
    assert made(STREAM, {}, shown=name).source == "container"
    assert made({**STREAM, "utc_ms": FACTORY_MS}, {}, shown="20120101_000000.mp4").source == "container"


def test_how_far_the_clocks_may_run_apart_is_told() -> None:
    assert made(STREAM, ROUGH).go(0).drift_ppm == DRIFT_PPM < NOMINAL_PPM
    assert made({**STREAM, "nominal": 1}, ROUGH).go(0).drift_ppm == NOMINAL_PPM


def test_frames_without_a_rate_have_no_length() -> None:
    found = made({**STREAM, "unrated": 1}, track(2000, 2000))
    assert not found.rated and found.doubts == ("label_unsure",)
    assert made(STREAM, track(2000, 2000)).rated


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
        assert not found.dated and found.utc_ms > 0 and "track_rollover" in found.doubts


@pytest.mark.parametrize("label", [TIMELESS, {**TIMELESS, "unset": 1}, {**STREAM, "utc_ms": FACTORY_MS}])
@pytest.mark.parametrize("weeks", [WEEKS_1024_MS, -WEEKS_1024_MS])
def test_a_rollover_is_told_also_where_the_videos_time_is_wrong_too(label: dict[str, int], weeks: int) -> None:
    found = made(label, track(2000, 2000, T - weeks))
    assert "track_rollover" in found.doubts and not found.dated
    assert ("time_impossible" in found.doubts) is (label is not TIMELESS)


@pytest.mark.parametrize("first", [T - 50_000, T + 2 * LENGTH_MS])
def test_a_track_before_or_after_the_video_is_refused(first: int) -> None:
    away = {"fixes": 2, "first_utc_ms": first, "last_utc_ms": first + 1000}
    for changes in ({}, {"start": str(T)}, {"offset_ms": 5000}):
        with pytest.raises(StartError, match="do not overlap"):
            made(STREAM, away, **changes)


def refused(of_track: dict[str, int], stream: dict[str, int] = STREAM, **changes: Any) -> str:
    with pytest.raises(StartError, match="do not overlap") as error:
        made(stream, of_track, **changes)
    return error.value.remedy


@pytest.mark.parametrize("hours", [2.0, -7.0, 5.5, 5.75, 12.75, 14.0, -12.0])
def test_a_track_that_fits_in_another_zone_only_is_refused_with_the_offset_that_fits(hours: float) -> None:
    local = {**STREAM, "utc_ms": T + round(hours * HOUR_MS)}
    assert f"--offset {-hours * 3600:+.0f} makes them meet" in refused(track(2000, 2000), local)
    assert "--offset" not in refused(track(2000, 2000, T - 2 * DAY_MS))


@pytest.mark.parametrize("away_ms", [14_000, 200_000, 1_500_000, -14_000, -200_000, -1_500_000])
def test_a_track_that_lies_a_little_beside_the_video_is_refused_with_the_offset_that_makes_them_meet(
    away_ms: int,
) -> None:
    beside = track(1000, 1000, T + away_ms)
    assert f"--offset {away_ms / 1000 - 1:+.0f} makes them meet (the video then begins with the track)" in refused(
        beside
    )
    assert f"--offset {away_ms / 1000 - 1:+.0f} makes" in refused(beside, offset_ms=-1000)  # from the file's own time
    given = refused(beside, start=str(T))
    assert "--video-start 20" in given and "--offset" not in given


def test_the_offset_that_is_proposed_is_taken() -> None:
    beside = track(1000, 1000, T + 200_000)
    remedy = refused(beside)
    seconds = float(remedy.split("--offset ")[1].split()[0])
    assert made(STREAM, beside, offset_ms=round(seconds * 1000)).source == "given"


def test_of_two_wrong_times_that_contradict_each_other_the_track_gives_the_place_and_nothing_the_date() -> None:
    for label, away in ((FACTORY_MS, FACTORY_MS + 1000 * DAY_MS), (FACTORY_MS, FUTURE["2106"]), (1, FACTORY_MS)):
        found = made({**STREAM, "utc_ms": label}, track(2000, 2000, away))
        assert (found.utc_ms, found.source, found.dated) == (away - 2000, "guessed", False)
        assert {"time_impossible", "track_impossible"} <= set(found.doubts)


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
