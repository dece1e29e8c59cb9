"""Times for people: written in one form, read in the forms that people use."""

from __future__ import annotations

import pytest

from wire.times import LATEST, iso8601, unix_seconds


def test_what_is_written_is_read_back() -> None:
    for seconds in (0, 1, 1_795_746_477, 2**32, LATEST):
        assert unix_seconds(iso8601(seconds)) == seconds
    assert iso8601(1_795_746_477) == "2026-11-27T02:27:57Z"


@pytest.mark.parametrize(
    "text", ["2026-11-27T02:27:57Z", "2026-11-27T02:27:57", "2026-11-27 03:27:57+01:00", "2026-11-27T02:27:57.5Z"]
)
def test_the_same_moment_in_several_forms(text: str) -> None:
    assert unix_seconds(text) == 1_795_746_477


def test_a_day_begins_at_midnight_utc() -> None:
    assert iso8601(unix_seconds("2026-11-27")) == "2026-11-27T00:00:00Z"


@pytest.mark.parametrize("text", ["", "tomorrow", "27.11.2026", "2026-13-01", "1795748877", "2026-11-27T25:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        unix_seconds(text)


def test_a_time_past_the_calendar_is_its_end() -> None:
    assert iso8601(2**63) == "9999-12-31T23:59:59Z"
