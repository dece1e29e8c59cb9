"""The user is told why codes were left unplaced, and what would set it right."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from device.config import CameraConfig, Config, UplinkConfig
from device.launcher.plan import RunPlan
from device.warden.notes import notes, summary_of
from device.warden.refusals import words
from device.warden.stream import Doubt, StreamClock

START_MS = 1_800_000_000_000
UPLINK = UplinkConfig("broker.example", 8884)
TO_A_BROKER = {"config": Config(uplink=UPLINK)}


def plan(**changes: Any) -> RunPlan:
    fields: dict[str, Any] = {
        "kind": "video", "input": "/v", "shown": "v.mp4", "gpx": "/g", "gpx_shown": "g.gpx", "pace": "lockstep",
        "start": "file", "home": "/h", "models": "/m", "run_id": "0" * 32, "config": Config(), **changes,
    }  # fmt: skip
    return RunPlan(**fields)


def device(*doubts: Doubt, rated: bool = True, **facts: int) -> Any:
    clock = StreamClock(START_MS, "container", (-6000, 1000), rated=rated, doubts=doubts)
    known = lambda name, key: facts.get(key, 0)  # noqa: E731
    refusal = lambda: words(facts.get("refusal", 0), UPLINK)  # noqa: E731
    roster = SimpleNamespace(fact=known, total=known, told=known, ready=lambda name: facts)
    return SimpleNamespace(clock=clock, roster=roster, refusal=refusal, stopping=False, fixes_owed=0)


TWO = {"unplaced_codes": 2, "offset_fitting": 4, "offset_codes": 4, "offset_earlier_ms": 7_200_000}


def test_nothing_is_said_where_all_was_placed_and_dated() -> None:
    assert notes(plan(), device("label_unsure")) == []


def test_a_proposed_offset_is_the_remedy() -> None:
    (said,) = notes(plan(), device("label_unsure", **TWO))
    assert said.startswith("2 authentic codes could not be placed")
    assert "may be local time" in said and "--offset -7200 puts all 4 codes in place" in said


@pytest.mark.parametrize(
    ("changes", "facts", "says"),
    [
        ({"offset_ms": 1_500}, TWO, "--offset -7198.5 puts all 4"),
        ({"start": str(START_MS)}, TWO, "--video-start 2027-01-15T06:00:00.000Z puts all 4"),
        ({}, TWO | {"offset_fitting": 3}, "puts 3 of 4 codes"),
        ({}, TWO | {"offset_fitting": 1, "offset_codes": 1}, "puts the code in place"),
        ({}, TWO | {"offset_earlier_ms": 0, "offset_later_ms": 300}, "--offset +0.3 puts"),
        ({}, TWO | {"offset_earlier_ms": 2**53}, "give --video-start TIME, or --offset SECONDS"),
        ({}, {"untimed_codes": 1}, "1 authentic code could not be"),
        ({"gpx": ""}, {"unplaced_codes": 1}, "give the drive's track with --gps"),
        ({}, {"unplaced_codes": 1, "time.unknown": 75}, "replay joined clips one by one"),
    ],
)
def test_the_remedy_is_the_option_that_helps(changes: dict[str, Any], facts: dict[str, int], says: str) -> None:
    (said,) = notes(plan(**changes), device("label_unsure", **facts))
    assert says in said


def test_an_offset_is_told_also_where_codes_are_accused_and_none_is_unplaced() -> None:
    facts = {"offset_fitting": 1, "offset_codes": 1, "offset_later_ms": 6300}
    for changes, option in (
        ({}, "--offset +6.3"),
        ({"start": str(START_MS)}, "--video-start 2027-01-15T08:00:06.300Z"),
    ):
        (said,) = notes(plan(**changes), device(**facts))
        assert said.startswith("codes are out of their places") and f"{option} puts the code in place" in said


@pytest.mark.parametrize(
    ("kind", "key"), [("folder", "SEALCAM_CAMERA_FOLDER_FPS"), ("video", "SEALCAM_CAMERA_UNTIMED_FPS")]
)
def test_where_the_rate_is_not_known_its_key_is_named_and_no_offset(kind: str, key: str) -> None:
    (said,) = notes(plan(kind=kind), device("label_unsure", rated=False, **TWO, **{"time.unknown": 75}))
    assert key in said and "--offset" not in said and "--video-start" not in said


@pytest.mark.parametrize("doubt", ["time_missing", "time_impossible"])
def test_rate_time_and_track_are_asked_for_at_once(doubt: Doubt) -> None:
    (said,) = notes(plan(kind="folder", gpx=""), device(doubt, rated=False, untimed_codes=1, **{"time.unknown": 75}))
    assert all(option in said for option in ("SEALCAM_CAMERA_FOLDER_FPS", "--video-start TIME", "--gps"))
    (said,) = notes(plan(kind="folder"), device("start_guessed", rated=False, untimed_codes=1))
    assert "SEALCAM_CAMERA_FOLDER_FPS" in said and "--video-start TIME" in said


def test_a_gap_of_the_track_is_named_and_the_videos_clock_is_not_blamed_for_it() -> None:
    gap = {"unplaced_codes": 2, "gap_codes": 2, "gap_ms": 9500}
    (said,) = notes(plan(), device("label_unsure", **gap))
    assert "g.gpx has a gap of 9.5 s where they were read; give a track without it" in said
    assert "local time" not in said and "--offset" not in said
    (said,) = notes(plan(), device("label_unsure", **gap | {"gap_codes": 1}))  # the other one has another cause
    assert "a gap of 9.5 s" in said and "local time" in said
    (said,) = notes(plan(), device("label_unsure", **TWO | gap))
    assert "a gap of 9.5 s" in said and "--offset -7200 puts all 4 codes in place" in said


def test_a_track_that_does_not_cover_the_video_is_told() -> None:
    (said,) = notes(plan(), device("label_unsure", unplaced_codes=1, off_codes=1))
    assert "before g.gpx begins or after it ends" in said and "a track that covers the whole video" in said
    assert "local time" in said  # which it may be as well
    (said,) = notes(plan(), device("track_ahead", unplaced_codes=1, off_codes=1))
    assert "after it ends" not in said  # which is no wonder


def test_a_receiver_that_only_repeats_a_place_is_told_and_no_end_of_the_track() -> None:
    (said,) = notes(plan(), device("label_unsure", unplaced_codes=1, repeated_codes=1))
    assert "the receiver of g.gpx only repeated a place when they were read" in said and "another receiver" in said
    assert "begins or after it ends" not in said and "local time" in said  # which it may be as well
    gap = {"unplaced_codes": 2, "gap_codes": 1, "gap_ms": 9500}
    (said,) = notes(plan(), device(**gap, repeated_codes=1))
    assert "a gap of 9.5 s" in said and "only repeated a place" in said


@pytest.mark.parametrize("doubt", ["time_missing", "time_impossible", "time_ahead"])
@pytest.mark.parametrize("facts", [{"unplaced_codes": 1}, {"untimed_codes": 1}])
def test_where_there_is_neither_a_time_nor_a_track_both_are_asked_for_at_once(
    doubt: Doubt, facts: dict[str, int]
) -> None:
    (said,) = notes(plan(gpx=""), device(doubt, **facts))
    assert "--video-start TIME" in said and "with --gps" in said


def test_of_two_wrong_dates_both_are_told() -> None:
    (said,) = notes(plan(), device("time_impossible", "track_rollover", untimed_codes=2))
    assert "add 1024 weeks" in said and "--video-start TIME" in said


def test_a_clock_that_runs_fast_or_slow_is_among_the_causes() -> None:
    for doubts in (("label_unsure",), ()):
        (said,) = notes(plan(), device(*doubts, unplaced_codes=1))
        assert "fast or slow" in said and "--video-start TIME" in said


def test_where_only_the_date_is_not_known_the_zone_is_not_blamed() -> None:
    (said,) = notes(plan(), device("time_ahead", "label_unsure", untimed_codes=1))
    assert "this machine's clock" in said and "local time" not in said


@pytest.mark.parametrize("doubt", ["track_rollover", "track_impossible"])
def test_no_offset_is_proposed_beside_a_track_without_a_date(doubt: Doubt) -> None:
    (said,) = notes(plan(), device(doubt, **TWO))
    assert "--offset" not in said


def test_a_camera_without_a_position_source_is_not_told_of_tracks() -> None:
    assert notes(plan(kind="camera", gpx=""), device("clock_unsynchronised", unplaced_codes=3)) == []
    (said,) = notes(plan(kind="camera", gpx=""), device("clock_impossible", untimed_codes=3))
    assert "set the clock" in said


LATER = "with the next replay or run that reaches the broker"


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"refusal": 2}, "certificate of the broker at broker.example:8884 has expired; check the clock"),
        ({"refusal": 13}, "broker.example:8884 refuses the connection: nothing listens there; start the broker"),
        ({"refusal": 12}, "broker.example has no address here: the name cannot be resolved; check [uplink] host"),
        ({"refusal": 11, "connections": 1}, "broker.example:8884 takes no events from this device"),
        ({}, "broker.example:8884 was not reached before the end"),
        ({"refusal": 99}, "broker.example:8884 was not reached before the end"),
        ({"connections": 1}, "takes events, and no receiver confirms them; start sealcam-sink serve"),
        ({"connections": 1, "receipted": 4}, "not every receipt came in time"),
    ],
)
def test_what_waits_is_told_with_the_broker_the_cause_and_what_sends_it(facts: dict[str, int], says: str) -> None:
    (said,) = notes(plan(**TO_A_BROKER), device(waiting=3, **facts))
    assert said.startswith("3 sealed events wait in the spool: ") and said.endswith(f"; they go {LATER}")
    assert says in said


def test_what_is_sealed_for_another_receiver_is_told_as_that_and_not_as_late() -> None:
    (said,) = notes(plan(**TO_A_BROKER), device(waiting=3, held=3, connections=1))
    assert said.startswith(
        "3 events in the spool are sealed for another receiver's key than the one in trust/sink_hpke"
    )
    assert "put that receiver's sink_hpke.pub and receipt.pub back" in said and "they go" not in said
    held, late = notes(plan(**TO_A_BROKER), device(waiting=4, held=1, connections=1, receipted=2))
    assert held.startswith("1 event in the spool is sealed for another") and late.startswith("3 sealed events wait")
    held, late = notes(plan(), device(waiting=4, held=1))
    assert late.startswith("3 sealed events wait in the spool: no broker is configured")


def test_what_the_receiver_refuses_while_it_confirms_others_is_not_said_to_go_later() -> None:
    facts = {"connections": 1, "receipted": 2}
    (said,) = notes(plan(**TO_A_BROKER), device(waiting=9, passed_over=9, **facts))
    assert said.startswith("9 sealed events wait in the spool: the receiver confirmed others and never them")
    assert "sealcam-sink stats" in said and "equivocation" in said
    assert "they go" not in said and "nothing is lost" not in said
    (said,) = notes(plan(**TO_A_BROKER), device(waiting=1, passed_over=1, **facts))
    assert said.startswith("1 sealed event waits in the spool: the receiver confirmed others and never it")
    late, refused = notes(plan(**TO_A_BROKER), device(waiting=12, passed_over=9, **facts))
    assert late.startswith("3 sealed events wait in the spool: not every receipt") and refused.startswith("9 sealed")


def test_one_event_waits_and_none_is_not_told() -> None:
    (said,) = notes(plan(**TO_A_BROKER), device(waiting=1, refusal=13))
    assert said.startswith("1 sealed event waits in the spool: ") and said.endswith(f"; it goes {LATER}")
    assert notes(plan(**TO_A_BROKER), device(waiting=0, refusal=13)) == []


def test_without_a_broker_it_is_told_how_to_name_one() -> None:
    (said,) = notes(plan(), device(waiting=3))
    assert "no broker is configured; set [uplink] host and port (SEALCAM_UPLINK_HOST" in said


def test_a_wait_that_was_interrupted_is_no_fault_of_the_broker() -> None:
    stopped = device(waiting=3, connections=1)
    stopped.stopping = True
    assert "the run was ended before every receipt came" in notes(plan(**TO_A_BROKER), stopped)[0]


def test_the_summary_tells_source_error_and_doubts() -> None:
    assert summary_of(device("label_unsure", **TWO)) == {
        "source": "container",
        "start": "2027-01-15T08:00:00+00:00",
        "error_s": 6.0,
        "dated": True,
        "machine_clock_wrong": False,
        "doubts": ["label_unsure"],
        "unplaced": 2,
        "untimed": 0,
        "proposed_offset_s": -7200.0,
    }


def test_no_option_is_proposed_that_changes_nothing() -> None:
    nothing = {"unplaced_codes": 1, "offset_fitting": 2, "offset_codes": 3, "offset_later_ms": 0}
    (said,) = notes(plan(start=str(START_MS)), device(**nothing))
    assert "in place" not in said and "pieces of the video are missing" in said


def test_what_is_not_there_without_being_damaged_is_told() -> None:
    (said,) = notes(plan(kind="folder"), device(**{"time.missing": 37}))
    assert said.startswith("37 numbers are missing among the names of the images in v.mp4")
    (said,) = notes(plan(), device(**{"index.hidden": 99}))
    assert "an edit list that hides 99 of its frames" in said
    assert notes(plan(), device(**{"index.hidden": 2})) == []


@pytest.mark.parametrize("hidden", [0, 99])
def test_a_rate_that_the_container_and_the_coding_tell_otherwise_is_told_as_that(hidden: int) -> None:
    rates = {"rate.coded": 29970, "rate.stamped": 14985, "index.hidden": hidden}
    (said,) = notes(plan(), device(**rates))
    assert "v.mp4 was coded at 29.97 frames a second, and its container plays 14.98" in said
    assert "the times of its frames are wrong" in said and ("hides 99 of its frames" in said) is (hidden > 0)
    assert "trimmed" not in said
    assert len(notes(plan(), device(**rates | {"rate.coded": 2**53}))[0]) < 600


@pytest.mark.parametrize(
    ("facts", "says", "helps"),
    [
        ({"rate.named": 1000}, "tell a rate of 1 a second, and [camera] folder_fps says 5", "CAMERA_FOLDER_FPS=1 if"),
        ({"time.turn": 1}, "the counter in the names of the images in v.mp4 ran over", "one by one if"),
        ({"time.turn": 2}, "ran over or images are missing, and those behind have no time", "on either side"),
        ({"time.turn": 2**53}, "ran over or images are missing", "on either side"),
        ({"time.sets": 2}, "images of several cameras, or recordings, have the same numbers", "a folder of its own"),
    ],
)
def test_what_the_names_of_images_tell_otherwise_is_told(facts: dict[str, int], says: str, helps: str) -> None:
    folder = plan(kind="folder", config=Config(camera=CameraConfig(folder_fps=5)))
    (said,) = notes(folder, device(**facts))
    assert says in said and helps in said
    assert notes(plan(), device(**facts)) == []


@pytest.mark.parametrize(("facts", "says"), [({"time.sets": 2}, "several cameras"), ({"time.turn": 2}, "ran over")])
def test_codes_without_a_time_in_a_folder_are_put_down_to_its_names(facts: dict[str, int], says: str) -> None:
    facts = {"unplaced_codes": 1, "time.unknown": 33, **facts}
    said = notes(plan(kind="folder", config=Config(camera=CameraConfig(folder_fps=5))), device(**facts))[-1]
    assert says in said and "clips" not in said and "runs fast" not in said


def test_a_hole_in_the_times_of_a_video_is_told() -> None:
    (said,) = notes(plan(), device(**{"time.holes": 1, "time.hole_ms": 3200}))
    assert "v.mp4 has no frame for 3.2 s in one place: what was passed there was not seen" in said
    (said,) = notes(plan(), device(**{"time.holes": 2**53, "time.hole_ms": 2**53}))
    assert len(said) < 300


@pytest.mark.parametrize(
    ("unused_ms", "left_out", "says"),
    [
        (START_MS + 9000, 30, "30 more points of it were left out, of two recordings"),
        (START_MS - 9000, 30, "before g.gpx begins or after it ends"),  # of before the video
        (START_MS + 9000, 3, "before g.gpx begins or after it ends"),
        (0, 30, "before g.gpx begins or after it ends"),
    ],
)
def test_off_the_ends_of_what_is_used_of_a_track_what_was_left_out_is_the_cause(
    unused_ms: int, left_out: int, says: str
) -> None:
    facts = {"fixes": 20, "unused_last_utc_ms": unused_ms, "left_contradicted": left_out}
    facts |= {"unplaced_codes": 1, "off_codes": 1}
    (said,) = notes(plan(start=str(START_MS)), device(**facts))
    assert says in said and ("times go back" in said) is ("left out" in says) and "covers the whole video" in said
