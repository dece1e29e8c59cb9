"""The user is told why codes were left unplaced, and what would set it right."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from device.config import Config
from device.launcher.plan import RunPlan
from device.warden.notes import notes, summary_of
from device.warden.stream import Doubt, StreamClock

START_MS = 1_800_000_000_000


def plan(**changes: Any) -> RunPlan:
    fields: dict[str, Any] = {
        "kind": "video", "input": "/v", "shown": "v.mp4", "gpx": "/g", "gpx_shown": "g.gpx", "pace": "lockstep",
        "start": "file", "home": "/h", "models": "/m", "run_id": "0" * 32, "config": Config(), **changes,
    }  # fmt: skip
    return RunPlan(**fields)


def device(*doubts: Doubt, **facts: int) -> Any:
    clock = StreamClock(START_MS, "container", (-6000, 1000), doubts=doubts)
    known = lambda name, key: facts.get(key, 0)  # noqa: E731
    return SimpleNamespace(clock=clock, roster=SimpleNamespace(fact=known, total=known, told=known))


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


@pytest.mark.parametrize("doubt", ["track_rollover", "track_impossible"])
def test_no_offset_is_proposed_beside_a_track_without_a_date(doubt: Doubt) -> None:
    (said,) = notes(plan(), device(doubt, **TWO))
    assert "--offset" not in said


def test_a_camera_without_a_position_source_is_not_told_of_tracks() -> None:
    assert notes(plan(kind="camera", gpx=""), device("clock_unsynchronised", unplaced_codes=3)) == []
    (said,) = notes(plan(kind="camera", gpx=""), device("clock_impossible", untimed_codes=3))
    assert "set the clock" in said


def test_a_certificate_out_of_its_time_is_said() -> None:
    (said,) = notes(plan(), device(refusal=2))
    assert "certificate has expired" in said
    assert notes(plan(), device(refusal=99)) == []


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
